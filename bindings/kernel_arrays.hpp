// Checked arrays of the inner loops, which tests call with matrices.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"

// Checked dimensions of a matrix whose rows are whole quanta.
inline std::pair<std::size_t, std::size_t> shape_of(const Array<float>& matrix, const char* name) {
  require_dimensions(matrix, 2, name);
  return {static_cast<std::size_t>(matrix.shape(0)), static_cast<std::size_t>(matrix.shape(1))};
}

inline void require_quanta(std::size_t n, const char* name) {
  bitsense::require(n % bitsense::kRowQuantum == 0, "`", name, "` must have a multiple of ",
                    bitsense::kRowQuantum, " columns, got ", n);
}

template <class Pointer, class T>
std::vector<Pointer> row_pointers(T* first, std::size_t rows, std::size_t columns) {
  std::vector<Pointer> pointers(rows);
  for (std::size_t i = 0; i < rows; ++i) pointers[i] = first + i * columns;
  return pointers;
}

inline void require_size(const Array<float>& array, std::size_t size, const char* name) {
  require_dimensions(array, 1, name);
  bitsense::require(static_cast<std::size_t>(array.size()) == size, "`", name, "` must have ", size,
                    " items, got ", array.size());
}
