// Real vectors to codes: bit j is 1 where ((x - mean) R)_j > 0. With R a matrix of random normals
// this is the hashing of Charikar (STOC 2002), with R = PCA times a rotation ITQ (Gong and Lazebnik,
// CVPR 2011), without R plain signs.
//
// Each sum runs over the inputs in their order, one product and one addition in float at a time, so
// the code of a row is the same whatever the other rows, the threads and the level are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.hpp"
#include "core/vectors.hpp"

namespace bitsense {

// mean has vectors.dim values; directions is vectors.dim x bits. Writes (x - mean) R.
void project_rows(const VectorsView& vectors, const float* mean, const VectorsView& directions,
                  std::size_t threads, const Poll& poll, float* projected);

// The signs of project_rows, packed.
void project_sign_rows(const VectorsView& vectors, const float* mean, const VectorsView& directions,
                       std::size_t threads, const Poll& poll, std::uint8_t* codes);

}  // namespace bitsense
