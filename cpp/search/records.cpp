#include "search/records.hpp"

#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "search/byte_steps.hpp"
#include "search/stored_vectors.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockRows = 256;

void quantise(const float* x, std::size_t dim, std::size_t stride, std::int8_t* record) {
  float largest = 0.0F;
  for (std::size_t j = 0; j < dim; ++j) {
    require(std::isfinite(x[j]), "`vectors` must be finite, got ", x[j]);
    largest = std::max(largest, std::fabs(x[j]));
  }
  const double norm = exact_dot(x, x, dim);
  const float scale = largest / 127.0F;
  const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
  std::fill(record, record + stride, std::int8_t{0});
  for (std::size_t j = 0; j < dim; ++j) {
    const float value = std::isfinite(inverse) ? x[j] * inverse : x[j] / scale;
    record[j] = static_cast<std::int8_t>(rounded_to_even(std::clamp(value, -127.0F, 127.0F)));
  }
  const auto squared = static_cast<float>(std::min(norm, 3.4e38));
  std::memcpy(record + stride - 8, &scale, sizeof scale);
  std::memcpy(record + stride - 4, &squared, sizeof squared);
}

}  // namespace

void quantise_rows(const VectorsView& vectors, std::size_t threads, const Poll& poll,
                   std::int8_t* records) {
  require(vectors.dim >= 1 && vectors.dim <= kMaxRecordDim, "`vectors` must have 1 to ",
          kMaxRecordDim, " columns, got ", vectors.dim);
  const std::size_t stride = record_stride(vectors.dim);
  parallel_for(
      threads, (vectors.rows + kBlockRows - 1) / kBlockRows,
      [&](std::size_t block, std::size_t /*thread*/) {
        const std::size_t first = block * kBlockRows;
        const std::size_t last = std::min(first + kBlockRows, vectors.rows);
        for (std::size_t i = first; i < last; ++i) {
          quantise(vectors.row(i), vectors.dim, stride, records + i * stride);
        }
      },
      poll);
}

}  // namespace bitsense
