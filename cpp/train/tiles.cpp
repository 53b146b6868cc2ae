#include "train/tiles.hpp"

#include <algorithm>

namespace bitsense {

void Tiles::clear(std::size_t tiles, std::size_t inputs, std::size_t noise) {
  const auto grow = [](auto& values, std::size_t size) {
    if (values.size() < size) values.resize(size);
  };
  grow(places_, tiles);
  grow(inputs_, inputs);
  grow(input_times_, inputs);
  grow(noise_, noise);
  grow(noise_times_, noise);
  tiles_ = 0;
  last_input_ = last_noise_ = 0;
}

bool Tiles::repeat_input(std::uint32_t word) {
  for (std::uint32_t i = place().input; i < last_input_; ++i) {
    if (inputs_[i] != word) continue;
    if (input_times_[i] < kMostRepeats) {
      input_times_[i] += 1.0F;
      place().targets += 1.0F;
      place().plain = false;
    }
    return true;
  }
  return false;
}

void Tiles::repeat_noise(std::uint32_t j) {
  noise_times_[j] += 1.0F;
  place().plain = false;
}

TileGradient::TileGradient(const WordKernels& kernel, std::size_t inputs, std::size_t outputs)
    : kernel_(kernel),
      inputs_(inputs),
      most_(padded(inputs * outputs)),
      ones_(most_ + kRowQuantum),
      first_columns_(outputs + 1),
      weight_(most_),
      label_(most_) {
  std::fill_n(ones_.data(), most_, 1.0F);
}

const float* TileGradient::first_column(std::size_t columns) {
  AlignedFloats& pattern = first_columns_[columns];
  if (pattern.size() == 0) {
    pattern = AlignedFloats(padded(inputs_ * columns));
    for (std::size_t i = 0; i < inputs_; ++i) pattern[i * columns] = 1.0F;
  }
  return pattern.data();
}

void TileGradient::operator()(const Tile& tile, float step, float* z, float* loss) {
  const std::size_t size = tile.size();
  step *= tile.damping();
  // An item that is not there has z = 0 and weight 0, so it adds nothing, whatever its label.
  std::fill(z + size, z + padded(size), 0.0F);
  const std::size_t columns = tile.columns();
  if (tile.plain)
    return kernel_.sampling_gradient(z, ones_.data() + most_ - size, first_column(columns), step,
                                     size, true, loss);
  for (std::size_t i = 0; i < tile.rows(); ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      weight_[i * columns + j] = tile.weight(i, j);
      label_[i * columns + j] = tile.label(i, j);
    }
  std::fill(weight_.data() + size, weight_.data() + padded(size), 0.0F);
  kernel_.sampling_gradient(z, weight_.data(), label_.data(), step, size, false, loss);
}

}  // namespace bitsense
