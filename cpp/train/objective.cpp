#include "train/objective.hpp"

#include <algorithm>
#include <cmath>

namespace bitsense {

namespace {

constexpr std::uint32_t kUnseen = NoiseDistribution::kUnseen;

// The sum of -log of many probabilities; the logarithm is taken of products of a few at a time.
class LogSum {
 public:
  void add(float probability, float weight) {
    if (weight != 1.0F) {
      sum_ -= weight * std::log(static_cast<double>(probability));
      return;
    }
    product_ *= static_cast<double>(probability);
    if (product_ < 1e-200) flush();
  }
  double total() {
    flush();
    return sum_;
  }

 private:
  void flush() {
    sum_ -= std::log(product_);
    product_ = 1.0;
  }
  double sum_ = 0.0;
  double product_ = 1.0;
};

float weight_of(const TargetTerms& targets, std::size_t t) {
  return targets.weights.empty() ? 1.0F : targets.weights[t];
}

// Applies f to a span whose length is not a multiple of the quantum, through a padded copy.
template <class F>
void padded_apply(std::span<float> values, F&& f) {
  constexpr std::size_t kChunk = 16;
  float chunk[kChunk];
  for (std::size_t i = 0; i < values.size(); i += kChunk) {
    const std::size_t n = std::min(kChunk, values.size() - i);
    std::copy_n(values.data() + i, n, chunk);
    std::fill(chunk + n, chunk + kChunk, 0.0F);
    f(chunk, kChunk);
    std::copy_n(chunk, n, values.data() + i);
  }
}

}  // namespace

void BlockObjective::noise_terms(const NoiseSet& set, const float* bias, NoiseTerms& terms) const {
  terms.shift.resize(set.words.size());
  terms.weight.resize(set.words.size());
  const float share = static_cast<float>(negatives_) / static_cast<float>(set.draws);
  for (std::size_t j = 0; j < set.words.size(); ++j) {
    const std::uint32_t word = set.words[j];
    terms.shift[j] = bias[word];
    terms.weight[j] = set.times[j] * share;
    if (objective_ == Objective::kSampledSoftmax)
      terms.shift[j] += float_log(set.times[j]) - noise_.log_expected(word, set);
  }
}

float BlockObjective::target_shift(std::uint32_t word, const NoiseSet& set) const {
  return objective_ == Objective::kSampledSoftmax ? -noise_.log_expected(word, set) : 0.0F;
}

void BlockObjective::score(const FloatKernels& kernel, const NoiseTerms& terms, float* tile,
                           std::span<TargetTerms> documents, double* losses) const {
  if (objective_ == Objective::kSampledSoftmax)
    score_softmax(kernel, terms, tile, documents, losses);
  else
    score_sampling(kernel, terms, tile, documents, losses);
}

void BlockObjective::score_softmax(const FloatKernels& kernel, const NoiseTerms& terms, float* tile,
                                   std::span<TargetTerms> documents, double* losses) const {
  float sums[kTile];
  float factors[kTile] = {};
  kernel.exp_tile(tile, terms.shift.data(), terms.shift.size(), sums);
  struct Hit {
    std::uint32_t noise;
    float inverse;
  };
  std::vector<Hit> hits[kTile];
  for (std::size_t l = 0; l < documents.size(); ++l) {
    TargetTerms& targets = documents[l];
    padded_apply(targets.logits, [&](float* x, std::size_t n) { kernel.exp(x, x, n); });
    LogSum loss;
    for (std::size_t t = 0; t < targets.logits.size(); ++t) {
      const float e = targets.logits[t];
      const float weight = weight_of(targets, t);
      const std::uint32_t hit = targets.noise[t];
      const float others =
          hit == kUnseen ? sums[l] : std::max(0.0F, sums[l] - tile[kTile * hit + l]);
      const float inverse = 1.0F / (e + others);
      const float p = e * inverse;
      targets.logits[t] = weight * (p - 1.0F);
      factors[l] += weight * inverse;
      if (hit != kUnseen) hits[l].push_back({hit, weight * inverse});
      loss.add(std::max(p, 1e-30F), weight);
    }
    losses[l] += loss.total();
  }
  for (std::size_t l = 0; l < documents.size(); ++l)
    for (Hit& hit : hits[l]) hit.inverse *= tile[kTile * hit.noise + l];
  kernel.scale_tile(tile, factors, terms.shift.size());
  for (std::size_t l = 0; l < documents.size(); ++l)
    for (const Hit& hit : hits[l]) tile[kTile * hit.noise + l] -= hit.inverse;
}

void BlockObjective::score_sampling(const FloatKernels& kernel, const NoiseTerms& terms,
                                    float* tile, std::span<TargetTerms> documents,
                                    double* losses) const {
  float sums[kTile];
  float factors[kTile] = {};
  for (std::size_t l = 0; l < documents.size(); ++l)
    for (std::size_t t = 0; t < documents[l].logits.size(); ++t)
      factors[l] += weight_of(documents[l], t);
  kernel.logistic_tile(tile, terms.shift.data(), terms.weight.data(), factors, terms.shift.size(),
                       sums);
  for (std::size_t l = 0; l < documents.size(); ++l) {
    TargetTerms& targets = documents[l];
    padded_apply(targets.logits, [&](float* x, std::size_t n) { kernel.logistic(x, x, n); });
    LogSum loss;
    double hit_loss = 0.0;
    for (std::size_t t = 0; t < targets.logits.size(); ++t) {
      const float s = targets.logits[t];
      const float weight = weight_of(targets, t);
      const std::uint32_t hit = targets.noise[t];
      targets.logits[t] = weight * (s - 1.0F);
      loss.add(std::max(s, 1e-30F), weight);
      if (hit == kUnseen) continue;
      // The noise word is this very target: its logit is the target's, so s is known.
      tile[kTile * hit + l] -= terms.weight[hit] * weight * s;
      hit_loss -= weight * terms.weight[hit] * std::log(std::max(1.0 - s, 1e-30));
    }
    losses[l] += loss.total() + static_cast<double>(factors[l] * sums[l]) - hit_loss;
  }
}

}  // namespace bitsense
