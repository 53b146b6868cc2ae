// The centers of inverted lists of codes: k-means (Lloyd, IEEE Transactions on Information Theory
// 1982) under the Hamming distance, over codes and in an order that the source fixes. A center has
// in each bit what most of its codes have, and 0 where as many have either.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/codes.hpp"
#include "core/parallel.hpp"

namespace bitsense {

struct Clustering {
  std::size_t centers;
  std::size_t sample;  // at most as many codes, evenly spaced, but no fewer than centers
  std::size_t iterations;
  std::size_t threads;
  const Poll& poll;
};

// Writes clustering.centers codes. codes.rows >= centers.
void cluster_codes(const CodesView& codes, const Clustering& clustering, std::uint8_t* centers);

}  // namespace bitsense
