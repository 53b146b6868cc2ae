// Tiles of words: inputs against outputs. Those of skip-gram, one for each centre, hold the words
// of its context against the centre, their target, and its noise; those of CBOW, one for each run,
// its noise alone.
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

// A tile of words. Its first output is the target, its others are noise.
struct Tile {
  std::span<const std::uint32_t> inputs;
  std::size_t skipped = SIZE_MAX;  // the place in `inputs` of one that is none, if there is one
  std::span<const std::uint32_t> noise;
  const float* input_times = nullptr;  // how often each counts, unless `plain`
  const float* noise_times = nullptr;
  float targets = 0.0F;  // pairs of an input and the target, repeats counted
  bool plain = true;     // every pair counts once

  std::size_t rows() const { return inputs.size() - (skipped < inputs.size() ? 1 : 0); }
  std::size_t columns() const { return 1 + noise.size(); }
  std::size_t size() const { return rows() * columns(); }
  // Calls f(i, word) with the word of each row i, and before it, maybe, with one of no row.
  template <class F>
  void for_each_input(F&& f) const {
    std::size_t row = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      f(row, inputs[k]);
      row += k == skipped ? 0 : 1;  // no branch: where the centre stands is not foreseen
    }
  }
  // What the rate is multiplied with.
  float damping() const { return targets > kMostTargets ? kMostTargets / targets : 1.0F; }
  float weight(std::size_t i, std::size_t j) const {
    return j == 0 ? input_times[i] : input_times[i] * noise_times[j - 1];
  }
  float label(std::size_t i, std::size_t j) const { return j == 0 ? input_times[i] : 0.0F; }
};

// Many tiles, one after another. They are made of ids alone.
class Tiles {
 public:
  // Forgets all tiles and makes room for others, of so many inputs and noise words together.
  void clear(std::size_t tiles, std::size_t inputs, std::size_t noise);

  // Starts the next tile; what is added is added to it.
  void begin() { places_[tiles_++] = {last_input_, last_noise_, 0.0F, true}; }
  void add_input(std::uint32_t word) {
    inputs_[last_input_] = word;
    input_times_[last_input_++] = 1.0F;
    place().targets += 1.0F;
  }
  // Counts an input once more, up to kMostRepeats times; false if it is not there yet.
  bool repeat_input(std::uint32_t word);
  void add_noise(std::uint32_t word) {
    for (std::uint32_t j = place().noise; j < last_noise_; ++j)
      if (noise_[j] == word) return repeat_noise(j);
    noise_[last_noise_] = word;
    noise_times_[last_noise_++] = 1.0F;
  }

  Tile operator[](std::size_t t) const {
    const Place& place = places_[t];
    const bool last = t + 1 == tiles_;
    const std::size_t inputs = (last ? last_input_ : places_[t + 1].input) - place.input;
    const std::size_t noise = (last ? last_noise_ : places_[t + 1].noise) - place.noise;
    return {{inputs_.data() + place.input, inputs},
            SIZE_MAX,
            {noise_.data() + place.noise, noise},
            input_times_.data() + place.input,
            noise_times_.data() + place.noise,
            place.targets,
            place.plain};
  }

 private:
  struct Place {
    std::uint32_t input;
    std::uint32_t noise;
    float targets;
    bool plain;
  };
  Place& place() { return places_[tiles_ - 1]; }
  void repeat_noise(std::uint32_t j);

  std::vector<std::uint32_t> inputs_;
  std::vector<float> input_times_;
  std::vector<std::uint32_t> noise_;
  std::vector<float> noise_times_;
  std::vector<Place> places_;
  std::size_t tiles_ = 0;
  std::uint32_t last_input_ = 0;
  std::uint32_t last_noise_ = 0;
};

// Turns tiles of logits into steps; one for each thread.
class TileGradient {
 public:
  // Tiles of at most `inputs` x `outputs`.
  TileGradient(const WordKernels& kernel, std::size_t inputs, std::size_t outputs);

  // z, with room up to a multiple of 16, becomes step * (P - W s(z)). What its loss is made of goes
  // to `loss` (WordKernels::sampling_loss).
  void operator()(const Tile& tile, float step, float* z, float* loss);

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
