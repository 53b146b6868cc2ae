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

  // Fills plan.context_of. A token is looked for in the contexts of all centres near it, without a
  // branch: how wide a window is cannot be foreseen.
  static void turn_contexts(WordPlan& plan, std::size_t window) {
    const auto reach = static_cast<std::uint32_t>(window);
    std::size_t contexts = 0;
    for (const Centre& centre : plan.centres) contexts += centre.contexts();
    plan.context_begins.resize(plan.tokens.size() + 1);
    plan.context_of.resize(contexts + 1);  // one place for what is no context
    std::uint32_t* const of = plan.context_of.data();
    std::uint32_t filled = 0;
    std::size_t near = 0;
    for (std::uint32_t t = 0; t < plan.tokens.size(); ++t) {
      plan.context_begins[t] = filled;
      while (near < plan.centres.size() && plan.centres[near].at + reach < t) ++near;
      for (std::size_t c = near; c < plan.centres.size(); ++c) {
        const Centre& centre = plan.centres[c];
        if (centre.at > t + reach) break;
        of[filled] = static_cast<std::uint32_t>(c);
        const bool is_context = centre.first <= t && t < centre.last;
        filled += static_cast<std::uint32_t>(is_context & (centre.at != t));
      }
    }
    plan.context_begins[plan.tokens.size()] = filled;
  }
};

}  // namespace bitsense
