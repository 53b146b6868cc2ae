// The nearest pairs of a walk, in order, and which of them it has been to.
//
// A pair is one number: 32 bits of the distance's key, 31 of the row, and one that is set once the
// walk has been there, so the order of the numbers is that of (distance, row). The pairs lie
// in one sorted array, as in DiskANN; it is short, and moving its end is cheaper than a heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace bitsense {

using Pair = std::uint64_t;

constexpr Pair make_pair_of(std::uint32_t key, std::uint32_t row) {
  return static_cast<Pair>(key) << 32 | static_cast<Pair>(row) << 1;
}
constexpr std::uint32_t key_of_pair(Pair x) { return static_cast<std::uint32_t>(x >> 32); }
constexpr std::uint32_t row_of_pair(Pair x) { return static_cast<std::uint32_t>(x) >> 1; }

class PairQueue {
 public:
  // Keeps the `capacity` >= 1 nearest of what is pushed from now on.
  void reset(std::size_t capacity) {
    if (pairs_.size() < capacity) pairs_.resize(capacity);
    capacity_ = capacity;
    size_ = next_ = 0;
    bound_ = ~Pair{0};
  }

  std::size_t size() const noexcept { return size_; }
  Pair operator[](std::size_t i) const noexcept { return pairs_[i]; }
  const Pair* begin() const noexcept { return pairs_.data(); }
  const Pair* end() const noexcept { return pairs_.data() + size_; }

  // Only pairs below this are kept.
  Pair bound() const noexcept { return bound_; }

  void push(Pair pair) {
    if (pair >= bound_) return;
    Pair* first = pairs_.data();
    Pair* place = std::lower_bound(first, first + size_, pair);
    if (size_ < capacity_) ++size_;
    std::memmove(place + 1, place,
                 static_cast<std::size_t>(first + size_ - 1 - place) * sizeof(Pair));
    *place = pair;
    if (size_ == capacity_) bound_ = first[size_ - 1];
    next_ = std::min(next_, static_cast<std::size_t>(place - first));
  }

  // The nearest pair where the walk has not been, which is then marked; kNone if there is none.
  static constexpr Pair kNone = ~Pair{0};
  Pair take_next() {
    while (next_ < size_ && (pairs_[next_] & 1) != 0) ++next_;
    if (next_ == size_) return kNone;
    return pairs_[next_++] |= 1;
  }

 private:
  std::vector<Pair> pairs_;
  std::size_t capacity_ = 0, size_ = 0, next_ = 0;
  Pair bound_ = 0;
};

}  // namespace bitsense
