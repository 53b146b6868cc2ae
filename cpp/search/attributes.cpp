#include "search/attributes.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/errors.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockRows = std::size_t{1} << 15;  // 256 KiB of eight bytes: a cache's worth
constexpr std::size_t kFewValues = 4;  // up to here, tests one by one are faster than a table

// body(first, rows, words of the block) for blocks of whole words.
template <class Body>
void each_block(std::size_t rows, const FilterRun& run, std::uint64_t* words, Body&& body) {
  parallel_for(
      run.threads, (rows + kBlockRows - 1) / kBlockRows,
      [&](std::size_t block, std::size_t /*thread*/) {
        const std::size_t first = block * kBlockRows;
        body(first, std::min(kBlockRows, rows - first), words + first / 64);
      },
      run.poll);
}

template <class T, class Kernel>
void ranges_of(std::span<const T> values, std::span<const Interval<T>> ranges, Kernel kernel,
               const FilterRun& run, std::uint64_t* words) {
  each_block(values.size(), run, words, [&](std::size_t first, std::size_t rows, auto* out) {
    for (const Interval<T>& range : ranges) {
      kernel(values.data() + first, rows, range.low, range.high, out);
    }
  });
}

// Whether a number is among some: a table with open addressing, at most a quarter full. Its empty
// places hold the first number of all, so that a search ends there with the right answer.
class Members {
 public:
  // `keys` is not empty.
  explicit Members(const std::vector<std::uint64_t>& keys)
      : shift_(62 - static_cast<int>(std::bit_width(keys.size()))),
        empty_(keys.front()),
        slots_(std::size_t{1} << (64 - shift_), empty_) {
    for (const std::uint64_t key : keys) slots_[find(key)] = key;
  }

  bool contain(std::uint64_t key) const { return slots_[find(key)] == key; }

 private:
  // Where the key is, or where it would be put.
  std::size_t find(std::uint64_t key) const {
    std::size_t slot = static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ULL) >> shift_);
    while (slots_[slot] != key && slots_[slot] != empty_) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  int shift_;
  std::uint64_t empty_;
  std::vector<std::uint64_t> slots_;
};

std::uint64_t key_of(std::int64_t x) { return static_cast<std::uint64_t>(x); }
std::uint64_t key_of(double x) { return std::bit_cast<std::uint64_t>(x + 0.0); }  // no -0.0

// The word of up to 64 rows; test(i) tells whether row i passes.
template <class Test>
std::uint64_t word_of(std::size_t rows, Test&& test) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < rows; ++i) word |= static_cast<std::uint64_t>(test(i)) << i;
  return word;
}

template <class T>
void members_of(std::span<const T> values, std::span<const T> wanted, const FilterRun& run,
                std::uint64_t* words) {
  if (wanted.size() <= kFewValues) {
    std::vector<Interval<T>> points;
    for (const T x : wanted) points.push_back({x, x});
    add_ranges(values, std::span<const Interval<T>>(points), run, words);
    return;
  }
  std::vector<std::uint64_t> keys;
  for (const T x : wanted) keys.push_back(key_of(x));
  const Members members(keys);
  each_block(values.size(), run, words, [&](std::size_t first, std::size_t rows, auto* out) {
    for (std::size_t i = 0; i < rows; i += 64) {
      const T* x = values.data() + first + i;
      out[i / 64] |= word_of(std::min<std::size_t>(64, rows - i),
                             [&](std::size_t j) { return members.contain(key_of(x[j])); });
    }
  });
}

}  // namespace

void add_ranges(std::span<const std::int64_t> values,
                std::span<const Interval<std::int64_t>> ranges, const FilterRun& run,
                std::uint64_t* words) {
  ranges_of(values, ranges, run.kernels.range_int64, run, words);
}

void add_ranges(std::span<const double> values, std::span<const Interval<double>> ranges,
                const FilterRun& run, std::uint64_t* words) {
  ranges_of(values, ranges, run.kernels.range_float64, run, words);
}

void add_ranges(std::span<const std::int32_t> values,
                std::span<const Interval<std::int32_t>> ranges, const FilterRun& run,
                std::uint64_t* words) {
  ranges_of(values, ranges, run.kernels.range_int32, run, words);
}

void add_ranges(std::span<const std::int8_t> values, std::span<const Interval<std::int8_t>> ranges,
                const FilterRun& run, std::uint64_t* words) {
  ranges_of(values, ranges, run.kernels.range_int8, run, words);
}

void add_members(std::span<const std::int64_t> values, std::span<const std::int64_t> wanted,
                 const FilterRun& run, std::uint64_t* words) {
  members_of(values, wanted, run, words);
}

void add_members(std::span<const double> values, std::span<const double> wanted,
                 const FilterRun& run, std::uint64_t* words) {
  members_of(values, wanted, run, words);
}

void add_lookup(std::span<const std::int32_t> codes, std::span<const std::uint8_t> table,
                const FilterRun& run, std::uint64_t* words) {
  const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(table.size(), 1U << 31));
  each_block(codes.size(), run, words, [&](std::size_t first, std::size_t rows, auto* out) {
    run.kernels.lookup(codes.data() + first, rows, table.data(), size, out);
  });
}

void add_tagged(const TagRows& tags, std::span<const std::uint8_t> table, std::size_t least,
                const FilterRun& run, std::uint64_t* words) {
  const auto count = [&](std::size_t row) {
    const auto end = std::min<std::size_t>(tags.codes.size(), tags.offsets[row + 1]);
    std::size_t found = 0;
    for (std::size_t i = tags.offsets[row]; i < end; ++i) {
      const auto code = static_cast<std::uint32_t>(tags.codes[i]);
      if (code < table.size()) found += table[code];
    }
    return found;
  };
  each_block(
      tags.offsets.size() - 1, run, words, [&](std::size_t first, std::size_t rows, auto* out) {
        for (std::size_t i = 0; i < rows; i += 64) {
          out[i / 64] |= word_of(std::min<std::size_t>(64, rows - i),
                                 [&](std::size_t j) { return count(first + i + j) >= least; });
        }
      });
}

void bitmap_and(std::span<std::uint64_t> into, const std::uint64_t* other) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] &= other[i];
}

void bitmap_or(std::span<std::uint64_t> into, const std::uint64_t* other) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] |= other[i];
}

void bitmap_not(std::span<std::uint64_t> into, std::size_t rows) {
  for (std::uint64_t& word : into) word = ~word;
  if (rows % 64 != 0) into[rows / 64] &= (std::uint64_t{1} << (rows % 64)) - 1;
}

std::size_t bitmap_count(std::span<const std::uint64_t> words) {
  std::size_t count = 0;
  for (const std::uint64_t word : words) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

}  // namespace bitsense
