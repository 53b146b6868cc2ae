#include "text/spill_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "core/errors.hpp"

namespace bitsense {

SpillFile::SpillFile(const std::string& folder) : folder_(folder.empty() ? "." : folder) {
  std::string path = folder_ + "/.bitsense-XXXXXX.tmp";
  constexpr int kSuffix = 4;
  descriptor_ = ::mkostemps(path.data(), kSuffix, O_CLOEXEC);
  if (descriptor_ < 0) throw FileError(errno, folder_);
  ::unlink(path.c_str());
}

SpillFile::~SpillFile() { ::close(descriptor_); }

void SpillFile::append(std::span<const std::uint32_t> numbers) {
  write(size_, numbers);
  size_ += numbers.size();
}

void SpillFile::read(std::size_t first, std::span<std::uint32_t> numbers) const {
  auto* to = reinterpret_cast<char*>(numbers.data());
  auto place = static_cast<off_t>(first * sizeof(std::uint32_t));
  for (std::size_t left = numbers.size_bytes(); left > 0;) {
    const ssize_t got = ::pread(descriptor_, to, left, place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw FileError(got < 0 ? errno : EIO, folder_);
    to += got;
    place += got;
    left -= static_cast<std::size_t>(got);
  }
}

void SpillFile::write(std::size_t first, std::span<const std::uint32_t> numbers) {
  const auto* from = reinterpret_cast<const char*>(numbers.data());
  auto place = static_cast<off_t>(first * sizeof(std::uint32_t));
  for (std::size_t left = numbers.size_bytes(); left > 0;) {
    const ssize_t put = ::pwrite(descriptor_, from, left, place);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw FileError(errno, folder_);
    from += put;
    place += put;
    left -= static_cast<std::size_t>(put);
  }
}

std::shared_ptr<const std::uint32_t[]> SpillFile::map(std::size_t size) const {
  if (size == 0) return std::make_shared<std::uint32_t[]>(1);
  const std::size_t bytes = size * sizeof(std::uint32_t);
  void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) throw FileError(errno, folder_);
  return {static_cast<const std::uint32_t*>(memory),
          [bytes](const std::uint32_t* p) { ::munmap(const_cast<std::uint32_t*>(p), bytes); }};
}

}  // namespace bitsense
