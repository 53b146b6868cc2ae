// What plans of words are made of.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "models/cbow.hpp"
#include "train/subsample.hpp"

namespace bitsense {

namespace {

// Counts in any order: the rarest words are always kept, also where a frequent one follows them.
void words_are_kept_by_their_frequency() {
  const std::vector<std::uint64_t> counts = {900, 1, 400, 2, 3000, 1, 1};
  constexpr double kThreshold = 0.15;
  const Subsample subsample(counts, kThreshold);
  double total = 0.0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  for (std::uint32_t word = 0; word < counts.size(); ++word) {
    const double ratio = kThreshold * total / static_cast<double>(counts[word]);
    const double share = std::sqrt(ratio) + ratio;
    BITSENSE_CHECK(subsample.keeps(word, 0));
    BITSENSE_CHECK(subsample.keeps(word, 0xffffffffU) == (share >= 1.0));
    if (share >= 1.0) continue;
    const auto most = static_cast<std::uint32_t>(share * 4294967295.0);
    BITSENSE_CHECK(subsample.keeps(word, most) && !subsample.keeps(word, most + 1));
  }
  for (std::uint32_t word = 0; word < counts.size(); ++word)
    BITSENSE_CHECK(Subsample(counts, 0.0).keeps(word, 0xffffffffU));
}

// The contexts of blocks, and what stands behind the last centre: the kernels read on.
void contexts_are_those_of_the_centres() {
  WordPlan plan;
  constexpr std::uint32_t kTokens = 300;
  for (std::uint32_t t = 0; t < kTokens; ++t) {
    plan.tokens.push_back(t % 50);
    const std::uint32_t half = 1 + t % 5;  // a window may begin before the one before it
    if (t % 7 != 0)
      plan.centres.push_back(
          {t, t - std::min(t, half), std::min(t + half + 1, kTokens), 0, kTokens});
  }
  const auto centres = static_cast<std::uint32_t>(plan.centres.size());
  plan.blocks = {0, 100, 101, centres};
  Cbow::add_contexts(plan, {});
  const Contexts& contexts = plan.contexts;
  BITSENSE_CHECK(contexts.tokens.size() == 3 && contexts.at.size() == centres + kRowQuantum);
  for (std::size_t b = 0; b < 3; ++b) {
    std::uint32_t begin = kTokens;
    std::uint32_t end = 0;
    for (std::uint32_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
      const Centre& centre = plan.centres[c];
      begin = std::min(begin, centre.first);
      end = std::max(end, centre.last);
      const Windows one = contexts.windows(c, 1);
      BITSENSE_CHECK(*one.first == centre.first && *one.last == centre.last);
      BITSENSE_CHECK(*one.at == centre.at);
      BITSENSE_CHECK(*one.share == 1.0F / static_cast<float>(centre.contexts()));
    }
    BITSENSE_CHECK(contexts.tokens[b].begin == begin && contexts.tokens[b].end == end);
  }
}

}  // namespace

void plan_tests(Suite& test) {
  test("words are kept by their frequency", words_are_kept_by_their_frequency);
  test("contexts are those of the centres", contexts_are_those_of_the_centres);
}

}  // namespace bitsense
