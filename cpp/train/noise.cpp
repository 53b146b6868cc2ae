#include "train/noise.hpp"

#include <algorithm>

#include "core/errors.hpp"

namespace bitsense {

namespace {

std::vector<double> noise_weights(std::span<const std::uint64_t> counts) {
  require(!counts.empty(), "`counts` must name at least one word, got none");
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const std::uint64_t count : counts)
    weights.push_back(std::pow(static_cast<double>(count > 0 ? count : 1), kNoisePower));
  return weights;
}

}  // namespace

NoiseDistribution::NoiseDistribution(std::span<const std::uint64_t> counts)
    : table_(noise_weights(counts)) {
  probability_ = table_.probabilities();
  largest_ = *std::max_element(probability_.begin(), probability_.end());
  log_probability_.reserve(counts.size());
  for (const double probability : probability_) log_probability_.push_back(float_log(probability));
}

void NoiseDistribution::draw(Rng& rng, std::size_t draws, std::vector<std::uint32_t>& seen,
                             NoiseSet& set) const {
  set.begin(draws);
  for (std::size_t i = 0; i < draws; ++i) {
    const std::uint32_t word = table_.sample(rng);
    std::uint32_t& place = seen[word];
    if (place == kUnseen) {
      place = static_cast<std::uint32_t>(set.words.size());
      set.words.push_back(word);
      set.times.push_back(1.0F);
    } else {
      set.times[place] += 1.0F;
    }
  }
  for (const std::uint32_t word : set.words) seen[word] = kUnseen;
}

NoiseSet NoiseDistribution::quantiles(std::size_t draws) const {
  NoiseSet set;
  set.begin(draws);
  double below = 0.0;
  std::size_t i = 0;
  for (std::size_t w = 0; w < words() && i < draws; ++w) {
    const double above = w + 1 == words() ? 2.0 : below + probability_[w];
    std::size_t times = 0;
    while (i < draws && (static_cast<double>(i) + 0.5) / static_cast<double>(draws) < above) {
      ++i;
      ++times;
    }
    below = above;
    if (times == 0) continue;
    set.words.push_back(static_cast<std::uint32_t>(w));
    set.times.push_back(static_cast<float>(times));
  }
  return set;
}

}  // namespace bitsense
