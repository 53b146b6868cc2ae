// Reading a bitsense file: all of it is checked, then its parts are viewed in place.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/checksum.hpp"

namespace bitsense {

struct Section {
  Bytes bytes;  // starts at a multiple of 64 within the file
  std::uint64_t crc;
};

// Views into the bytes of a file.
struct FileParts {
  std::string_view header;  // without its newline
  std::vector<Section> sections;
};

// The sizes of the files that lie one behind the other in these bytes, where something was
// appended; one size if they are not just that, which parse_file will say.
std::vector<std::size_t> part_sizes(Bytes file);

enum class Check {
  kAll,
  kMetadata,  // all but the contents of the sections and the padding between them: reads few pages
};

// The parts of a file whose bytes these are. Throws FormatError unless each of them is right.
FileParts parse_file(Bytes file, Check check, std::size_t threads = 1, const Poll& poll = {});

// The bytes of a file, at a multiple of 64 in memory, for as long as a copy of this lives.
class FileImage {
 public:
  // Maps a regular file read-only. It may be replaced (renamed over) or deleted while it is mapped,
  // but nobody may write into it or cut it: that changes the bytes after they were checked, and an
  // access past the new end kills the process (SIGBUS). write_file never does so.
  static FileImage map(const std::string& path);

  // Copies, so that nobody can change the bytes after the check.
  static FileImage copy(Bytes bytes);

  Bytes bytes() const noexcept { return bytes_; }

  // A run of its bytes, which keeps all of them.
  FileImage part(std::size_t first, std::size_t size) const {
    return {std::shared_ptr<const std::uint8_t>(memory_, bytes_.data() + first), size};
  }

 private:
  FileImage(std::shared_ptr<const std::uint8_t> memory, std::size_t size)
      : memory_(std::move(memory)), bytes_(memory_.get(), size) {}

  std::shared_ptr<const std::uint8_t> memory_;
  Bytes bytes_;
};

}  // namespace bitsense
