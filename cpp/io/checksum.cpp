#include "io/checksum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/checksum_kernels.hpp"
#include "kernels/dispatch.hpp"

namespace bitsense {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and are viewed in place");

constexpr std::uint64_t kPolynomial = 0xc96c5795d7870f42ULL;
constexpr std::size_t kSlices = 16;
constexpr std::size_t kChunk = std::size_t{1} << 22;

using Tables = std::array<std::array<std::uint64_t, 256>, kSlices>;

// tables[k][b] is the remainder of the byte b followed by k zero bytes.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < kSlices; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8) ^ tables[0][crc & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint64_t load(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// The remainder of the eight bytes of `word` followed by Zeros zero bytes.
template <std::size_t Zeros>
std::uint64_t remainder(std::uint64_t word) {
  return kTables[Zeros + 7][word & 255] ^ kTables[Zeros + 6][(word >> 8) & 255] ^
         kTables[Zeros + 5][(word >> 16) & 255] ^ kTables[Zeros + 4][(word >> 24) & 255] ^
         kTables[Zeros + 3][(word >> 32) & 255] ^ kTables[Zeros + 2][(word >> 40) & 255] ^
         kTables[Zeros + 1][(word >> 48) & 255] ^ kTables[Zeros][word >> 56];
}

// The product of two polynomials modulo the polynomial; bit 63 is the coefficient of x^0.
constexpr std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a >> 63) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

// x to this power: appending so many zero bits multiplies by it.
constexpr std::uint64_t power_of_x(std::uint64_t exponent) {
  std::uint64_t result = std::uint64_t{1} << 63;
  std::uint64_t power = std::uint64_t{1} << 62;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = times(result, power);
    power = times(power, power);
  }
  return result;
}

constexpr ChecksumShift shift_by(std::uint64_t bits) {
  return {power_of_x(bits + 63), power_of_x(bits - 1)};
}

constexpr ChecksumShift kOne = shift_by(128);
constexpr ChecksumShift kFour = shift_by(512);

}  // namespace

std::uint64_t crc64(Bytes bytes, std::uint64_t before) {
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t crc = ~before;
  std::uint64_t words[2];
  if (const std::size_t n = kernels().checksums->fold(p, left, crc, kOne, kFour, words); n > 0) {
    crc = remainder<8>(words[0]) ^ remainder<0>(words[1]);
    p += n;
    left -= n;
  }
  for (; left >= 16; left -= 16, p += 16) {
    crc = remainder<8>(load(p) ^ crc) ^ remainder<0>(load(p + 8));
  }
  for (; left > 0; --left, ++p) crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 255];
  return ~crc;
}

std::uint64_t crc64_joined(std::uint64_t first, std::uint64_t second, std::size_t second_size) {
  return first == 0 ? second : times(power_of_x(std::uint64_t{8} * second_size), first) ^ second;
}

std::vector<std::uint64_t> crc64_each(std::span<const Bytes> pieces, std::size_t threads,
                                      const Poll& poll) {
  struct Chunk {
    std::size_t piece;
    Bytes bytes;
    std::uint64_t crc;
  };
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (Bytes rest = pieces[i]; !rest.empty(); rest = rest.subspan(chunks.back().bytes.size())) {
      chunks.push_back({i, rest.first(std::min(rest.size(), kChunk)), 0});
    }
  }
  // Starting a thread costs about as much as half a chunk.
  threads = std::min(threads, (chunks.size() + 1) / 2 + 1);
  parallel_for(
      threads, chunks.size(),
      [&](std::size_t i, std::size_t) { chunks[i].crc = crc64(chunks[i].bytes); }, poll);
  std::vector<std::uint64_t> result(pieces.size(), 0);
  for (const Chunk& chunk : chunks) {
    result[chunk.piece] = crc64_joined(result[chunk.piece], chunk.crc, chunk.bytes.size());
  }
  return result;
}

}  // namespace bitsense
