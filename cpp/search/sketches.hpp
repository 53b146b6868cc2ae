// Short forms of rows from which no score is off by more than is known.
//
// With v = x - m, of the row x (under the cosine x / |x|) and the mean m, and w likewise of the
// query, a score is a number of the query, plus a number of the row, plus <w, v>. A sketch holds v
// along some orthonormal axes A, as many as hold most of it, in bytes b:
//
//   A'v = s b + e,  |e| <= inside      |v - A A'v| <= outside      |A'v| <= length
//
// and so does that of the query; what they leave out of <w, v> is no more than products of those
// lengths (Cauchy and Schwarz). So most rows need not be looked at themselves.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.hpp"
#include "core/vectors.hpp"
#include "kernels/score_kernels.hpp"
#include "search/stored_vectors.hpp"

namespace bitsense {

// Of each row of a tile: s; the number that is added; and the three lengths.
enum SketchTerm : std::size_t { kStep, kOwn, kLength, kInside, kOutside, kSketchTerms };

constexpr std::size_t kMostSketchAxes = 1 << 14;

struct SketchAxes {
  const float* mean;  // dim
  VectorsView axes;   // dim x kept; their products are those of orthonormal ones, within 1e-4
  std::size_t kept() const { return axes.dim; }
};

// The sketches of the first `rows` rows, by tiles of 64: a tile has 64 x kept bytes, laid as those
// of ByteRows, and kSketchTerms x 64 floats.
struct RowSketches {
  SketchAxes axes;
  std::size_t rows;
  const std::uint8_t* bytes;
  const float* terms;

  const std::uint8_t* tile(std::size_t t) const { return bytes + t * kPanelRows * axes.kept(); }
  const float* terms_of(std::size_t t, SketchTerm term) const {
    return terms + (t * kSketchTerms + term) * kPanelRows;
  }
};

// Writes the sketches of rows [first, rows.rows). Other lanes are left as they are.
void sketch_rows(const StoredVectors& rows, RealMetric metric, const SketchAxes& axes,
                 std::size_t first, std::size_t threads, const Poll& poll, std::uint8_t* bytes,
                 float* terms);

// Queries that are compared with sketches.
class SketchedQueries {
 public:
  // `longest` is the length of the longest row.
  SketchedQueries(const RowSketches& sketches, RealMetric metric, const VectorsView& queries,
                  double longest, std::size_t threads, const Poll& poll);

  const ByteQuery* bytes(std::size_t first) const { return bytes_.data() + first; }

  // What a sketch's score must reach, but for its error, where that of the row must reach `bound`.
  float bound(std::size_t q, float bound) const {
    const Query& query = queries_[q];
    const float scaled = bound * query.factor;
    return (scaled - query.own) - (query.slack + kRounding * std::fabs(scaled));
  }
  // A score is off by no more than these times the lengths of the row: kLength, kInside, kOutside.
  const float* weights(std::size_t q) const { return queries_[q].weights; }

 private:
  static constexpr float kRounding = 0x1p-20F;  // of scores, which are sums of a few floats

  struct Query {
    float factor, own, slack;
    float weights[3];
  };
  std::vector<Query> queries_;
  std::vector<ByteQuery> bytes_;
  std::vector<std::int8_t> values_;
};

}  // namespace bitsense
