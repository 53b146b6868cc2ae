#include "train/block.hpp"

namespace bitsense {

TileScratch::TileScratch(std::size_t n, std::size_t noise_rows)
    : n_(n), zero_(n), side_by_side_(n * kTile), columns_(n), tile_rows_(noise_rows) {
  for (std::size_t x = 0; x < n; ++x) columns_[x] = side_by_side_.data() + kTile * x;
}

void TileScratch::noise_logits(const FloatKernels& kernel, std::span<const float* const> hidden,
                               std::span<const float* const> noise, float* tile) {
  const float* rows[kTile];
  for (std::size_t l = 0; l < kTile; ++l) rows[l] = l < hidden.size() ? hidden[l] : zero_.data();
  kernel.interleave(rows, side_by_side_.data(), n_);
  if (tile_rows_.size() < noise.size()) tile_rows_.resize(noise.size());
  for (std::size_t j = 0; j < noise.size(); ++j) tile_rows_[j] = tile + kTile * j;
  kernel.multiply(noise.data(), 1, columns_.data(), n_, tile_rows_.data(), noise.size(), kTile,
                  false);
}

void TileScratch::pull_noise(const FloatKernels& kernel, std::span<const float* const> noise,
                             const float* tile, std::span<float* const> gradients) {
  const float* columns[kTile];
  for (std::size_t l = 0; l < gradients.size(); ++l) columns[l] = tile + l;
  kernel.multiply(columns, kTile, noise.data(), noise.size(), gradients.data(), gradients.size(),
                  n_, false);
}

}  // namespace bitsense
