// The nearest pairs of a walk, in order, and which of them it has been to.
//
// A pair is one number: 32 bits of the distance's key, 31 of the row, and one that is set once the
// walk has been there, so the order of the numbers is that of (distance, row). The pairs lie
// in one sorted array, as in DiskANN; it is short, and moving its end is cheaper than a heap. What
// one visit brings is sorted and merged at once: each pair moves once, as a single word.
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
    reserve(capacity);
    capacity_ = capacity;
    size_ = next_ = 0;
    bound_ = ~Pair{0};
  }

  std::size_t size() const noexcept { return size_; }
  Pair operator[](std::size_t i) const noexcept { return data()[i]; }
  const Pair* begin() const noexcept { return data(); }
  const Pair* end() const noexcept { return data() + size_; }

  // Only pairs below this are kept.
  Pair bound() const noexcept { return bound_; }

  void push(Pair pair) {
    if (pair >= bound_) return;
    Pair* first = data();
    Pair* place = std::lower_bound(first, first + size_, pair);
    if (size_ < capacity_) ++size_;
    std::memmove(place + 1, place,
                 static_cast<std::size_t>(first + size_ - 1 - place) * sizeof(Pair));
    *place = pair;
    if (size_ == capacity_) bound_ = first[size_ - 1];
    next_ = std::min(next_, static_cast<std::size_t>(place - first));
  }

  // Pushes `count` pairs; their array is used up.
  void push_all(Pair* pairs, std::size_t count) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Pair pair = pairs[i];
      pairs[kept] = pair;
      kept += pair < bound_ ? 1 : 0;
    }
    if (kept == 0) return;
    sort(pairs, kept);
    reserve(size_ + kept);
    merge(pairs, kept);
  }

  // The nearest pair where the walk has not been, which is then marked; kNone if there is none.
  static constexpr Pair kNone = ~Pair{0};
  Pair take_next() {
    Pair* first = data();
    while (next_ < size_ && (first[next_] & 1) != 0) ++next_;
    if (next_ == size_) return kNone;
    return first[next_++] |= 1;
  }

 private:
  // One pair that is below all others lies before the first.
  Pair* data() noexcept { return memory_.data() + 1; }
  const Pair* data() const noexcept { return memory_.data() + 1; }
  void reserve(std::size_t pairs) {
    if (memory_.size() < pairs + 1) memory_.resize(pairs + 1);
  }

  static void sort(Pair* pairs, std::size_t count) {
    if (count > 24) return std::sort(pairs, pairs + count);
    for (std::size_t i = 1; i < count; ++i) {
      const Pair pair = pairs[i];
      std::size_t j = i;
      for (; j > 0 && pairs[j - 1] > pair; --j) pairs[j] = pairs[j - 1];
      pairs[j] = pair;
    }
  }

  // Merges from the end, without branches; what is beyond the capacity is written and forgotten.
  void merge(const Pair* pairs, std::size_t count) {
    Pair* first = data();
    const Pair* old = first + size_ - 1;  // at the end the one before all
    const Pair* added = pairs + count - 1;
    Pair* out = first + size_ + count - 1;
    while (added >= pairs) {
      const Pair a = *old, b = *added;
      const bool is_old = a > b;
      *out-- = is_old ? a : b;
      old -= is_old ? 1 : 0;
      added -= is_old ? 0 : 1;
    }
    next_ = std::min(next_, static_cast<std::size_t>(out + 1 - first));
    size_ = std::min(size_ + count, capacity_);
    if (size_ == capacity_) bound_ = first[size_ - 1];
  }

  std::vector<Pair> memory_;
  std::size_t capacity_ = 0, size_ = 0, next_ = 0;
  Pair bound_ = 0;
};

}  // namespace bitsense
