// Approximate search of real vectors by short codes, and exact distances of a shortlist.
//
// Product quantisation (Jegou, Douze and Schmid, PAMI 2011) with sixteen centroids for each few
// dimensions, so that a part of a code is a nibble and what it costs a query is looked up in a
// register (Andre, Kermarrec and Le Scouarnec, VLDB 2015; kernels/score_kernels.hpp). Under the
// cosine all is learned of, and done to, rows of length one.
//
//   cost(q, code) = sum over parts of |q_p - c|^2, or of max - <q_p, c> where inner products count
//
// rounded to bytes so that the worst of the shortlist still fits; then the shortlist is measured
// exactly and put in order by (distance, id). Centroids are those of k-means, from rows and an
// order of sums that the source fixes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/real.hpp"

namespace bitsense {

constexpr std::size_t kCentroids = 16;

// How a vector is cut: parts of `width` dimensions, two parts to a byte.
struct PartShape {
  std::size_t dim, width;
  std::size_t parts() const { return (dim + width - 1) / width; }
  std::size_t bytes() const { return (parts() + 1) / 2; }
  // Floats of the centroids: parts() x 16 x width.
  std::size_t centroids() const { return parts() * kCentroids * width; }
};

// Learns the centroids from at most `sample` rows, evenly spaced.
void train_centroids(const StoredVectors& rows, RealMetric metric, const PartShape& shape,
                     std::size_t sample, std::size_t iterations, std::size_t threads,
                     const Poll& poll, float* centroids);

// Writes the codes of rows [first, rows.rows) into planes, tiles x bytes x 64: those of row i are
// in tile i / 64, lane i % 64. Other lanes are left as they are.
void encode_rows(const StoredVectors& rows, RealMetric metric, const PartShape& shape,
                 const float* centroids, std::size_t first, std::size_t threads, const Poll& poll,
                 std::uint8_t* planes);

struct QuantizedRows {
  PartShape shape;
  const float* centroids;
  const std::uint8_t* planes;
};

// As real_search, but of each query only the `shortlist` >= k rows of least cost are measured.
void quantized_search(const StoredVectors& rows, const QuantizedRows& codes,
                      const VectorsView& queries, std::size_t k, std::size_t shortlist,
                      const Filter& filter, const RealOptions& options, std::int64_t* ids,
                      float* distances);

}  // namespace bitsense
