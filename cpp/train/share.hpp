// How work is shared among the threads of one training.
#pragma once

#include <cstddef>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

// A share of the work: part `index` of `count`.
struct Share {
  std::size_t index = 0;
  std::size_t count = 1;
  std::size_t begin(std::size_t items) const { return items * index / count; }
  std::size_t end(std::size_t items) const { return items * (index + 1) / count; }
  // Its columns of rows of `n`, in whole quanta.
  Slice columns(std::size_t n) const {
    return {begin(n / kRowQuantum) * kRowQuantum, end(n / kRowQuantum) * kRowQuantum};
  }

  // Where a model sums: the half of the columns that it is at work on, and its part of that half's
  // work. Of two threads each moves the columns that it sums.
  std::size_t half() const { return count == 1 ? 0 : 2 * index / count; }
  Share within_half() const {
    const std::size_t first = (half() * count + 1) / 2;
    return {index - first, ((half() + 1) * count + 1) / 2 - first};
  }
  Slice half_of_columns(std::size_t n) const {
    return count == 1 ? Slice{0, n} : Halves{n}[half()];
  }
  Slice columns_within_half(std::size_t n) const {
    const Slice all = half_of_columns(n);
    const Slice some = within_half().columns(all.size());
    return {all.begin + some.begin, all.begin + some.end};
  }
  bool shares_half() const { return count > 2; }
};

}  // namespace bitsense
