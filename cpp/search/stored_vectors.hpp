// Real vectors as an index keeps them, and the exact distance of a query to one of them.
//
// A row is `stride` numbers, a multiple of 16, of which those past `dim` are zero: floats, IEEE
// half-precision numbers, or signed bytes times the scale of the row. Distances are smaller for
// what is nearer:
//
//   cosine   1 - <q, x> / (|q| |x|), 1 where a length is 0
//   ip       -<q, x>
//   l2       |q - x|^2
//
// They are summed in double, in an order that the source fixes, and rounded to float: the distance
// of a pair depends on the pair alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/vectors.hpp"
#include "kernels/score_kernels.hpp"

namespace bitsense {

enum class RealMetric { kCosine, kInner, kSquared };
enum class Storage { kFloat, kHalf, kByte };

struct StoredVectors {
  const void* data;
  Storage storage;
  std::size_t rows, dim, stride;
  const float* scales;   // of the rows, for bytes only
  const float* squares;  // the squared lengths of the rows

  // Row i as floats, of unit scale: the row itself or `scratch`, of `stride` floats.
  const float* floats(std::size_t i, const ScoreKernels& kernels, float* scratch) const {
    switch (storage) {
      case Storage::kFloat:
        return static_cast<const float*>(data) + i * stride;
      case Storage::kHalf:
        kernels.widen_halves(static_cast<const std::uint16_t*>(data) + i * stride, scratch, stride);
        return scratch;
      default:
        kernels.widen_bytes(static_cast<const std::int8_t*>(data) + i * stride, scratch, stride);
        return scratch;
    }
  }
  float scale(std::size_t i) const { return storage == Storage::kByte ? scales[i] : 1.0F; }
  std::size_t row_bytes() const {
    constexpr std::size_t kBytes[] = {4, 2, 1};
    return stride * kBytes[static_cast<std::size_t>(storage)];
  }
  const char* address(std::size_t i) const {
    return static_cast<const char*>(data) + i * row_bytes();
  }
};

// Eight sums, because one would wait for itself.
inline double exact_dot(const float* a, const float* b, std::size_t n) {
  double sum[8] = {};
  std::size_t x = 0;
  for (; x + 8 <= n; x += 8) {
    for (std::size_t i = 0; i < 8; ++i) sum[i] += static_cast<double>(a[x + i]) * b[x + i];
  }
  for (std::size_t i = 0; x + i < n; ++i) sum[i] += static_cast<double>(a[x + i]) * b[x + i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// Rows as they are compared: of length one under the cosine, else as they are.
class ComparedRows {
 public:
  ComparedRows(const StoredVectors& rows, RealMetric metric, const ScoreKernels& kernels)
      : rows_(rows), metric_(metric), kernels_(kernels), scratch_(rows.stride), row_(rows.dim) {}

  // dim numbers, until the next call.
  const float* operator()(std::size_t i) {
    const float* row = rows_.floats(i, kernels_, scratch_.data());
    float factor = rows_.scale(i);
    if (metric_ == RealMetric::kCosine) {
      const float square = rows_.squares[i];
      factor *= square > 0.0F ? 1.0F / std::sqrt(square) : 0.0F;
    }
    for (std::size_t x = 0; x < rows_.dim; ++x) row_[x] = row[x] * factor;
    return row_.data();
  }

 private:
  const StoredVectors& rows_;
  RealMetric metric_;
  const ScoreKernels& kernels_;
  std::vector<float> scratch_, row_;
};

// Distances of one query; it is kept padded to the stride of the rows.
class ExactDistance {
 public:
  ExactDistance(const StoredVectors& rows, RealMetric metric, const ScoreKernels& kernels)
      : rows_(rows), metric_(metric), kernels_(kernels), query_(rows.stride), row_(rows.stride) {}

  void start(const float* query) {
    for (std::size_t x = 0; x < rows_.dim; ++x) query_[x] = query[x];
    length_ = std::sqrt(exact_dot(query_.data(), query_.data(), rows_.stride));
  }
  const float* query() const { return query_.data(); }
  double length() const { return length_; }

  float operator()(std::size_t i) {
    const float* row = rows_.floats(i, kernels_, row_.data());
    const double scale = rows_.scale(i);
    if (metric_ == RealMetric::kSquared) {
      return static_cast<float>(kernels_.exact_squared(query_.data(), row, scale, rows_.stride));
    }
    const ExactDots sums = kernels_.exact_dots(query_.data(), row, rows_.stride);
    const double dot = scale * sums.product;
    if (metric_ == RealMetric::kInner) return static_cast<float>(0.0 - dot);
    const double lengths = length_ * scale * std::sqrt(sums.square);
    return lengths > 0.0 ? static_cast<float>(std::max(0.0, 1.0 - dot / lengths)) : 1.0F;
  }

 private:
  const StoredVectors& rows_;
  RealMetric metric_;
  const ScoreKernels& kernels_;
  std::vector<float> query_, row_;
  double length_ = 0.0;
};

}  // namespace bitsense
