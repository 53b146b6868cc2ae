// Tiles of words: inputs against outputs. Those of skip-gram, one for each centre, hold the words
// of its context against the centre and its noise; those of CBOW, one for each run, its noise
// alone.
//
//   z = h . u      loss = W log(1 + exp(z)) - P z      -dloss/dz = P - W s(z)
//
// which is negative sampling (Mikolov et al. 2013): a pair of an input and the target has W = P =
// 1, a pair with a noise word W = how often it was drawn, P = 0. Equal rows are merged, so that
// those of a tile are distinct: weights add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

constexpr float kMostRepeats = 4.0F;
constexpr float kMostTargets = 32.0F;

// A tile of words; how often each counts beside it.
struct Tile {
  std::span<const std::uint32_t> inputs;
  std::span<const float> input_times;
  std::span<const std::uint32_t> outputs;  // the target first, where there is one
  std::span<const float> output_times;
  float targets = 0.0F;  // pairs of an input and the target, repeats counted
  bool plain = true;     // every pair counts once

  std::size_t size() const { return inputs.size() * outputs.size(); }
  // What the rate is multiplied with.
  float damping() const { return targets > kMostTargets ? kMostTargets / targets : 1.0F; }
  float weight(std::size_t i, std::size_t j) const { return input_times[i] * output_times[j]; }
  float label(std::size_t i, std::size_t j) const { return j == 0 ? input_times[i] : 0.0F; }
};

// Many tiles, one after another. They are made of ids alone.
class Tiles {
 public:
  // Forgets all tiles and makes room for others, of so many inputs and outputs together.
  void clear(std::size_t tiles, std::size_t inputs, std::size_t outputs);

  // Starts the next tile.
  void begin() {
    first_output_ = last_output_;
    has_target_ = false;
    places_[tiles_++] = {last_input_, last_output_, 0.0F, true};
  }
  // These add to the last tile. A target, if it has one, comes before its noise.
  void add_target(std::uint32_t word) {
    add_output(word);
    has_target_ = true;
  }
  void add_input(std::uint32_t word) {
    inputs_[last_input_] = word;
    input_times_[last_input_++] = 1.0F;
    place().targets += 1.0F;
  }
  // Counts an input once more, up to kMostRepeats times; false if it is not there yet.
  bool repeat_input(std::uint32_t word);
  // The target is no noise: that draw is void.
  void add_noise(std::uint32_t word) {
    for (std::uint32_t j = first_output_; j < last_output_; ++j)
      if (outputs_[j] == word) return repeat_noise(j);
    add_output(word);
  }

  Tile operator[](std::size_t t) const {
    const Place& place = places_[t];
    const bool last = t + 1 == tiles_;
    const std::size_t inputs = (last ? last_input_ : places_[t + 1].input) - place.input;
    const std::size_t outputs = (last ? last_output_ : places_[t + 1].output) - place.output;
    return {{inputs_.data() + place.input, inputs},
            {input_times_.data() + place.input, inputs},
            {outputs_.data() + place.output, outputs},
            {output_times_.data() + place.output, outputs},
            place.targets,
            place.plain};
  }

 private:
  struct Place {
    std::uint32_t input;
    std::uint32_t output;
    float targets;
    bool plain;
  };
  Place& place() { return places_[tiles_ - 1]; }
  void add_output(std::uint32_t word) {
    outputs_[last_output_] = word;
    output_times_[last_output_++] = 1.0F;
  }
  void repeat_noise(std::uint32_t j);

  std::vector<std::uint32_t> inputs_;
  std::vector<float> input_times_;
  std::vector<std::uint32_t> outputs_;
  std::vector<float> output_times_;
  std::vector<Place> places_;
  std::size_t tiles_ = 0;
  bool has_target_ = false;         // the last tile
  std::uint32_t first_output_ = 0;  // of it
  std::uint32_t last_input_ = 0;
  std::uint32_t last_output_ = 0;
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
