#include "io/temporary_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>

#include "core/errors.hpp"
#include "core/rng.hpp"

namespace bitsense {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 22;

// "a/b" -> "a/", "b" -> "": the part that a file in the same folder shares.
std::string folder_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/') + 1);
}

// Follows the symbolic links of the last component, as far as they lead to another name.
std::string follow_links(std::string path) {
  constexpr int kMostLinks = 40;  // as the kernel
  for (int links = 0;; ++links) {
    char target[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length < 0) return path;
    if (links == kMostLinks) throw FileError(ELOOP, path);
    if (length == sizeof target) throw FileError(ENAMETOOLONG, path);
    const std::string name(target, static_cast<std::size_t>(length));
    path = name.starts_with('/') ? name : folder_of(path) + name;
  }
}

// The permission bits of a file that will be replaced; none if there is no such file.
std::optional<mode_t> old_mode(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw FileError(errno, path);
  }
  if (S_ISDIR(status.st_mode)) throw FileError(EISDIR, path);
  if (!S_ISREG(status.st_mode)) throw FileError(EINVAL, path);  // renaming would replace a device
  return static_cast<mode_t>(status.st_mode & 0777);
}

// Makes the rename itself last through a power cut. Some file systems cannot sync a folder.
void sync_folder(const std::string& folder) {
  const std::string path = folder.empty() ? "." : folder;
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // a folder may be writable but not readable
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0 && error != EINVAL && error != ENOTSUP) throw FileError(error, path);
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& path)
    : target_(follow_links(path)), mode_(old_mode(target_)), maker_(::getpid()) {
  static std::atomic<std::uint64_t> count{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  do {
    const std::uint64_t name =
        stream(static_cast<std::uint64_t>(now), static_cast<std::uint64_t>(maker_), ++count);
    path_ = text(folder_of(target_), ".bitsense-", std::hex, name, ".tmp");
    // With the mode of the old file from the start, so that nobody reads a secret one meanwhile.
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_.value_or(0666));
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) throw FileError(errno, target_);
}

TemporaryFile::~TemporaryFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!renamed_ && ::getpid() == maker_) ::unlink(path_.c_str());
}

void TemporaryFile::write(std::size_t place, Bytes bytes, const Poll& poll) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(fd_, bytes.data(), std::min(bytes.size(), kChunk), static_cast<off_t>(place));
    if (put < 0 && errno != EINTR) throw FileError(errno, target_);
    if (put > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      place += static_cast<std::size_t>(put);
    }
    if (poll) poll();
  }
}

void TemporaryFile::read(std::size_t place, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got =
        ::pread(fd_, bytes.data(), std::min(bytes.size(), kChunk), static_cast<off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw FileError(got < 0 ? errno : EIO, target_);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    place += static_cast<std::size_t>(got);
  }
}

void TemporaryFile::resize(std::size_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) throw FileError(errno, target_);
}

void TemporaryFile::finish() {
  require(::getpid() == maker_, "a file is finished by the process that began it");
  if (mode_ && ::fchmod(fd_, *mode_) != 0) throw FileError(errno, target_);
  if (::fsync(fd_) != 0) throw FileError(errno, target_);
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) throw FileError(errno, target_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) throw FileError(errno, target_);
  renamed_ = true;
  sync_folder(folder_of(target_));
}

}  // namespace bitsense
