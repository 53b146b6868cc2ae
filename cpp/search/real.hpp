// Exact search of real vectors. Answers are ordered by (distance, id), where the id of a row is its
// number or the rank it is given, and depend neither on threads, nor on the batch, nor on the
// level.
//
// A block product gives approximate scores, which say only which rows can be among the answers: the
// rounding of a sum of n products is bounded. The few that can are measured again, exactly. Where
// there are sketches of the rows, most need no score (search/sketches.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "search/filter.hpp"
#include "search/sketches.hpp"
#include "search/stored_vectors.hpp"

namespace bitsense {

struct RealOptions {
  const Kernels& kernels;
  RealMetric metric;
  std::size_t threads = 1;
  const Poll& poll;
  const std::uint32_t* ranks = nullptr;   // ids of the rows instead of their numbers
  const RowSketches* sketches = nullptr;  // of the first rows
};

// A distance and an id; the order is theirs.
struct RealNeighbor {
  float distance;
  std::uint32_t id;
  friend auto operator<=>(const RealNeighbor&, const RealNeighbor&) = default;
};

// The squared lengths of the rows, as StoredVectors wants them.
void squared_lengths(const StoredVectors& rows, std::size_t threads, const Poll& poll,
                     float* squares);

// Writes the k nearest rows of each query that pass the filter: queries.rows x k.
void real_search(const StoredVectors& rows, const VectorsView& queries, std::size_t k,
                 const Filter& filter, const RealOptions& options, std::int64_t* ids,
                 float* distances);

// All rows within `radius` of each query that pass the filter, in order.
std::vector<std::vector<RealNeighbor>> real_range_search(const StoredVectors& rows,
                                                         const VectorsView& queries, float radius,
                                                         const Filter& filter,
                                                         const RealOptions& options);

// The best k of `size` listed rows of each query, in order; places past the last hold -1 (and are
// listed so). `listed` is queries.rows x size. Rows are below rows.rows.
void real_rerank(const StoredVectors& rows, const VectorsView& queries, const std::int64_t* listed,
                 std::size_t size, std::size_t k, const RealOptions& options, std::int64_t* ids,
                 float* distances);

}  // namespace bitsense
