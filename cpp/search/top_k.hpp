// The k nearest of a stream of (distance, id) pairs; ties go to the smaller id.
//
// Few are kept in order, each new one put in its place. Of more, pairs are appended to a buffer,
// which is cut to the k nearest whenever it is full. Distances are small whole numbers, so a
// histogram of those kept gives the distance of the k-th nearest so far after each push; there is
// no heap. Only what is nearer than the k-th has still to be looked at. An equal distance loses
// where ids ascend; where they come in any order it is looked at too.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

// A pair as one number whose order is (distance, id). An id is below 2^48.
using Neighbor = std::uint64_t;

constexpr Neighbor make_neighbor(std::uint32_t distance, std::size_t id) {
  return static_cast<Neighbor>(distance) << 48 | id;
}
constexpr std::uint32_t neighbor_distance(Neighbor x) {
  return static_cast<std::uint32_t>(x >> 48);
}
constexpr std::size_t neighbor_id(Neighbor x) { return x & ((Neighbor{1} << 48) - 1); }

// Writes the first k of them, or all if there are fewer, as ids and distances.
inline void write_neighbors(const std::vector<Neighbor>& neighbors, std::size_t k,
                            std::int64_t* ids, std::int32_t* distances) {
  for (std::size_t i = 0; i < std::min(k, neighbors.size()); ++i) {
    ids[i] = static_cast<std::int64_t>(neighbor_id(neighbors[i]));
    distances[i] = static_cast<std::int32_t>(neighbor_distance(neighbors[i]));
  }
}

class TopK {
 public:
  // k >= 1; distances are 0..bits. `ascending`: each id will be larger than those before.
  TopK(std::size_t k, std::size_t bits, bool ascending = true)
      : k_(k),
        all_(static_cast<std::uint32_t>(bits) + 1),
        nearest_out_(all_),
        ties_(ascending ? 0 : 1),
        counts_(k <= kFew ? 0 : bits + 2) {}

  // Only distances below this can still enter; 0 when nothing can. At most bits + 1.
  std::uint32_t limit() const noexcept { return std::min(nearest_out_ + ties_, all_); }

  // Takes a pair with distance < limit().
  void push(std::uint32_t distance, std::size_t id) {
    const Neighbor pair = make_neighbor(distance, id);
    if (k_ <= kFew) return insert(pair);
    if (kept_.size() >= 2 * k_ + 64) cut();
    kept_.push_back(pair);
    ++counts_[distance];
    if (distance < nearest_out_) ++nearer_;
    while (nearer_ >= k_) nearer_ -= counts_[--nearest_out_];
  }

  // The nearest pairs, at most k, in order. The object is used up.
  std::vector<Neighbor> take() {
    if (k_ <= kFew) return {few_.begin(), few_.begin() + static_cast<std::ptrdiff_t>(in_order_)};
    std::sort(kept_.begin(), kept_.end());
    if (kept_.size() > k_) kept_.resize(k_);
    return std::move(kept_);
  }

 private:
  static constexpr std::size_t kFew = 24;

  void insert(Neighbor pair) {
    std::size_t place = in_order_;
    if (in_order_ < k_) {
      ++in_order_;
    } else if (pair >= few_[--place]) {
      return;
    }
    for (; place > 0 && few_[place - 1] > pair; --place) few_[place] = few_[place - 1];
    few_[place] = pair;
    if (in_order_ == k_) nearest_out_ = neighbor_distance(few_[k_ - 1]);
  }

  // Leaves the k nearest, in any order.
  void cut() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(k_), kept_.end());
    kept_.resize(k_);
  }

  std::size_t k_;
  std::uint32_t all_;
  std::uint32_t nearest_out_;  // with ids that ascend, this distance and more stay out
  std::uint32_t ties_;
  std::size_t in_order_ = 0;  // how many of `few_` there are
  std::array<Neighbor, kFew> few_{};
  std::size_t nearer_ = 0;  // pairs pushed with distance < nearest_out_
  std::vector<std::uint32_t> counts_;
  std::vector<Neighbor> kept_;
};

}  // namespace bitsense
