// What a scan of real vectors passes over: 64 rows at a time, and the queries it compares them
// with.
//
// Some queries are compared with the rows as they lie. For more, the rows of a panel are first laid
// for a product of matrices: of floats or, which takes less time, of bytes. What bytes leave out of
// a vector is a vector of known length, so a score differs from that of the bytes by no more than
// products of lengths (Cauchy and Schwarz), and most rows need no product of floats.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/matrix.hpp"
#include "core/prefetch.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"
#include "search/byte_steps.hpp"
#include "search/stored_vectors.hpp"

namespace bitsense {

constexpr std::size_t kPanelQueries = 24;  // whose scores of a panel lie in the cache

// Queries padded to the stride of the rows, as floats and, where they are wanted, as bytes.
class PaddedQueries {
 public:
  std::vector<const float*> rows;
  std::vector<double> lengths;
  std::vector<ByteQuery> bytes;
  std::vector<float> left_out;  // the length of what the bytes leave out

  PaddedQueries(const VectorsView& queries, std::size_t stride, bool with_bytes)
      : floats_(queries.rows * stride), bytes_(with_bytes ? queries.rows * stride : 0) {
    for (std::size_t q = 0; q < queries.rows; ++q) {
      float* row = floats_.data() + q * stride;
      std::copy_n(queries.row(q), queries.dim, row);
      rows.push_back(row);
      lengths.push_back(std::sqrt(exact_dot(row, row, stride)));
      if (!with_bytes) continue;
      double left = 0.0;
      bytes.push_back(byte_query(row, stride, bytes_.data() + q * stride, left));
      left_out.push_back(static_cast<float>(1.0001 * left));
    }
  }

 private:
  AlignedFloats floats_;
  std::vector<std::int8_t> bytes_;
};

// 64 rows of the table, or of those that pass a sparse filter, and their scores for some queries.
class Panels {
 public:
  Panels(const StoredVectors& rows, const std::vector<std::uint32_t>* chosen, RealMetric metric,
         const Kernels& kernels)
      : rows_(rows),
        chosen_(chosen),
        metric_(metric),
        floats_(*kernels.floats),
        scores_(*kernels.scores),
        widened_(rows.storage == Storage::kFloat ? 0 : rows.stride * kPanelRows) {}

  static std::size_t count(std::size_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }
  std::size_t items() const { return chosen_ ? chosen_->size() : rows_.rows; }
  std::uint32_t row(std::size_t item) const {
    return chosen_ ? (*chosen_)[item] : static_cast<std::uint32_t>(item);
  }
  std::size_t size(std::size_t panel) const {
    return std::min(kPanelRows, items() - panel * kPanelRows);
  }

  // Points at the rows of a panel and finds what their scores need; absent rows repeat the first.
  void gather(std::size_t panel) {
    for (std::size_t i = 0; i < kPanelRows; ++i) {
      gather_row(row(panel * kPanelRows + (i < size(panel) ? i : 0)), i);
    }
  }
  // The same for one row of the table, in place i.
  void gather_row(std::size_t at, std::size_t i) {
    float* scratch = widened_.size() == 0 ? nullptr : widened_.data() + i * rows_.stride;
    pointers_[i] = rows_.floats(at, scores_, scratch);
    factor_[i] = rows_.scale(at);
    bias_[i] = 0.0F;
    const float square = rows_.squares[at];
    if (metric_ == RealMetric::kCosine)
      factor_[i] *= square > 0.0F ? 1.0F / std::sqrt(square) : 0.0F;
    length_[i] = metric_ == RealMetric::kCosine ? 1.0F : 1.0001F * std::sqrt(square);
    if (metric_ == RealMetric::kSquared) bias_[i] = -0.5F * square;
  }
  void pack() {
    if (lines_.empty()) lay_out();
    scores_.pack(pointers_, factor_, panel_.data(), rows_.stride);
  }
  void pack_bytes() {
    bytes_.resize(rows_.stride * kPanelRows);
    packed_.bytes = bytes_.data();
    scores_.pack_bytes(pointers_, factor_, rows_.stride, packed_);
    largest_residual_ = *std::max_element(packed_.residual, packed_.residual + kPanelRows);
    largest_length_ = *std::max_element(length_, length_ + kPanelRows);
  }

