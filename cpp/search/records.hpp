// Byte records of real vectors: a row x of `dim` floats becomes `stride` bytes,
//
//   round(x_j / scale), -127 to 127, j < dim | zeros | scale: float32 | |x|^2: float32
//
// with scale = max |x_j| / 127, so that the dot product of two rows is about the product of their
// scales and the exact dot product of their bytes. The two floats are in the byte order of the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/parallel.hpp"
#include "core/vectors.hpp"
#include "kernels/graph_kernels.hpp"

namespace bitsense {

constexpr std::size_t kMaxRecordDim = 65000;

constexpr std::size_t record_stride(std::size_t dim) {
  return (dim + 8 + kByteQuantum - 1) / kByteQuantum * kByteQuantum;
}

// A view of `rows` records; row i starts at data + i * stride. stride is at least 32.
struct RecordsView {
  const std::int8_t* data;
  std::size_t rows;
  std::size_t stride;
  const std::int8_t* row(std::size_t i) const noexcept { return data + i * stride; }
  float scale(std::size_t i) const noexcept { return end_of(i, 8); }
  float norm(std::size_t i) const noexcept { return end_of(i, 4); }  // squared

 private:
  float end_of(std::size_t i, std::size_t from_end) const noexcept {
    float value;
    std::memcpy(&value, row(i) + stride - from_end, sizeof value);
    return value;
  }
};

// What a record search calls near.
enum class Metric {
  kInnerProduct,  // distance -<q, x>
  kEuclidean,     // distance |x|^2 - 2 <q, x>
};

// Writes the records of the vectors, rows x record_stride(dim). Throws std::invalid_argument if a
// value is not finite.
void quantise_rows(const VectorsView& vectors, std::size_t threads, const Poll& poll,
                   std::int8_t* records);

}  // namespace bitsense
