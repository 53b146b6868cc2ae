// The k nearest of a stream of (distance, id) pairs whose ids ascend; ties go to the smaller id.
//
// Distances are small whole numbers, so a histogram of those kept gives the distance of the k-th
// nearest so far after each push, and only what is nearer than that has still to be looked at: an
// equal distance with a larger id loses. Pairs are appended to a buffer, which is cut to the k
// nearest whenever it is full; there is no heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

// A pair as one number whose order is (distance, id). An id is below 2^48.
using Neighbor = std::uint64_t;

constexpr Neighbor make_neighbor(std::uint32_t distance, std::size_t id) {
  return static_cast<Neighbor>(distance) << 48 | id;
}
constexpr std::uint32_t neighbor_distance(Neighbor x) { return static_cast<std::uint32_t>(x >> 48); }
constexpr std::size_t neighbor_id(Neighbor x) { return x & ((Neighbor{1} << 48) - 1); }

class TopK {
 public:
  // k >= 1; distances are 0..bits.
  TopK(std::size_t k, std::size_t bits)
      : k_(k), limit_(static_cast<std::uint32_t>(bits) + 1), counts_(bits + 2) {}

  // Only distances below this can still enter; 0 when nothing can.
  std::uint32_t limit() const noexcept { return limit_; }

  // Takes a pair with distance < limit(), whose id is larger than those of all pairs before.
  void push(std::uint32_t distance, std::size_t id) {
    if (kept_.size() >= 2 * k_ + 64) cut();
    kept_.push_back(make_neighbor(distance, id));
    ++counts_[distance];
    ++nearer_;
    while (nearer_ >= k_) nearer_ -= counts_[--limit_];
  }

  // The nearest pairs, at most k, in order. The object is used up.
  std::vector<Neighbor> take() {
    std::sort(kept_.begin(), kept_.end());
    if (kept_.size() > k_) kept_.resize(k_);
    return std::move(kept_);
  }

 private:
  // Leaves the k nearest, in any order.
  void cut() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(k_), kept_.end());
    kept_.resize(k_);
  }

  std::size_t k_;
  std::uint32_t limit_;
  std::size_t nearer_ = 0;  // pairs pushed with distance < limit_
  std::vector<std::uint32_t> counts_;
  std::vector<Neighbor> kept_;
};

}  // namespace bitsense
