// Errors of the engine. Python sees std::invalid_argument as ValueError, std::out_of_range as
// IndexError, std::bad_alloc as MemoryError, FileError as the OSError of its errno and FormatError
// as bitsense.FormatError. The text says what an argument must be and what it was.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace bitsense {

// A file that is corrupt, cut short, or of a newer format than this reader.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A failed call of the operating system on a file.
class FileError : public std::runtime_error {
 public:
  FileError(int code, std::string path)
      : std::runtime_error(path), code_(code), path_(std::move(path)) {}
  int code() const noexcept { return code_; }
  const std::string& path() const noexcept { return path_; }

 private:
  int code_;
  std::string path_;
};

// Joins anything printable into one message.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Throws std::invalid_argument unless the condition holds; the message is built only then.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw std::invalid_argument(text(parts...));
}

}  // namespace bitsense
