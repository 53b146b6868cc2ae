// CRC-64/XZ, the checksum of every part of a bitsense file: reflected polynomial
// 0xc96c5795d7870f42 (ECMA-182), initial value and final complement all ones, as in the .xz format;
// the check value of "123456789" is 0x995dc9bbdf1939fa. A CRC of 64 bits finds every error that
// lies within 64 consecutive bits, so any change of one byte; others escape once in 2^64.
//
// Slicing by 16 (Kounavis and Berry, "Novel table lookup-based algorithms for high-performance CRC
// generation", IEEE Trans. Computers 57, 2008): 16 bytes per step, one table look-up for each.
// Levels that multiply without carries leave all but the last bytes to
// kernels/checksum_kernels.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.hpp"

namespace bitsense {

using Bytes = std::span<const std::uint8_t>;

// Numbers as their bytes.
template <class Number>
Bytes bytes_of(std::span<const Number> numbers) {
  return {reinterpret_cast<const std::uint8_t*>(numbers.data()), numbers.size_bytes()};
}
template <class Number>
std::span<std::uint8_t> bytes_of(std::span<Number> numbers) {
  return {reinterpret_cast<std::uint8_t*>(numbers.data()), numbers.size_bytes()};
}

// The CRC of `bytes`; with `before`, the CRC of the bytes that gave `before` followed by `bytes`.
std::uint64_t crc64(Bytes bytes, std::uint64_t before = 0);

// The CRC of two runs of bytes, one after the other, from the CRC of each.
std::uint64_t crc64_joined(std::uint64_t first, std::uint64_t second, std::size_t second_size);

// The CRC of each piece; long pieces are cut up, so that all threads have work.
std::vector<std::uint64_t> crc64_each(std::span<const Bytes> pieces, std::size_t threads,
                                      const Poll& poll);

}  // namespace bitsense
