// The tiles of a block of word windows: some input vectors against some output rows, with the
// weight and the label of each pair.
//
//   z = h . u      loss = W log(1 + exp(z)) - P z      -dloss/dz = P - W s(z)
//
// which is negative sampling (Mikolov et al. 2013): a pair of an input and its target has W = P =
// 1, a pair with a noise word W = how often it was drawn, P = 0. Equal rows are merged, so that
// those of a tile are distinct: weights add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"
#include "train/word_options.hpp"

namespace bitsense {

constexpr float kMostRepeats = 4.0F;
constexpr double kMostTargets = 32.0;

// A tile that is being made. Inputs are numbered by the model; outputs are words.
class Tile {
 public:
  void clear() {
    inputs_.clear();
    input_times_.clear();
    outputs_.clear();
    noise_times_.clear();
    targets_.clear();
    repeats_ = 0.0;
    plain_ = true;
  }
  // An input that counts `times` times, and its target, the number of an output.
  void add_input(std::uint32_t input, std::uint32_t target) {
    inputs_.push_back(input);
    input_times_.push_back(1.0F);
    targets_.push_back(target);
    plain_ = plain_ && target == 0;
  }
  // Counts an input once more; false if it is not there yet.
  bool repeat_input(std::uint32_t input);
  // The number of the output of a target word, added if it is new.
  std::uint32_t add_target(std::uint32_t word);
  // A noise word; targets must have been added before.
  void add_noise(std::uint32_t word);

  std::span<const std::uint32_t> inputs() const { return inputs_; }
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  std::size_t size() const { return inputs_.size() * outputs_.size(); }

  double targets() const { return repeats_ + static_cast<double>(inputs_.size()); }
  // What the rate is multiplied with.
  float damping() const {
    return targets() > kMostTargets ? static_cast<float>(kMostTargets / targets()) : 1.0F;
  }

  // Whether all inputs have the first output as their target and every pair counts once.
  bool plain() const { return plain_; }
  float weight(std::size_t i, std::size_t j) const {
    return input_times_[i] * (targets_[i] == j ? 1.0F : noise_times_[j]);
  }
  float label(std::size_t i, std::size_t j) const {
    return targets_[i] == j ? input_times_[i] : 0.0F;
  }

 private:
  std::vector<std::uint32_t> inputs_;
  std::vector<float> input_times_;
  std::vector<std::uint32_t> targets_;  // per input
  std::vector<std::uint32_t> outputs_;
  std::vector<float> noise_times_;  // per output
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
