// Real vectors that belong to the caller, as NumPy lays them.
#pragma once

#include <cstddef>

namespace bitsense {

// A row-major rows x dim matrix without padding.
struct VectorsView {
  const float* data;
  std::size_t rows;
  std::size_t dim;
  const float* row(std::size_t i) const noexcept { return data + i * dim; }
};

}  // namespace bitsense
