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

  // Adds the tile of a centre, the c-th of the plan.
  static void add_tile(const WordPlan& plan, std::size_t c, std::size_t negatives, Tiles& tiles) {
    const Centre& centre = plan.centres[c];
    tiles.begin();
    tiles.add_target(plan.tokens[centre.at]);
    for (std::uint32_t j = centre.first; j < centre.last; ++j) {
      if (j == centre.at) continue;
      const std::uint32_t before = plan.previous[j];
      // Only a word that occurred in this context before needs to be looked for.
      if (before == WordPlan::kNone || before < centre.first || !tiles.repeat_input(plan.tokens[j]))
        tiles.add_input(plan.tokens[j]);
    }
    for (std::size_t k = 0; k < negatives; ++k) tiles.add_noise(plan.noise[c * negatives + k]);
  }
};

}  // namespace bitsense
