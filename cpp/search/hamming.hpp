// Exact search of packed codes by Hamming distance. Answers are ordered by (distance, id), where
// the id of a code is its row, or the rank that its row is given; they do not depend on the
// threads, on the batch, or on the level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/codes.hpp"
#include "core/errors.hpp"
#include "core/parallel.hpp"
#include "kernels/code_kernels.hpp"
#include "search/filter.hpp"

namespace bitsense {

struct HammingOptions {
  const CodeKernels& kernels;
  std::size_t threads = 1;
  const Poll& poll;
  const std::uint32_t* ranks = nullptr;  // ids of the rows instead of their numbers
};

// Throws std::invalid_argument unless both have the same number of bits, 1 to kMaxCodeBits.
void require_same_bits(const CodesView& codes, const CodesView& queries);

// Writes the k nearest codes of each query that pass the filter: ids and distances are
// queries.rows x k. k is at most the number of codes that pass.
void hamming_search(const CodesView& codes, const CodesView& queries, std::size_t k,
                    const Filter& filter, const HammingOptions& options, std::int64_t* ids,
                    std::int32_t* distances);

// One list per query, of Neighbor of top_k.hpp, in order.
using Lists = std::vector<std::vector<std::uint64_t>>;

// All codes within `radius` of each query that pass the filter.
Lists hamming_range_search(const CodesView& codes, const CodesView& queries, std::size_t radius,
                           const Filter& filter, const HammingOptions& options);

// Writes the queries.rows x codes.rows matrix of distances.
void hamming_distances(const CodesView& queries, const CodesView& codes,
                       const HammingOptions& options, std::uint16_t* distances);

}  // namespace bitsense
