#include "text/line_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/errors.hpp"

namespace bitsense {

char* TextBuffer::room(std::size_t bytes) {
  if (capacity_ - size_ < bytes) {
    const std::size_t capacity = std::max(size_ + bytes, 2 * size_);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::copy_n(bytes_.get(), size_, larger.get());
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  return bytes_.get() + size_;
}

void TextBuffer::append(std::string_view bytes) {
  std::copy(bytes.begin(), bytes.end(), room(bytes.size()));
  size_ += bytes.size();
}

LineReader::LineReader(int descriptor, std::string path, std::size_t block_bytes)
    : descriptor_(descriptor), path_(std::move(path)), block_bytes_(block_bytes) {
  require(block_bytes >= 1, "`block_bytes` must be at least 1, got 0");
}

void LineReader::allow(std::size_t bytes) {
  std::scoped_lock hold(lock_);
  allowed_ = bytes;
}

std::optional<std::size_t> LineReader::next(TextBuffer& block) {
  if (block.capacity() > 16 * block_bytes_) block = {};  // one long line must not keep its buffer
  block.resize(0);
  std::scoped_lock hold(lock_);
  if (allowed_ == 0 || ended()) return std::nullopt;
  block.append(std::exchange(rest_, {}));
  while (read_into(block)) {
    const std::size_t end = block.view().rfind('\n');
    if (end == std::string_view::npos) continue;
    rest_ = block.view().substr(end + 1);
    block.resize(end + 1);
    break;
  }
  if (block.size() == 0) return std::nullopt;
  allowed_ -= std::min(allowed_, block.size());
  return blocks_++;
}

// Reads until `block_bytes_` more are there or the file ends; whether there were any.
bool LineReader::read_into(TextBuffer& block) {
  const std::size_t before = block.size();
  while (!at_end_ && block.size() - before < block_bytes_) {
    const std::size_t missing = block_bytes_ - (block.size() - before);
    char* to = block.room(missing);
    const ssize_t got = ::read(descriptor_, to, missing);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError(errno, path_);
    if (got == 0) at_end_ = true;
    block.resize(block.size() + static_cast<std::size_t>(got));
  }
  return block.size() > before;
}

}  // namespace bitsense
