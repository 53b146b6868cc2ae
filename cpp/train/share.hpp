// How work is shared among the threads of one training.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

// A share of the work: part `index` of `count`.
struct Share {
  std::size_t index = 0;
  std::size_t count = 1;
  bool halved = false;  // whether both threads have half of the columns each (word_step.hpp)
  std::size_t begin(std::size_t items) const { return items * index / count; }
  std::size_t end(std::size_t items) const { return items * (index + 1) / count; }
  // Its columns of rows of `n`, in whole quanta but for the last.
  Slice columns(std::size_t n) const {
    const std::size_t quanta = padded(n) / kRowQuantum;
    return {begin(quanta) * kRowQuantum, std::min(end(quanta) * kRowQuantum, n)};
  }

  bool shares_rows() const { return count > 1 && !halved; }
  std::size_t half() const { return halved ? index : 0; }
  // Of rows of `n`, or of its half of them, with so many zeros behind it that they are whole steps.
  Slice summed_columns(std::size_t n) const { return halved ? half_columns(n) : Slice{0, n}; }
  Slice moved_columns(std::size_t n) const { return halved ? half_columns(n) : columns(n); }
  // Its share of what is summed in these columns.
  Share summed_part() const { return halved ? Share{} : *this; }

 private:
  static Slice half_columns(std::size_t n) { return {0, rounded_up(n / 2, kColumnStep)}; }
};

}  // namespace bitsense
