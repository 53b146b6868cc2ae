// The unit of work: a tile of hidden vectors against the noise rows that the block shares and the
// target rows of each. Everything that trains or infers goes through these products.
//
//   Z = U H^T        G = objective(Z)        dH = G^T U        dU = G H
//
// U: noise rows, H: hidden vectors of up to kTile documents; a target's row adds its own product.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/float_kernels.hpp"
#include "train/objective.hpp"

namespace bitsense {

// The scratch of one thread that works on tiles.
class TileScratch {
 public:
  TileScratch(std::size_t n, std::size_t noise_rows);

  // Hidden vectors of the tile, side by side; shorter tiles are filled up with zero vectors.
  // Fills `tile`, noise rows x kTile, with the dot products.
  void noise_logits(const FloatKernels& kernel, std::span<const float* const> hidden,
                    std::span<const float* const> noise, float* tile);

  // gradients[l] = sum over j of tile[j][l] * noise[j], for each of the documents.
  void pull_noise(const FloatKernels& kernel, std::span<const float* const> noise,
                  const float* tile, std::span<float* const> gradients);

 private:
  std::size_t n_;
  AlignedFloats zero_;
  AlignedFloats side_by_side_;
  std::vector<const float*> columns_;
  std::vector<float*> tile_rows_;
};

}  // namespace bitsense
