// Skip-gram with negative sampling (Mikolov et al. 2013, arXiv:1310.4546).
//
//   h_c = input row of a context word c       target: the centre
//
// Deviation: one set of noise words serves all words of a context (Ji et al. 2016,
// arXiv:1611.06172). As in the authors' program the context words are the inputs and the centre is
// predicted.
#pragma once

#include "train/tiles.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

struct SkipGram {
  static constexpr const char* name = "skip-gram";

  // Adds the tile of a centre, the c-th of the plan: an empty one where no word is in it twice, so
  // that it is just what the plan has.
  static void add_tile(const WordPlan& plan, std::size_t c, std::size_t negatives, Tiles& tiles) {
    tiles.begin();
    if (is_distinct(plan, c, negatives)) return;
    const Centre& centre = plan.centres[c];
    for (std::uint32_t j = centre.first; j < centre.last; ++j) {
      if (j == centre.at) continue;
      if (!tiles.repeat_input(plan.tokens[j])) tiles.add_input(plan.tokens[j]);
    }
    // The target is no noise: that draw is void.
    for (const std::uint32_t word : noise(plan, c, negatives))
      if (word != plan.tokens[centre.at]) tiles.add_noise(word);
  }

  // The tile of a centre that has been added.
  static Tile tile(const WordPlan& plan, std::size_t c, std::size_t negatives) {
    Tile made = plan.tiles[c];
    if (!made.inputs.empty()) return made;
    const Centre& centre = plan.centres[c];
    const std::span<const std::uint32_t> tokens(plan.tokens);
    made.inputs = tokens.subspan(centre.first, centre.last - centre.first);
    made.skipped = centre.at - centre.first;
    made.noise = noise(plan, c, negatives);
    made.targets = static_cast<float>(centre.contexts());
    return made;
  }

 private:
  static std::span<const std::uint32_t> noise(const WordPlan& plan, std::size_t c,
                                              std::size_t negatives) {
    return std::span<const std::uint32_t>(plan.noise).subspan(c * negatives, negatives);
  }
  // Whether a centre's noise and target, and its context and target, have no word twice.
  static bool is_distinct(const WordPlan& plan, std::size_t c, std::size_t negatives) {
    const Centre& centre = plan.centres[c];
    bool repeats = plan.repeats[centre.last - 1] > centre.first;
    const std::span<const std::uint32_t> drawn = noise(plan, c, negatives);
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      repeats |= drawn[k] == plan.tokens[centre.at];
      for (std::size_t l = 0; l < k; ++l) repeats |= drawn[k] == drawn[l];
    }
    return !repeats;
  }
};

}  // namespace bitsense