  // What a score of query q by bytes may differ from that of floats: from row i's, and from any
  // row's of the panel.
  float byte_error(const PaddedQueries& queries, std::size_t q, std::size_t i) const {
    return error_of(queries, q, packed_.residual[i], length_[i]);
  }
  float byte_error(const PaddedQueries& queries, std::size_t q) const {
    return error_of(queries, q, largest_residual_, largest_length_);
  }

  // Has the memory asked for the share i of n of the next panel: a product of 2,400 multiply-adds
  // hides what some rows take to come.
  void ask_ahead(std::size_t panel, std::size_t i, std::size_t n) const {
    if ((panel + 1) * kPanelRows >= items()) return;
    const std::size_t size_of_next = size(panel + 1);
    for (std::size_t r = size_of_next * i / n; r < size_of_next * (i + 1) / n; ++r) {
      ask_for_lines(rows_.address(row((panel + 1) * kPanelRows + r)), rows_.row_bytes());
    }
  }

  // Scores of the packed panel, kPanelQueries x 64 at most: part by part, each of which stays in
  // the first-level cache while all the queries pass over it. They are group `group` of `groups`.
  void multiply(const float* const* queries, std::size_t count, float* scores, std::size_t panel,
                std::size_t group, std::size_t groups) const {
    float* out[kPanelQueries];
    for (std::size_t first = 0; first < kPanelRows; first += kPanelColumns) {
      ask_ahead(panel, 4 * group + first / kPanelColumns, 4 * groups);
      for (std::size_t q = 0; q < count; ++q) {
        out[q] = scores + q * kPanelRows + first;
        std::copy_n(bias_ + first, kPanelColumns, out[q]);
      }
      const float* const* lines = lines_.data() + first / kPanelColumns * rows_.stride;
      floats_.multiply(queries, 1, lines, rows_.dim, out, count, kPanelColumns, true);
    }
  }
  // The same by bytes, of the queries `first` and on.
  void multiply_bytes(const PaddedQueries& queries, std::size_t first, std::size_t count,
                      float* scores, std::size_t panel, std::size_t group,
                      std::size_t groups) const {
    ask_ahead(panel, group, groups);
    const std::size_t n = (rows_.dim + kQuad - 1) / kQuad * kQuad;
    scores_.multiply_bytes(packed_.bytes, packed_.scale, bias_, queries.bytes.data() + first, count,
                           n, scores);
  }
  // Scores of the first `count` gathered rows for one query, or of chosen ones.
  void dots(const float* query, std::size_t count, float* scores) const {
    floats_.dots(query, pointers_, count, scores, rows_.stride);
    for (std::size_t i = 0; i < count; ++i) scores[i] = scores[i] * factor_[i] + bias_[i];
  }
  void dots(const float* query, const std::size_t* chosen, std::size_t count, float* scores) const {
    const float* some[kPanelRows];
    for (std::size_t i = 0; i < count; ++i) some[i] = pointers_[chosen[i]];
    floats_.dots(query, some, count, scores, rows_.stride);
    for (std::size_t i = 0; i < count; ++i) {
      scores[i] = scores[i] * factor_[chosen[i]] + bias_[chosen[i]];
    }
  }

 private:
  void lay_out() {
    panel_ = AlignedFloats(rows_.stride * kPanelRows);
    for (std::size_t part = 0; part < kPanelRows / kPanelColumns; ++part) {
      for (std::size_t x = 0; x < rows_.stride; ++x) {
        lines_.push_back(panel_.data() + kPanelColumns * (rows_.stride * part + x));
      }
    }
  }

  // <q, x> is that of the bytes, and that of q's bytes and what x's leave out, and that of what q's
  // leave out and x.
  static float error_of(const PaddedQueries& queries, std::size_t q, float residual, float length) {
    const float of_bytes = static_cast<float>(queries.lengths[q]) + queries.left_out[q];
    return 1.0001F * (of_bytes * residual + queries.left_out[q] * length);
  }

  const StoredVectors& rows_;
  const std::vector<std::uint32_t>* chosen_;
  RealMetric metric_;
  const FloatKernels& floats_;
  const ScoreKernels& scores_;
  AlignedFloats panel_;
  std::vector<std::uint8_t> bytes_;
  AlignedFloats widened_;
  std::vector<const float*> lines_;
  const float* pointers_[kPanelRows];
  float factor_[kPanelRows], bias_[kPanelRows], length_[kPanelRows];
  ByteRows packed_;
  float largest_residual_ = 0.0F, largest_length_ = 0.0F;
};

}  // namespace bitsense
