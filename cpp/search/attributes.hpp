// Tests of the columns of an index: each fills a bitmap, in which row i is bit i % 64 of word
// i / 64. The words must be zero where a test begins, which adds the bits of the rows that pass;
// bits past the last row stay zero. What a bitmap holds depends on no thread and no level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/parallel.hpp"
#include "kernels/filter_kernels.hpp"

namespace bitsense {

struct FilterRun {
  const FilterKernels& kernels;
  std::size_t threads = 1;
  const Poll& poll;
};

// Both ends inclusive.
template <class T>
struct Interval {
  T low, high;
};

// Rows whose value is within one of the intervals. A NaN is within none.
void add_ranges(std::span<const std::int64_t> values,
                std::span<const Interval<std::int64_t>> ranges, const FilterRun& run,
                std::uint64_t* words);
void add_ranges(std::span<const double> values, std::span<const Interval<double>> ranges,
                const FilterRun& run, std::uint64_t* words);
void add_ranges(std::span<const std::int32_t> values,
                std::span<const Interval<std::int32_t>> ranges, const FilterRun& run,
                std::uint64_t* words);
void add_ranges(std::span<const std::int8_t> values, std::span<const Interval<std::int8_t>> ranges,
                const FilterRun& run, std::uint64_t* words);

// Rows whose value is one of those wanted; -0.0 is 0.0, and no NaN is wanted.
void add_members(std::span<const std::int64_t> values, std::span<const std::int64_t> wanted,
                 const FilterRun& run, std::uint64_t* words);
void add_members(std::span<const double> values, std::span<const double> wanted,
                 const FilterRun& run, std::uint64_t* words);

// Rows whose code has a 1 in the table; codes without an entry do not pass.
void add_lookup(std::span<const std::int32_t> codes, std::span<const std::uint8_t> table,
                const FilterRun& run, std::uint64_t* words);

// Rows of a compressed sparse matrix, row i having the codes from offsets[i] to offsets[i + 1], of
// which at least `least` have a 1 in the table. Offsets that point outside give no codes.
struct TagRows {
  std::span<const std::int64_t> offsets;  // rows + 1
  std::span<const std::int32_t> codes;
};
void add_tagged(const TagRows& tags, std::span<const std::uint8_t> table, std::size_t least,
                const FilterRun& run, std::uint64_t* words);

// into = into and other, into or other, not into; the last keeps the bits past `rows` zero.
void bitmap_and(std::span<std::uint64_t> into, const std::uint64_t* other);
void bitmap_or(std::span<std::uint64_t> into, const std::uint64_t* other);
void bitmap_not(std::span<std::uint64_t> into, std::size_t rows);
std::size_t bitmap_count(std::span<const std::uint64_t> words);

}  // namespace bitsense
