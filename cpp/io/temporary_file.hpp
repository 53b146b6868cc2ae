// A file under way: its path names the old file, or none, until the new one is whole.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/parallel.hpp"
#include "io/checksum.hpp"

namespace bitsense {

class TemporaryFile {
 public:
  // Makes an empty file in the folder of `path`. A symbolic link will stay, and the file that it
  // points to be replaced; the permission bits of a file that is replaced are kept. Throws
  // FileError, with EINVAL where `path` is something else than a regular file.
  explicit TemporaryFile(const std::string& path);
  // Removes it, unless it is finished or a fork of the process that made it ends.
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::size_t place, Bytes bytes, const Poll& poll = {});
  // All of these bytes must have been written.
  void read(std::size_t place, std::span<std::uint8_t> bytes) const;

  // Leaves out what is behind `size`, or adds zeros up to it.
  void resize(std::size_t size);

  // Syncs it, renames it to the path and syncs the folder.
  void finish();

 private:
  std::string target_;
  std::optional<mode_t> mode_;
  std::string path_;
  int fd_ = -1;
  pid_t maker_;
  bool renamed_ = false;
};

}  // namespace bitsense
