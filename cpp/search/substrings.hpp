// Substrings of codes as numbers, and the buckets of their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rng.hpp"

namespace bitsense {

// Where a substring lies in a code. At most 56 bits, so that it is read from one word.
struct Substring {
  std::size_t first, length;
};

constexpr std::size_t kMaxSubstringBits = 56;

constexpr std::uint64_t low_bits(std::size_t length) { return (std::uint64_t{1} << length) - 1; }

// `count` substrings of nearly equal length, the longer ones first.
inline std::vector<Substring> cut_substrings(std::size_t bits, std::size_t count) {
  std::vector<Substring> parts(count);
  std::size_t first = 0;
  for (std::size_t j = 0; j < count; ++j) {
    parts[j] = {first, bits / count + (j < bits % count ? 1 : 0)};
    first += parts[j].length;
  }
  return parts;
}

// The substring as a number; its first bit is the most significant.
inline std::uint64_t read_substring(const std::uint8_t* code, const Substring& part) {
  const std::size_t last = part.first + part.length - 1;
  std::uint64_t word = 0;
  for (std::size_t byte = part.first / 8; byte <= last / 8; ++byte) word = word << 8 | code[byte];
  return word >> (7 - last % 8) & low_bits(part.length);
}

inline std::size_t bucket_of(std::uint64_t value, std::size_t length, std::size_t bucket_bits) {
  if (length <= bucket_bits) return static_cast<std::size_t>(value);
  return bucket_bits == 0 ? 0 : static_cast<std::size_t>(mix(value) >> (64 - bucket_bits));
}

}  // namespace bitsense
