// Tiles of words: inputs against outputs. Those of skip-gram, one for each run of centres, hold the
// words of their contexts against the centres, their targets, and the noise of the run; those of
// CBOW, one for each run too, its noise alone.
//
//   z = h . u      loss = W log(1 + exp(z)) - P z      -dloss/dz = P - W s(z)
//
// which is negative sampling (Mikolov et al. 2013): for a centre, a pair of a word of its context
// and its target has W = P = 1, a pair with a noise word W = how often it was drawn, P = 0. Equal
// rows are merged, so that those of a tile are distinct: weights add up, also those of the centres.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

constexpr float kMostRepeats = 4.0F;
constexpr float kMostTargets = 32.0F;
constexpr std::size_t kTileCentres = 3;

template <class T>
using PerCentre = std::array<T, kTileCentres>;

// What one pair of an output and an input of a centre weighs, and its label.
struct OutputUse {
  PerCentre<float> weight{};
  PerCentre<float> label{};
};

// Which of some tokens are the context of a centre: [first, last) without `at`.
struct Reach {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t at = 0;
  bool has(std::uint32_t i) const { return (i - first < last - first) & (i != at); }
};

// A tile of words. It is plain where no word is an input twice or an output twice: then its first
// outputs are the targets of its centres, and its others are noise. Otherwise all outputs are in
// `noise`, and what they are is in `uses`.
struct Tile {
  std::span<const std::uint32_t> inputs;
  std::size_t skipped = SIZE_MAX;  // the place in `inputs` of one that is none, if there is one
  std::span<const std::uint32_t> targets;
  std::span<const std::uint32_t> noise;
  PerCentre<float> pairs{};    // per centre: of an input and its target, repeats counted
  PerCentre<Reach> reaches{};  // of a plain one: which inputs are whose
  const PerCentre<float>* times = nullptr;  // per input and centre: how often it counts
  const OutputUse* uses = nullptr;          // per output

  bool plain() const { return uses == nullptr; }
  std::size_t rows() const { return inputs.size() - (skipped < inputs.size() ? 1 : 0); }
  std::size_t columns() const { return targets.size() + noise.size(); }
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
  float damping() const {
    const float most = *std::max_element(pairs.begin(), pairs.end());
    return most > kMostTargets ? kMostTargets / most : 1.0F;
  }
};

// Many tiles, one after another. They are made of ids alone.
class Tiles {
 public:
  // Forgets all tiles and makes room for others, of so many inputs and outputs together.
  void clear(std::size_t tiles, std::size_t inputs, std::size_t outputs);

  // Starts the t-th tile; what is added is added to it. Those that are passed over are empty.
  void begin(std::size_t t) {
    while (tiles_ <= t) places_[tiles_++] = {last_input_, last_output_, {}};
  }
  // The words in reach of its centres, each up to kMostRepeats times for a centre. `words` are
  // those of a plan's tokens from `first` on; that of the t-th stood last at token previous[t].
  void add_inputs(std::span<const std::uint32_t> words, std::span<const std::uint32_t> previous,
                  std::uint32_t first, const PerCentre<Reach>& reaches);
  // The target of a centre, or a word that is noise for it.
  void add_target(std::uint32_t word, std::size_t centre) {
    OutputUse& use = uses_[output(word)];
    use.weight[centre] = use.label[centre] = 1.0F;
  }
  void add_noise(std::uint32_t word, std::size_t centre) {
    uses_[output(word)].weight[centre] += 1.0F;
  }

  bool has_inputs(std::size_t t) const { return inputs_of(t) > 0; }
  // Of one with inputs.
  float all_pairs(std::size_t t) const {
    float sum = 0.0F;
    for (const float of_centre : places_[t].pairs) sum += of_centre;
    return sum;
  }
  // One that is not plain, or empty. It is written where it stays: a copy would wait for it.
  void get(std::size_t t, Tile& tile) const {
    const Place& place = places_[t];
    const std::size_t end = t + 1 == tiles_ ? last_output_ : places_[t + 1].output;
    tile.inputs = {inputs_.data() + place.input, inputs_of(t)};
    tile.noise = {outputs_.data() + place.output, end - place.output};
    tile.pairs = place.pairs;
    tile.times = times_.data() + place.input;
    tile.uses = uses_.data() + place.output;
  }

 private:
  struct Place {
    std::uint32_t input;
    std::uint32_t output;
    PerCentre<float> pairs;
  };
  Place& place() { return places_[tiles_ - 1]; }
  std::size_t inputs_of(std::size_t t) const {
    return (t + 1 == tiles_ ? last_input_ : places_[t + 1].input) - places_[t].input;
  }
  // The place of an output of the tile, which is new where none is this word.
  std::uint32_t output(std::uint32_t word) {
    for (std::uint32_t j = place().output; j < last_output_; ++j)
      if (outputs_[j] == word) return j;
    outputs_[last_output_] = word;
    uses_[last_output_] = {};
    return last_output_++;
  }

  std::vector<std::uint32_t> inputs_;
  std::vector<PerCentre<float>> times_;
  std::vector<std::uint32_t> outputs_;
  std::vector<OutputUse> uses_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> token_inputs_;  // per token that is looked at
  std::size_t tiles_ = 0;
  std::uint32_t last_input_ = 0;
  std::uint32_t last_output_ = 0;
};

// Turns tiles of logits into steps; one for each thread.
class TileGradient {
 public:
  // Tiles of at most `inputs` x `outputs`.
  TileGradient(const WordKernels& kernel, std::size_t inputs, std::size_t outputs);

  // Works out what the pairs of a tile weigh. That takes a while to be seen in memory: it is called
  // some time before the step.
  void weigh(const Tile& tile);
  // z, with room up to a multiple of 16, becomes step * (P - W s(z)). What its loss is made of goes
  // to `loss` (WordKernels::sampling_loss).
  void operator()(const Tile& tile, float step, float* z, float* loss) const;

 private:
  // Weights and labels of one input's pairs with all outputs of a plain tile, by how many centres
  // it has and by whose context the input is: bit m for centre m.
  struct Pattern {
    AlignedFloats weight;
    AlignedFloats label;
  };
  static constexpr std::size_t kKinds = std::size_t{1} << kTileCentres;
  void weigh_plain(const Tile& tile);
  void weigh_merged(const Tile& tile);

  const WordKernels& kernel_;
  std::size_t width_;  // of a pattern: outputs, and zeros
  std::array<std::array<Pattern, kKinds>, kTileCentres> patterns_;
  std::array<Pattern, kTileCentres> merged_;  // of a tile's outputs, for each centre
  AlignedFloats weight_;
  AlignedFloats label_;
  bool small_ = true;  // no pair weighs more than kLargestWeight
};

}  // namespace bitsense
