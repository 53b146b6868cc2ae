// Continuous bag of words with negative sampling (Mikolov et al. 2013, arXiv:1301.3781, 1310.4546).
//
//   h = mean of the input rows of the context words       target: the centre
//   dloss/d(row) = dloss/dh / C                           C: words of the context
//
// Deviations: kRun consecutive centres share one set of noise words. The gradient of a row is
// divided by C, as the mean demands (Irsoy, Benton and Stratos 2021, arXiv:2012.15332); word2vec.c
// and gensim leave that out, so the learning rate is larger here.
#pragma once

#include "train/tiles.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

struct Cbow {
  static constexpr const char* name = "cbow";
  static constexpr std::size_t kRun = 4;  // centres of a tile
  // An input of a tile is a centre: the mean of the rows of its context.
  static constexpr bool kInputIsContext = true;

  static void make(const WordPlan& plan, std::size_t begin, std::size_t end, std::size_t negatives,
                   Tile& tile) {
    tile.clear();
    for (std::size_t c = begin; c < end; ++c)
      tile.add_input(static_cast<std::uint32_t>(c),
                     tile.add_target(plan.tokens[plan.centres[c].at]));
    for (std::size_t k = 0; k < negatives; ++k) tile.add_noise(plan.noise[begin * negatives + k]);
  }
};

}  // namespace bitsense
