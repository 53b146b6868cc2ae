// Sums over the bytes of 64 codes that lie in planes, of numbers that are looked up by nibble:
// those of a low nibble and of a high nibble in two tables of sixteen, 32 codes to a register
// (VPSHUFB). The scans of codes and of costs are this sum. Included by the *_kernels.cpp only, at
// levels with AVX2; all of it has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/level.hpp"

namespace bitsense {
namespace {

constexpr std::size_t kPlaneBytes = 64;  // a byte of each code
constexpr std::size_t kByteTables = 32;  // the two tables of a byte

inline __m256i load_table(const std::uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

inline __m256i load_half(const std::uint8_t* plane, std::size_t half) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(plane + 32 * half));
}
inline __m256i low_nibbles(__m256i x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
inline __m256i high_nibbles(__m256i x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }

// The tables of some queries, those of byte after byte, `step` bytes from query to query.
struct LaidTables {
  const std::uint8_t* first;
  std::size_t step;
  const std::uint8_t* operator()(std::size_t query, std::size_t byte) const {
    return first + query * step + kByteTables * byte;
  }
};

// Adds to sum[q] what planes [first, last) give by tables(q, b), the two tables that query q has
// for byte b; the sums stop at 255.
template <std::size_t Queries, class Tables>
void add_planes(const std::uint8_t* planes, const Tables& tables, std::size_t first,
                std::size_t last, __m256i (&sum)[Queries][2]) {
  for (std::size_t b = first; b < last; ++b) {
    __m256i low[2], high[2];
    for (std::size_t h = 0; h < 2; ++h) {
      const __m256i x = load_half(planes + kPlaneBytes * b, h);
      low[h] = low_nibbles(x);
      high[h] = high_nibbles(x);
    }
    for (std::size_t q = 0; q < Queries; ++q) {
      const std::uint8_t* table = tables(q, b);
      const __m256i of_low = load_table(table), of_high = load_table(table + 16);
      for (std::size_t h = 0; h < 2; ++h) {
        const __m256i both = _mm256_add_epi8(_mm256_shuffle_epi8(of_low, low[h]),
                                             _mm256_shuffle_epi8(of_high, high[h]));
        sum[q][h] = _mm256_adds_epu8(sum[q][h], both);
      }
    }
  }
}

// Is any of the 64 sums at most the bound? From 255 on all are.
inline bool any_sum_within(const __m256i (&sum)[2], std::uint16_t bound) {
  const __m256i limit = _mm256_set1_epi8(static_cast<char>(bound < 255 ? bound : 255));
  const __m256i least = _mm256_min_epu8(sum[0], sum[1]);
  const __m256i within = _mm256_cmpeq_epi8(_mm256_min_epu8(least, limit), least);
  return _mm256_movemask_epi8(within) != 0;
}

}  // namespace
}  // namespace bitsense
