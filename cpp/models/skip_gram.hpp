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
  static constexpr std::size_t kRun = 1;  // centres of a tile
  // An input of a tile is a word: its row, or the mean of its rows.
  static constexpr bool kInputIsContext = false;

  // The tile of the centres [begin, end) of a plan, end - begin <= kRun.
  static void make(const WordPlan& plan, std::size_t begin, std::size_t /*end*/,
                   std::size_t negatives, Tile& tile) {
    tile.clear();
    const Centre& centre = plan.centres[begin];
    const std::uint32_t target = tile.add_target(plan.tokens[centre.at]);
    for (std::uint32_t j = centre.first; j < centre.last; ++j) {
      if (j == centre.at) continue;
      const std::uint32_t before = plan.previous[j];
      // Only a word that occurred in this context before needs to be looked for.
      if (before == WordPlan::kNone || before < centre.first || !tile.repeat_input(plan.tokens[j]))
        tile.add_input(plan.tokens[j], target);
    }
    for (std::size_t k = 0; k < negatives; ++k) tile.add_noise(plan.noise[begin * negatives + k]);
  }
};

}  // namespace bitsense
