#include "io/reader.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "core/errors.hpp"
#include "io/layout.hpp"

namespace bitsense {
namespace {

std::uint64_t read_word(Bytes file, std::uint64_t offset) {
  std::uint64_t word;
  std::memcpy(&word, file.subspan(offset, sizeof word).data(), sizeof word);
  return word;
}

void require_zeros(Bytes file, std::uint64_t begin, std::uint64_t end) {
  for (const std::uint8_t byte : file.subspan(begin, end - begin)) {
    if (byte != 0) throw FormatError("corrupt: the padding is not zero");
  }
}

void check_size(const Prelude& prelude, std::size_t size) {
  if (size < prelude.size) {
    throw FormatError(text("cut short: ", size, " of ", prelude.size, " bytes"));
  }
  if (size > prelude.size) {
    throw FormatError(text("corrupt: ", size - prelude.size, " bytes too many"));
  }
  // The limits of the fields make the sum at most 2e9, so that it cannot wrap.
  if (prelude.header == 0 || prelude.first_section() > size) {
    throw FormatError("corrupt: the first line contradicts itself");
  }
}

void check_metadata(const Prelude& prelude, Bytes file) {
  const std::uint64_t covered = kPreludeBytes - kUncheckedBytes;
  const std::uint64_t crc =
      crc64(file.first(prelude.first_section()).subspan(kPreludeBytes), crc64(file.first(covered)));
  if (crc != prelude.crc) throw FormatError("corrupt: the checksum of the header is wrong");
  const std::uint64_t header_end = kPreludeBytes + prelude.header;
  const Bytes header = file.subspan(kPreludeBytes, prelude.header);
  if (std::find(header.begin(), header.end(), '\n') != header.end() - 1) {
    throw FormatError("corrupt: the header is not one line");
  }
  require_zeros(file, header_end, prelude.table());
  require_zeros(file, prelude.table() + prelude.sections * kTableEntryBytes,
                prelude.first_section());
}

// Sections follow each other, so lengths that fit one after the other are all there is to check.
std::vector<Section> find_sections(const Prelude& prelude, Bytes file) {
  std::vector<Section> sections(prelude.sections);
  std::uint64_t offset = prelude.first_section();
  std::uint64_t entry = prelude.table();
  for (Section& section : sections) {
    const std::uint64_t length = read_word(file, entry);
    if (length > file.size() - offset) throw FormatError("corrupt: a section is too long");
    section = {file.subspan(offset, length), read_word(file, entry + 8)};
    entry += kTableEntryBytes;
    offset = section_aligned(offset + length);
    if (offset > file.size()) throw FormatError("corrupt: a section is too long");
  }
  if (offset != file.size()) throw FormatError("corrupt: bytes after the last section");
  return sections;
}

void check_sections(const std::vector<Section>& sections, Bytes file, std::size_t threads,
                    const Poll& poll) {
  std::vector<Bytes> pieces;
  pieces.reserve(sections.size());
  for (const Section& section : sections) {
    pieces.push_back(section.bytes);
    const auto end =
        static_cast<std::uint64_t>(section.bytes.data() + section.bytes.size() - file.data());
    require_zeros(file, end, section_aligned(end));
  }
  const std::vector<std::uint64_t> crcs = crc64_each(pieces, threads, poll);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (crcs[i] != sections[i].crc) {
      throw FormatError(text("corrupt: the checksum of section ", i, " is wrong"));
    }
  }
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw FileError(errno, path);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::vector<std::size_t> part_sizes(Bytes file) {
  std::vector<std::size_t> sizes;
  std::size_t first = 0;
  try {
    while (first < file.size()) {
      const std::uint64_t size = read_prelude(file.subspan(first)).size;
      if (size == 0 || size > file.size() - first) return {file.size()};
      sizes.push_back(static_cast<std::size_t>(size));
      first += static_cast<std::size_t>(size);
    }
  } catch (const FormatError&) {
    return {file.size()};
  }
  return sizes.empty() ? std::vector<std::size_t>{0} : sizes;
}

FileParts parse_file(Bytes file, Check check, std::size_t threads, const Poll& poll) {
  const Prelude prelude = read_prelude(file);
  check_size(prelude, file.size());
  check_metadata(prelude, file);
  FileParts parts;
  parts.header = {reinterpret_cast<const char*>(file.data()) + kPreludeBytes,
                  static_cast<std::size_t>(prelude.header) - 1};
  parts.sections = find_sections(prelude, file);
  if (check == Check::kAll) check_sections(parts.sections, file, threads, poll);
  return parts;
}

FileImage FileImage::map(const std::string& path) {
  const Descriptor file(path);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) throw FileError(errno, path);
  if (S_ISDIR(status.st_mode)) throw FileError(EISDIR, path);
  if (!S_ISREG(status.st_mode)) throw FormatError("not a regular file, so it cannot be mapped");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return copy({});
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) throw FileError(errno, path);
  return {std::shared_ptr<const std::uint8_t>(
              static_cast<const std::uint8_t*>(memory),
              [size](const std::uint8_t* p) { ::munmap(const_cast<std::uint8_t*>(p), size); }),
          size};
}

FileImage FileImage::copy(Bytes bytes) {
  constexpr std::align_val_t kAlign{kSectionAlignment};
  auto* memory = static_cast<std::uint8_t*>(::operator new(bytes.size(), kAlign));
  if (!bytes.empty()) std::memcpy(memory, bytes.data(), bytes.size());
  return {
      std::shared_ptr<const std::uint8_t>(
          memory,
          [](const std::uint8_t* p) { ::operator delete(const_cast<std::uint8_t*>(p), kAlign); }),
      bytes.size()};
}

}  // namespace bitsense
