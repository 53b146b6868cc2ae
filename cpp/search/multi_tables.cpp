// The tables of search/multi_index.hpp: how codes are cut, and the sort of rows into buckets.
#include <algorithm>
#include <bit>
#include <cmath>

#include "search/multi_index.hpp"
#include "search/substrings.hpp"

namespace bitsense {

std::size_t default_substrings(std::size_t bits, std::size_t rows) {
  const std::size_t length = std::max<std::size_t>(std::bit_width(rows), 8);
  const std::size_t least = (bits + kMaxSubstringBits - 1) / kMaxSubstringBits;
  const std::size_t best = (bits + length / 2) / length;
  return std::clamp(best, std::max<std::size_t>(least, 1), bits);
}

std::size_t bucket_bits_for(std::size_t bits, std::size_t substrings, std::size_t items) {
  const std::size_t longest = (bits + substrings - 1) / substrings;
  const std::size_t useful = items < 2 ? 0 : std::bit_width(items) - 1;
  return std::min({longest, useful, std::size_t{30}});
}

void build_multi_tables(const CodesView& codes, std::size_t substrings, std::size_t bucket_bits,
                        std::size_t threads, const Poll& poll, std::uint32_t* offsets,
                        std::uint32_t* rows) {
  require(codes.rows < UINT32_MAX, "`codes` must have fewer than ", UINT32_MAX, " rows, got ",
          codes.rows);
  const auto parts = cut_substrings(codes.bits, substrings);
  const std::size_t buckets = std::size_t{1} << bucket_bits;
  parallel_for(
      threads, substrings,
      [&](std::size_t j, std::size_t /*thread*/) {
        std::uint32_t* offset = offsets + j * (buckets + 1);
        std::uint32_t* row = rows + j * codes.rows;
        std::vector<std::uint32_t> bucket(codes.rows);
        std::fill_n(offset, buckets + 1, 0U);
        for (std::size_t i = 0; i < codes.rows; ++i) {
          const std::uint64_t value = read_substring(codes.row(i), parts[j]);
          bucket[i] = static_cast<std::uint32_t>(bucket_of(value, parts[j].length, bucket_bits));
          ++offset[bucket[i] + 1];
        }
        for (std::size_t b = 0; b < buckets; ++b) offset[b + 1] += offset[b];
        // Filled from behind, so that afterwards each offset is where its bucket begins.
        for (std::size_t i = codes.rows; i-- > 0;) {
          row[--offset[bucket[i] + 1]] = static_cast<std::uint32_t>(i);
        }
        std::copy(offset + 1, offset + buckets + 1, offset);
        offset[buckets] = static_cast<std::uint32_t>(codes.rows);
      },
      poll);
}

void check_multi_tables(const MultiTables& tables) {
  for (std::size_t j = 0; j < tables.substrings; ++j) {
    const std::uint32_t* offsets = tables.offsets + j * (tables.buckets() + 1);
    const bool ends = offsets[0] == 0 && offsets[tables.buckets()] == tables.items;
    require(ends && std::is_sorted(offsets, offsets + tables.buckets() + 1), "`offsets` of table ",
            j, " must ascend from 0 to ", tables.items);
    const std::uint32_t* rows = tables.rows + j * tables.items;
    require(std::all_of(rows, rows + tables.items, [&](auto row) { return row < tables.items; }),
            "`rows` of table ", j, " must be below ", tables.items);
  }
}

}  // namespace bitsense
