// Codes as 64-bit words, and the bits that are set in one. Included by the *_kernels.cpp only; all
// of it has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {
namespace {

inline std::uint64_t load_word(const std::uint8_t* p) {
  std::uint64_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return word;
}

// The last 0..7 bytes of a code as a word; the absent bytes are zero.
inline std::uint64_t load_tail(const std::uint8_t* p, std::size_t bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes; ++i) word |= static_cast<std::uint64_t>(p[i]) << (8 * i);
  return word;
}

// For each byte of a word, how many of its bits are set.
inline std::uint64_t count_bytes(std::uint64_t x) {
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
}

// Without the instruction GCC would call a function of libgcc for each word.
inline std::uint32_t count_word(std::uint64_t x) {
#if defined(__POPCNT__) || defined(__ARM_NEON)
  return static_cast<std::uint32_t>(__builtin_popcountll(x));
#else
  return static_cast<std::uint32_t>((count_bytes(x) * 0x0101010101010101ULL) >> 56);
#endif
}

}  // namespace
}  // namespace bitsense
