// Which of 64 values after 64 pass a test: the loop of attribute filters. Row i is bit i % 64 of
// word i / 64. All levels give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

struct FilterKernels {
  // Adds to `words` (with "or") the bits of the rows whose value is within [low, high]; a NaN is
  // within nothing. Bits from `rows` on stay as they are.
  void (*range_int64)(const std::int64_t* values, std::size_t rows, std::int64_t low,
                      std::int64_t high, std::uint64_t* words);
  void (*range_float64)(const double* values, std::size_t rows, double low, double high,
                        std::uint64_t* words);
  void (*range_int32)(const std::int32_t* values, std::size_t rows, std::int32_t low,
                      std::int32_t high, std::uint64_t* words);
  void (*range_int8)(const std::int8_t* values, std::size_t rows, std::int8_t low, std::int8_t high,
                     std::uint64_t* words);

  // Adds the bits of the rows whose `code` has table[code] == 1, where 0 <= code < size; every
  // other code is outside. An entry of the table is 0 or 1.
  void (*lookup)(const std::int32_t* codes, std::size_t rows, const std::uint8_t* table,
                 std::uint32_t size, std::uint64_t* words);
};

}  // namespace bitsense
