// The tile of a centre of skip-gram: the words of its context against the centre and its noise.
//
//   z = h . u      loss = W log(1 + exp(z)) - P z      -dloss/dz = P - W s(z)
//
// which is negative sampling (Mikolov et al. 2013): a pair of an input and the target has W = P =
// 1, a pair with a noise word W = how often it was drawn, P = 0. Equal rows are merged, so that
// those of a tile are distinct: weights add up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

constexpr float kMostRepeats = 4.0F;
constexpr double kMostTargets = 32.0;

// A tile that is being made, of words.
class Tile {
 public:
  // Starts a tile of this target, its first output.
  void begin(std::uint32_t target) {
    inputs_.clear();
    input_times_.clear();
    outputs_.assign(1, target);
    output_times_.assign(1, 1.0F);
    repeats_ = 0.0;
    plain_ = true;
  }
  void add_input(std::uint32_t word) {
    inputs_.push_back(word);
    input_times_.push_back(1.0F);
  }
  // Counts an input once more, up to kMostRepeats times; false if it is not there yet.
  bool repeat_input(std::uint32_t word);
  // The target is no noise: that draw is void.
  void add_noise(std::uint32_t word) {
    const auto found = std::find(outputs_.begin(), outputs_.end(), word);
    if (found == outputs_.begin()) return;
    if (found == outputs_.end()) {
      outputs_.push_back(word);
      output_times_.push_back(1.0F);
      return;
    }
    output_times_[static_cast<std::size_t>(found - outputs_.begin())] += 1.0F;
    plain_ = false;
  }

  std::span<const std::uint32_t> inputs() const { return inputs_; }
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  std::size_t size() const { return inputs_.size() * outputs_.size(); }

  double targets() const { return repeats_ + static_cast<double>(inputs_.size()); }
  // What the rate is multiplied with.
  float damping() const {
    return targets() > kMostTargets ? static_cast<float>(kMostTargets / targets()) : 1.0F;
  }

  // Whether every pair counts once.
  bool plain() const { return plain_; }
  float weight(std::size_t i, std::size_t j) const { return input_times_[i] * output_times_[j]; }
  float label(std::size_t i, std::size_t j) const { return j == 0 ? input_times_[i] : 0.0F; }

 private:
  std::vector<std::uint32_t> inputs_;
  std::vector<float> input_times_;
  std::vector<std::uint32_t> outputs_;
  std::vector<float> output_times_;
  double repeats_ = 0.0;
  bool plain_ = true;
};

// Turns tiles of logits into steps; one for each thread.
class TileGradient {
 public:
  // Tiles of at most `inputs` x `outputs`.
  TileGradient(const WordKernels& kernel, std::size_t inputs, std::size_t outputs);

  // z, with room up to a multiple of 16, becomes step * (P - W s(z)); returns the loss.
  double operator()(const Tile& tile, float step, float* z);

 private:
  const float* first_column(std::size_t columns);

  const WordKernels& kernel_;
  std::size_t inputs_;
  std::size_t most_;
  AlignedFloats ones_;                        // `most_` ones, then zeros
  std::vector<AlignedFloats> first_columns_;  // by the number of columns: labels of a plain tile
  AlignedFloats weight_;
  AlignedFloats label_;
};

}  // namespace bitsense
