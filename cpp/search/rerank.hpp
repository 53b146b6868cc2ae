// The second stage of a search: scores of real queries, for all codes or for a shortlist.
//
//   asymmetric(q, b) = sum over j of q_j (2 b_j - 1)      b_j the bits of a code
//   cosine(q, x)     = <q, x> / (|q| |x|)                 0 if a norm is 0
//
// The asymmetric score goes through one table of 256 partial sums per byte of a code and query
// (product quantisation's tables, Jegou, Douze and Schmid, PAMI 2011). Sums are taken in an order
// that the source fixes, in double, so that the score of a pair depends on the pair alone. Answers
// are ordered by (score descending, id).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/codes.hpp"
#include "core/parallel.hpp"
#include "core/vectors.hpp"

namespace bitsense {

// `size` ids per query, queries x size, row-major; each id is a row of the items.
struct Shortlist {
  const std::int64_t* ids;
  std::size_t queries;
  std::size_t size;
};

// The best k <= shortlist.size of each query: queries x k ids and scores. Throws std::out_of_range
// for an id that is no row of the items.
void rerank_cosine(const VectorsView& queries, const VectorsView& items, const Shortlist& shortlist,
                   std::size_t k, std::size_t threads, const Poll& poll, std::int64_t* ids,
                   float* scores);
void rerank_asymmetric(const VectorsView& queries, const CodesView& items,
                       const Shortlist& shortlist, std::size_t k, std::size_t threads,
                       const Poll& poll, std::int64_t* ids, float* scores);

// The queries.rows x codes.rows matrix of asymmetric scores. queries.dim == codes.bits.
void asymmetric_scores(const VectorsView& queries, const CodesView& codes, std::size_t threads,
                       const Poll& poll, float* scores);

}  // namespace bitsense
