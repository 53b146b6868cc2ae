// The layout of a bitsense file, version 1; docs/formats.md is its description for people.
//
//   prelude    128 bytes of ASCII, one line:
//              bitsense file, format 0001, little-endian, size 0000000000000512, header 00000042,
//              sections 00000001, crc64/xz 0123456789abcdef\n
//   header     UTF-8, one line (JSON; the engine does not look inside)
//   padding    zero bytes up to a multiple of 64
//   table      for each section its length in bytes and its CRC, two little-endian uint64
//   padding    zero bytes up to a multiple of 64
//   sections   each followed by zero bytes up to a multiple of 64; nothing after the last padding
//
// The CRC of the prelude is of everything before the first section but itself and its newline. So
// every byte of a file is fixed by its contents, and is either checked against the one value that
// it can have or covered by a checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/checksum.hpp"

namespace bitsense {

constexpr unsigned kFormatVersion = 1;
constexpr std::size_t kPreludeBytes = 128;
constexpr std::size_t kUncheckedBytes = 17;  // the digits of the CRC and the newline
constexpr std::size_t kSectionAlignment = 64;
constexpr std::size_t kTableEntryBytes = 16;
constexpr std::uint64_t kMaxFileBytes = 9'999'999'999'999'999;
constexpr std::uint64_t kMaxHeaderBytes = 99'999'999;
constexpr std::uint64_t kMaxSections = 99'999'999;

constexpr std::uint64_t section_aligned(std::uint64_t offset) {
  return (offset + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
}

// What the first line says.
struct Prelude {
  std::uint64_t size = 0;      // of the whole file
  std::uint64_t header = 0;    // bytes, with its newline
  std::uint64_t sections = 0;  // how many
  std::uint64_t crc = 0;

  std::uint64_t table() const { return section_aligned(kPreludeBytes + header); }
  std::uint64_t first_section() const {
    return section_aligned(table() + sections * kTableEntryBytes);
  }
};

// The line, kPreludeBytes long; the numbers must be within the limits above.
std::string write_prelude(const Prelude& prelude);

// The inverse; accepts nothing that write_prelude does not write. Throws FormatError for a line
// that is cut short, of something else, or of another version or byte order.
Prelude read_prelude(Bytes file);

}  // namespace bitsense
