#include "io/writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <optional>

#include "core/errors.hpp"
#include "core/rng.hpp"

namespace bitsense {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 22;

void append_word(std::string& out, std::uint64_t word) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(word >> shift));
}

void append_padding(std::string& out) { out.resize(section_aligned(out.size()), '\0'); }

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

// A new file that removes itself unless it is renamed.
class TemporaryFile {
 public:
  // With the mode of the old file from the start, so that nobody reads a secret one meanwhile.
  TemporaryFile(const std::string& target, std::optional<mode_t> mode) : mode_(mode) {
    const std::string folder = folder_of(target);
    static std::atomic<std::uint64_t> count{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    do {
      const std::uint64_t name =
          stream(static_cast<std::uint64_t>(now), static_cast<std::uint64_t>(::getpid()), ++count);
      path_ = text(folder, ".bitsense-", std::hex, name, ".tmp");
      fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode.value_or(0666));
    } while (fd_ < 0 && errno == EEXIST);
    if (fd_ < 0) throw FileError(errno, target);
  }

  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(Bytes bytes, const std::string& target, const Poll& poll) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), std::min(bytes.size(), kChunk));
      if (n < 0 && errno != EINTR) throw FileError(errno, target);
      if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
      if (poll) poll();
    }
  }

  void finish(const std::string& target) {
    if (mode_ && ::fchmod(fd_, *mode_) != 0) throw FileError(errno, target);
    if (::fsync(fd_) != 0) throw FileError(errno, target);
    const int closed = ::close(fd_);
    fd_ = -1;
    if (closed != 0) throw FileError(errno, target);
    if (::rename(path_.c_str(), target.c_str()) != 0) throw FileError(errno, target);
    renamed_ = true;
  }

 private:
  std::optional<mode_t> mode_;
  std::string path_;
  int fd_ = -1;
  bool renamed_ = false;
};

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

FilePlan::FilePlan(std::string_view header, std::vector<Bytes> sections, std::size_t threads,
                   const Poll& poll)
    : sections_(std::move(sections)) {
  require(header.find('\n') == header.npos, "`header` must be one line");
  require(header.size() < kMaxHeaderBytes, "`header` must be at most ", kMaxHeaderBytes - 1,
          " bytes, got ", header.size());
  require(sections_.size() <= kMaxSections, "there must be at most ", kMaxSections,
          " sections, got ", sections_.size());
  Prelude prelude;
  prelude.header = header.size() + 1;
  prelude.sections = sections_.size();
  prelude.size = prelude.first_section();
  for (const Bytes& section : sections_) {
    require(section.size() < kMaxFileBytes - prelude.size - kSectionAlignment,
            "a file must be at most ", kMaxFileBytes, " bytes");
    prelude.size += section_aligned(section.size());
  }
  metadata_ = write_prelude(prelude).append(header).append("\n");
  append_padding(metadata_);
  const std::vector<std::uint64_t> crcs = crc64_each(sections_, threads, poll);
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    append_word(metadata_, sections_[i].size());
    append_word(metadata_, crcs[i]);
  }
  append_padding(metadata_);
  const Bytes all(reinterpret_cast<const std::uint8_t*>(metadata_.data()), metadata_.size());
  prelude.crc =
      crc64(all.subspan(kPreludeBytes), crc64(all.first(kPreludeBytes - kUncheckedBytes)));
  metadata_.replace(0, kPreludeBytes, write_prelude(prelude));
  size_ = prelude.size;
}

void write_file(const FilePlan& plan, const std::string& path, const Poll& poll) {
  const std::string target = follow_links(path);
  TemporaryFile file(target, old_mode(target));
  plan.emit([&](Bytes bytes) { file.write(bytes, target, poll); });
  file.finish(target);
  sync_folder(folder_of(target));
}

}  // namespace bitsense
