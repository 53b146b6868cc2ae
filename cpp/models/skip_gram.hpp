// Skip-gram with negative sampling (Mikolov et al. 2013, arXiv:1310.4546).
//
//   h_c = input row of a context word c       target: the centre
//
// Deviation: kRun consecutive centres share one set of noise words, for all words of their contexts
// (Ji et al. 2016, arXiv:1611.06172, share those of one centre). As in the authors' program the
// context words are the inputs and the centre is predicted.
#pragma once

#include <algorithm>

#include "train/tiles.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

struct SkipGram {
  static constexpr const char* name = "skip-gram";
  static constexpr std::size_t kRun = kTileCentres;

  // Adds the tile of a run, `count` centres from the c-th of the plan on: an empty one where no
  // word is in it twice, so that it is just what the plan has.
  static void add_tile(const WordPlan& plan, std::size_t c, std::size_t count,
                       std::size_t negatives, Tiles& tiles) {
    tiles.begin(c);
    if (!is_distinct(plan, c, count, negatives)) merge(plan, c, count, negatives, tiles);
  }

  // The tile of a run that has been added.
  static Tile tile(const WordPlan& plan, std::size_t c, std::size_t count, std::size_t negatives) {
    Tile made;
    if (plan.tiles.has_inputs(c)) {
      plan.tiles.get(c, made);
      return made;
    }
    const auto [first, last] = tokens_of(plan, c, count);
    const std::span<const std::uint32_t> tokens(plan.tokens);
    made.inputs = tokens.subspan(first, last - first);
    made.targets = tokens.subspan(plan.centres[c].at, count);
    made.noise = noise(plan, c, negatives);
    made.reaches = reaches(plan, c, count, first);
    for (std::size_t m = 0; m < count; ++m)
      made.pairs[m] = static_cast<float>(plan.centres[c + m].contexts());
    if (count == 1) made.skipped = made.reaches[0].at;
    return made;
  }
  // How many pairs of an input and its target it has, repeats counted.
  static float pairs(const WordPlan& plan, std::size_t c, std::size_t count) {
    if (plan.tiles.has_inputs(c)) return plan.tiles.all_pairs(c);
    std::uint32_t sum = 0;
    for (std::size_t m = 0; m < count; ++m) sum += plan.centres[c + m].contexts();
    return static_cast<float>(sum);
  }

 private:
  static void merge(const WordPlan& plan, std::size_t c, std::size_t count, std::size_t negatives,
                    Tiles& tiles) {
    const auto [first, last] = tokens_of(plan, c, count);
    const std::span<const std::uint32_t> tokens(plan.tokens);
    const std::span<const std::uint32_t> previous(plan.previous);
    tiles.add_inputs(tokens.subspan(first, last - first), previous.subspan(first, last - first),
                     first, reaches(plan, c, count, first));
    for (std::size_t m = 0; m < count; ++m) tiles.add_target(plan.word(c + m), m);
    // A target is no noise for itself: that draw is void.
    for (const std::uint32_t word : noise(plan, c, negatives))
      for (std::size_t m = 0; m < count; ++m)
        if (word != plan.word(c + m)) tiles.add_noise(word, m);
  }
  struct Tokens {
    std::uint32_t first;
    std::uint32_t last;
  };
  // From the first to behind the last token of what centres and their contexts are.
  static Tokens tokens_of(const WordPlan& plan, std::size_t c, std::size_t count) {
    Tokens all = {plan.centres[c].first, plan.centres[c].last};
    for (std::size_t m = 1; m < count; ++m) {
      all.first = std::min(all.first, plan.centres[c + m].first);
      all.last = std::max(all.last, plan.centres[c + m].last);
    }
    return all;
  }
  // Within the tokens from `first` on.
  static PerCentre<Reach> reaches(const WordPlan& plan, std::size_t c, std::size_t count,
                                  std::uint32_t first) {
    PerCentre<Reach> made{};
    for (std::size_t m = 0; m < count; ++m) {
      const Centre& centre = plan.centres[c + m];
      made[m] = {centre.first - first, centre.last - first, centre.at - first};
    }
    return made;
  }
  static std::span<const std::uint32_t> noise(const WordPlan& plan, std::size_t c,
                                              std::size_t negatives) {
    return std::span<const std::uint32_t>(plan.noise).subspan(c * negatives, negatives);
  }
  // Whether the centres of a run stand side by side, and their noise and they themselves, and they
  // and their contexts, have no word twice.
  static bool is_distinct(const WordPlan& plan, std::size_t c, std::size_t count,
                          std::size_t negatives) {
    const Centre& last_one = plan.centres[c + count - 1];
    if (last_one.at - plan.centres[c].at != count - 1 || last_one.begin != plan.centres[c].begin)
      return false;
    const auto [first, last] = tokens_of(plan, c, count);
    bool repeats = plan.repeats[last - 1] > first;
    const std::span<const std::uint32_t> drawn = noise(plan, c, negatives);
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      for (std::size_t m = 0; m < count; ++m) repeats |= drawn[k] == plan.word(c + m);
      for (std::size_t l = 0; l < k; ++l) repeats |= drawn[k] == drawn[l];
    }
    return !repeats;
  }
};

}  // namespace bitsense
