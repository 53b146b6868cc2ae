#include "train/tiles.hpp"

#include <cstring>

namespace bitsense {

namespace {

constexpr std::size_t kPatternQuantum = 8;  // floats
static_assert(kTileCentres <= static_cast<std::size_t>(kLargestWeight), "plain tiles are small");

// A quantum of patterns, each so many times.
void add_up(const PerCentre<float>& times, const PerCentre<const float*>& patterns, std::size_t at,
            float* sum) {
  float mixed[kPatternQuantum] = {};
  for (std::size_t m = 0; m < kTileCentres; ++m)
    for (std::size_t k = 0; k < kPatternQuantum; ++k) mixed[k] += times[m] * patterns[m][at + k];
  std::memcpy(sum, mixed, sizeof mixed);
}

}  // namespace

void Tiles::clear(std::size_t tiles, std::size_t inputs, std::size_t outputs) {
  const auto grow = [](auto& values, std::size_t size) {
    if (values.size() < size) values.resize(size);
  };
  grow(places_, tiles);
  grow(inputs_, inputs);
  grow(times_, inputs);
  grow(outputs_, outputs);
  grow(uses_, outputs);
  tiles_ = 0;
  last_input_ = last_output_ = 0;
}

void Tiles::add_inputs(std::span<const std::uint32_t> words,
                       std::span<const std::uint32_t> previous, std::uint32_t first,
                       const PerCentre<Reach>& reaches) {
  constexpr std::uint32_t kNoInput = 0xffffffffU;
  if (token_inputs_.size() < words.size()) token_inputs_.resize(words.size());
  for (std::uint32_t t = 0; t < words.size(); ++t) {
    const std::uint32_t before = previous[t] - first;
    std::uint32_t i = before < t ? token_inputs_[before] : kNoInput;
    PerCentre<bool> near;
    bool any = false;
    for (std::size_t m = 0; m < kTileCentres; ++m) {
      near[m] = reaches[m].has(t);
      any |= near[m];
    }
    if (i == kNoInput && any) {
      i = last_input_++;
      inputs_[i] = words[t];
      times_[i] = {};
    }
    token_inputs_[t] = i;
    for (std::size_t m = 0; m < kTileCentres; ++m) {
      if (!near[m] || times_[i][m] == kMostRepeats) continue;
      times_[i][m] += 1.0F;
      place().pairs[m] += 1.0F;
    }
  }
}

TileGradient::TileGradient(const WordKernels& kernel, std::size_t inputs, std::size_t outputs)
    : kernel_(kernel),
      width_(rounded_up(outputs, kPatternQuantum)),
      weight_(padded(inputs * outputs) + kRowQuantum + width_),
      label_(weight_.size()) {
  for (std::size_t targets = 1; targets <= kTileCentres; ++targets)
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      Pattern& pattern = patterns_[targets - 1][kind];
      pattern = {AlignedFloats(width_), AlignedFloats(width_)};
      for (std::size_t m = 0; m < targets; ++m) {
        if ((kind >> m & 1) == 0) continue;
        pattern.weight[m] = pattern.label[m] = 1.0F;
        for (std::size_t j = targets; j < targets + outputs - kTileCentres; ++j)
          pattern.weight[j] += 1.0F;
      }
    }
  for (Pattern& of_centre : merged_) of_centre = {AlignedFloats(width_), AlignedFloats(width_)};
}

void TileGradient::weigh(const Tile& tile) {
  if (tile.plain())
    weigh_plain(tile);
  else
    weigh_merged(tile);
  // What is behind the last pair weighs nothing.
  std::fill_n(weight_.data() + tile.size(), kRowQuantum, 0.0F);
  std::fill_n(label_.data() + tile.size(), kRowQuantum, 0.0F);
}

// Patterns are copied whole, each over the end of the one before it.
void TileGradient::weigh_plain(const Tile& tile) {
  small_ = true;
  const std::size_t columns = tile.columns();
  const auto& patterns = patterns_[tile.targets.size() - 1];
  float* weight = weight_.data();
  float* label = label_.data();
  for (std::uint32_t i = 0; i < tile.inputs.size(); ++i) {
    std::size_t kind = 0;
    for (std::size_t m = 0; m < kTileCentres; ++m)
      kind |= static_cast<std::size_t>(tile.reaches[m].has(i)) << m;
    const Pattern& pattern = patterns[kind];
    for (std::size_t j = 0; j < width_; j += kPatternQuantum) {
      std::memcpy(weight + j, pattern.weight.data() + j, kPatternQuantum * sizeof(float));
      std::memcpy(label + j, pattern.label.data() + j, kPatternQuantum * sizeof(float));
    }
    const std::size_t step = i == tile.skipped ? 0 : columns;
    weight += step;
    label += step;
  }
}

// Likewise, each row put together from what the outputs are for each centre.
void TileGradient::weigh_merged(const Tile& tile) {
  const std::size_t columns = tile.columns();
  PerCentre<float> heaviest{};
  PerCentre<const float*> weights;
  PerCentre<const float*> labels;
  for (std::size_t m = 0; m < kTileCentres; ++m) {
    float* weight = merged_[m].weight.data();
    float* label = merged_[m].label.data();
    weights[m] = weight;
    labels[m] = label;
    for (std::size_t j = 0; j < width_; ++j) {
      weight[j] = j < columns ? tile.uses[j].weight[m] : 0.0F;
      label[j] = j < columns ? tile.uses[j].label[m] : 0.0F;
      heaviest[m] = std::max(heaviest[m], weight[j]);
    }
  }
  small_ = true;
  float* weight = weight_.data();
  float* label = label_.data();
  for (std::size_t i = 0; i < tile.rows(); ++i, weight += columns, label += columns) {
    const PerCentre<float> times = tile.times[i];
    float most = 0.0F;
    for (std::size_t m = 0; m < kTileCentres; ++m) most += times[m] * heaviest[m];
    small_ &= most <= kLargestWeight;
    for (std::size_t j = 0; j < width_; j += kPatternQuantum) {
      add_up(times, weights, j, weight + j);
      add_up(times, labels, j, label + j);
    }
  }
}

void TileGradient::operator()(const Tile& tile, float step, float* z, float* loss) const {
  const std::size_t size = tile.size();
  // An item that is not there has z = 0 and weight 0, so it adds nothing, whatever its label.
  std::fill(z + size, z + padded(size), 0.0F);
  kernel_.sampling_gradient(z, weight_.data(), label_.data(), step * tile.damping(), size, small_,
                            loss);
}

}  // namespace bitsense
