// The lines of an open file, in blocks of whole lines that several threads take in turns: memory
// holds a block for each thread, whatever the size of the file.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace bitsense {

// Bytes that grow and are not set to zero first.
class TextBuffer {
 public:
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void resize(std::size_t size) noexcept { size_ = size; }  // at most the capacity
  void append(std::string_view bytes);
  // Room for `bytes` more behind the end.
  char* room(std::size_t bytes);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

class LineReader {
 public:
  // Reads from where the descriptor stands, `block_bytes` at a time, and does not close it. `path`
  // is for errors.
  LineReader(int descriptor, std::string path, std::size_t block_bytes);

  // Puts the next lines, with their newlines, into `block`; the last line of the file need not have
  // one. Returns the number of the block, or nothing at the end of the file and after stop().
  // Throws FileError.
  std::optional<std::size_t> next(TextBuffer& block);

  // Gives no further blocks until `bytes` more are asked for; other calls go on as they are.
  void allow(std::size_t bytes);
  void stop() { allow(0); }

  // Whether all was given. Not to be asked while threads read.
  bool ended() const noexcept { return at_end_ && rest_.empty(); }

 private:
  bool read_into(TextBuffer& block);

  const int descriptor_;
  const std::string path_;
  const std::size_t block_bytes_;
  std::mutex lock_;
  std::string rest_;  // the beginning of a line
  std::size_t allowed_ = 0;
  std::size_t blocks_ = 0;
  bool at_end_ = false;
};

}  // namespace bitsense
