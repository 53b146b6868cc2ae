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
#include "train/word_plan.hpp"

namespace bitsense {

struct Cbow {
  static constexpr const char* name = "cbow";
  static constexpr std::size_t kRun = 4;

  // Adds a tile for a centre, the c-th of the plan: the noise of the run that it begins, or
  // nothing.
  static void add_tile(const WordPlan& plan, std::size_t c, bool begins_run, std::size_t negatives,
                       Tiles& tiles) {
    tiles.begin();
    if (!begins_run) return;
    for (std::size_t k = 0; k < negatives; ++k) tiles.add_noise(plan.noise[c * negatives + k]);
  }

  // Fills plan.context_of.
  static void turn_contexts(WordPlan& plan) {
    std::vector<std::uint32_t>& begins = plan.context_begins;
    begins.assign(plan.tokens.size() + 2, 0);
    const auto for_each = [&](auto&& f) {
      for (std::uint32_t c = 0; c < plan.centres.size(); ++c) {
        const Centre& centre = plan.centres[c];
        for (std::uint32_t j = centre.first; j < centre.at; ++j) f(j, c);
        for (std::uint32_t j = centre.at + 1; j < centre.last; ++j) f(j, c);
      }
    };
    // Counted two places ahead and filled one place ahead, so that each begin ends up in its own.
    for_each([&](std::uint32_t j, std::uint32_t) { ++begins[j + 2]; });
    for (std::size_t t = 2; t < begins.size(); ++t) begins[t] += begins[t - 1];
    plan.context_of.resize(begins.back());
    for_each([&](std::uint32_t j, std::uint32_t c) { plan.context_of[begins[j + 1]++] = c; });
  }
};

}  // namespace bitsense
