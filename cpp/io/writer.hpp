// Writing a bitsense file, so that at every moment, also after a crash or a power cut, the path
// names the whole old file or the whole new one (temporary_file.hpp).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/layout.hpp"
#include "io/temporary_file.hpp"

namespace bitsense {

// A file before it is written: the bytes before the first section, and views of the sections. Their
// bytes must not change until the file is written (if they do, its checksums are wrong and readers
// refuse it).
class FilePlan {
 public:
  // `header` is one line without its newline. Throws std::invalid_argument for one that contains
  // a newline or is longer than kMaxHeaderBytes - 1 bytes, or for too many sections.
  FilePlan(std::string_view header, std::vector<Bytes> sections, std::size_t threads,
           const Poll& poll);

  std::size_t size() const noexcept;

  // Calls sink(bytes) for the runs of bytes of the file, in order.
  void emit(const std::function<void(Bytes)>& sink) const;

 private:
  std::string metadata_;
  std::vector<Bytes> sections_;
};

// Writes a temporary file in the folder of `path`, syncs it, renames it to `path` and syncs the
// folder. When anything fails, poll included, the temporary file is removed and the old file is
// untouched. Throws FileError.
void write_file(const FilePlan& plan, const std::string& path, const Poll& poll);

// A file whose first section is too large for the memory and is made where it lies: bytes are
// appended, later read again in order, and others put in their place. The header, its length and
// the other sections become known between. Nothing is at `path` before the end.
class GrowingFile {
 public:
  // The header will have at most `header_bytes` bytes.
  GrowingFile(const std::string& path, std::size_t header_bytes, std::size_t sections);

  void append(Bytes bytes);

  // From now on nothing is appended. Throws std::invalid_argument for a header that FilePlan would
  // refuse, or that is longer than was said.
  void begin(std::string_view header);
  // The next bytes of what was appended.
  void read(std::span<std::uint8_t> bytes);
  // The next bytes of the section: they go over what was appended, at most as many as were read.
  void put(Bytes bytes, const Poll& poll = {});

  // Writes all the rest; then the file is at `path`.
  void finish(std::span<const Bytes> others, std::size_t threads, const Poll& poll);

 private:
  TemporaryFile file_;
  std::size_t sections_;
  std::size_t append_at_;
  std::size_t appended_ = 0;
  std::size_t read_ = 0;
  std::string header_;
  std::size_t section_at_ = 0;  // 0: before begin()
  std::size_t put_ = 0;
  std::uint64_t crc_ = 0;
};

}  // namespace bitsense
