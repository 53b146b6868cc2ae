// Noise words: the distribution they come from and the sets that blocks and inference use.
//
//   q_w = count_w^0.75 / sum of count^0.75        (Mikolov et al. 2013, arXiv:1310.4546)
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/alias.hpp"
#include "core/rng.hpp"

namespace bitsense {

constexpr double kNoisePower = 0.75;

// The logarithm as a float, by way of double: that of floats differs between C libraries.
inline float float_log(double x) { return static_cast<float>(std::log(x)); }

// Distinct words with how often each was drawn.
struct NoiseSet {
  std::vector<std::uint32_t> words;
  std::vector<float> times;
  std::size_t draws = 0;
  float log_draws = 0.0F;  // a logarithm takes longer than the rest of what a word costs

  void begin(std::size_t of_draws) {
    words.clear();
    times.clear();
    draws = of_draws;
    log_draws = float_log(static_cast<double>(draws));
  }
};

class NoiseDistribution {
 public:
  explicit NoiseDistribution(std::span<const std::uint64_t> counts);

  std::size_t words() const { return table_.size(); }

  std::uint32_t sample(Rng& rng) const { return table_.sample(rng); }
  double largest_probability() const { return largest_; }

  // log(draws * q_w) for the draws of a set: what sampled softmax subtracts from the logit of w.
  float log_expected(std::uint32_t word, const NoiseSet& set) const {
    return log_probability_[word] + set.log_draws;
  }

  // `draws` independent words, put in the order of their first drawing. `seen` holds one entry per
  // word of the vocabulary, all of them kUnseen before and after.
  void draw(Rng& rng, std::size_t draws, std::vector<std::uint32_t>& seen, NoiseSet& set) const;

  // The words at `draws` evenly spaced quantiles of the distribution: a sample without randomness.
  NoiseSet quantiles(std::size_t draws) const;

  static constexpr std::uint32_t kUnseen = 0xffffffffU;

 private:
  AliasTable table_;
  std::vector<double> probability_;
  double largest_ = 0.0;
  std::vector<float> log_probability_;
};

}  // namespace bitsense
