// Continuous bag of words with negative sampling (Mikolov et al. 2013, arXiv:1301.3781, 1310.4546).
//
//   h = mean of the input rows of the context words       target: the centre
//   dloss/d(row) = dloss/dh / C                           C: rows of the context
//
// Deviations: kRun consecutive centres share one set of noise words. The gradient of a row is
// divided by C, as the mean demands (Irsoy, Benton and Stratos 2021, arXiv:2012.15332); word2vec.c
// and gensim leave that out, so the learning rate is larger here.
#pragma once

#include "train/tiles.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

struct Cbow {
  static constexpr const char* name = "cbow";
  static constexpr std::size_t kRun = 6;

  // Adds the tile of the run that begins with the c-th centre of the plan: its noise.
  static void add_tile(const WordPlan& plan, std::size_t c, std::size_t negatives, Tiles& tiles) {
    tiles.begin(c);
    for (std::size_t k = 0; k < negatives; ++k) tiles.add_noise(plan.noise[c * negatives + k], 0);
  }

  // Fills plan.contexts. A word has the rows of its bag, if there are `bags`, or one.
  static void add_contexts(WordPlan& plan, const Bags& bags);
};

}  // namespace bitsense
