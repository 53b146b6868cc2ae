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
  bool halved = false;  // whether both threads have half of the columns each (word_step.hpp)
  std::size_t begin(std::size_t items) const { return items * index / count; }
  std::size_t end(std::size_t items) const { return items * (index + 1) / count; }
  // Its columns of rows of `n`, in whole quanta.
  Slice columns(std::size_t n) const {
    return {begin(n / kRowQuantum) * kRowQuantum, end(n / kRowQuantum) * kRowQuantum};
  }

  bool shares_rows() const { return count > 1 && !halved; }
  std::size_t half() const { return halved ? index : 0; }
  Slice summed_columns(std::size_t n) const { return halved ? Halves{n}[index] : Slice{0, n}; }
  Slice moved_columns(std::size_t n) const { return halved ? Halves{n}[index] : columns(n); }
  // Its share of what is summed in these columns.
  Share summed_part() const { return halved ? Share{} : *this; }
};

}  // namespace bitsense
