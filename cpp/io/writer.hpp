// Writing a bitsense file, so that at every moment, also after a crash or a power cut, the path
// names the whole old file or the whole new one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/layout.hpp"

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

  std::size_t size() const noexcept { return size_; }

  // Calls sink(bytes) for the runs of bytes of the file, in order.
  template <class Sink>
  void emit(Sink&& sink) const {
    static constexpr std::uint8_t kZeros[kSectionAlignment] = {};
    sink(Bytes(reinterpret_cast<const std::uint8_t*>(metadata_.data()), metadata_.size()));
    for (const Bytes& section : sections_) {
      sink(section);
      sink(Bytes(kZeros, section_aligned(section.size()) - section.size()));
    }
  }

 private:
  std::string metadata_;
  std::vector<Bytes> sections_;
  std::size_t size_ = 0;
};

// Writes a temporary file in the folder of `path`, syncs it, renames it to `path` and syncs the
// folder. A symbolic link stays and the file that it points to is replaced. The permission bits of
// a file that is replaced are kept; a new file gets those of the umask. When anything fails, poll
// included, the temporary file is removed and the old file is untouched. Throws FileError, with
// EINVAL where `path` is something else than a regular file.
void write_file(const FilePlan& plan, const std::string& path, const Poll& poll);

}  // namespace bitsense
