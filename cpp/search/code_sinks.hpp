// What scans of codes hand their pairs to: the nearest of each query, or all within a distance. A
// row is named by its number or, where there are ranks, by its rank.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "search/hamming.hpp"
#include "search/top_k.hpp"

namespace bitsense {

class NearestSink {
 public:
  // `ascending`: for each query, rows come in the order of their names.
  NearestSink(std::size_t queries, std::size_t k, std::size_t bits, const std::uint32_t* ranks,
              bool ascending)
      : nearest_(queries, {k, bits, ascending}), most_(k), ranks_(ranks) {}

  // How many pairs of a query are wanted.
  std::size_t most() const { return most_; }
  std::uint32_t limit(std::size_t q) const { return nearest_[q].limit(); }
  void push(std::size_t q, std::uint32_t distance, std::size_t row) {
    nearest_[q].push(distance, ranks_ ? ranks_[row] : row);
  }
  std::vector<Neighbor> take(std::size_t q) { return nearest_[q].take(); }

 private:
  std::vector<TopK> nearest_;
  std::size_t most_;
  const std::uint32_t* ranks_;
};

class RangeSink {
 public:
  RangeSink(std::size_t queries, std::size_t radius, std::size_t bits, const std::uint32_t* ranks)
      : limit_(static_cast<std::uint32_t>(std::min(radius, bits)) + 1),
        found_(queries),
        ranks_(ranks) {}
  std::size_t most() const { return SIZE_MAX; }
  std::uint32_t limit(std::size_t /*q*/) const { return limit_; }
  void push(std::size_t q, std::uint32_t distance, std::size_t row) {
    found_[q].push_back(make_neighbor(distance, ranks_ ? ranks_[row] : row));
  }
  std::vector<Neighbor> take(std::size_t q) {
    std::sort(found_[q].begin(), found_[q].end());
    return std::move(found_[q]);
  }

 private:
  std::uint32_t limit_;
  Lists found_;
  const std::uint32_t* ranks_;
};

// One ordered list out of the ordered lists of some segments, which `lists` has from `first` on.
std::vector<Neighbor> merge_segments(Lists& lists, std::size_t first, std::size_t segments);

}  // namespace bitsense
