// The part of a CRC of 64 bits that looks at every byte: many bytes become sixteen with the same
// remainder (io/checksum.cpp has the polynomial).
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

// Two powers of x modulo the polynomial, bit 63 the coefficient of x^0. Sixteen bytes that are
// `bits` before others are moved there by the products of their first word with x^(bits + 63) and
// of their second with x^(bits - 1).
struct ChecksumShift {
  std::uint64_t first;
  std::uint64_t second;
};

struct ChecksumKernels {
  // Replaces as many of `size` bytes as this level can, a multiple of 64, by sixteen: `words`,
  // which in their place have the same remainder. `before` is added to the first word. Returns how
  // many, 0 where there are fewer than 128 or the level has no product without carries. `one` and
  // `four` move by 128 and 512 bits.
  std::size_t (*fold)(const std::uint8_t* bytes, std::size_t size, std::uint64_t before,
                      const ChecksumShift& one, const ChecksumShift& four, std::uint64_t* words);
};

}  // namespace bitsense
