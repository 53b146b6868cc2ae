// Disambiguated skip-gram (Grzegorczyk and Kurdziel 2018, EMNLP, D18-1174): several vectors per
// word, one of which a gate chooses from the context.
//
//   c = mean of U_j over the gate's context, scaled to length 1      no gradient flows into U here
//   l_k = (A_0k + A_wk) . c + e_0k + e_wk                            k: the senses of word w
//   z = softmax((l + Gumbel noise) / tau)                            the Concrete relaxation
//   h = sum of z_k S_wk             targets: the words of the context
//
// With g = dloss/dh:  dloss/dS_wk = z_k g,  dloss/dl_k = z_k (g.S_wk - sum of z_i g.S_wi) / tau.
//
// In the first part of a training all words share the gate (A_0, e_0): z = softmax(l), without
// noise, and entropy_cost * H(z) is added to the loss for each target; a negative cost keeps all
// senses alive. Then A_0 and e_0 stay, each word learns its own (A_w, e_w) on top, from zero, and
// tau falls linearly from 1.
//
// Deviations: negative sampling in place of sampled softmax, plain SGD without momentum; one sample
// of the noise per centre, not per pair; the gate sees a wider context than the targets' window,
// and its mean is scaled to length 1, so that its learning rate does not depend on the length of
// U, which small corpora leave short; frequent words are thinned out. The authors copy the shared
// gate into each word's; a sum is the same function, and its gradient too.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "core/rng.hpp"
#include "kernels/float_kernels.hpp"

namespace bitsense {

// Standard Gumbel noise, -log(-log(u)), at evenly spaced quantiles.
class GumbelTable {
 public:
  GumbelTable() {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(kSize);
      values_[i] = static_cast<float>(-std::log(-std::log(u)));
    }
  }
  float draw(Rng& rng) const { return values_[rng.next() >> (64 - kBits)]; }

 private:
  static constexpr std::size_t kBits = 12;
  static constexpr std::size_t kSize = std::size_t{1} << kBits;
  std::array<float, kSize> values_;
};

struct DisambiguatedSkipGram {
  static constexpr const char* name = "disambiguated-skip-gram";
  static constexpr std::size_t kRun = 8;  // centres that share their noise
  static constexpr std::size_t kMostSenses = 64;

  // z = softmax(l / tau), in place; l has room up to a multiple of 16.
  static void relax(const FloatKernels& kernel, std::span<float> l, float tau) {
    const float top = *std::max_element(l.begin(), l.end());
    for (float& x : l) x = (x - top) / tau;
    const std::size_t whole = (l.size() + 15) / 16 * 16;
    std::fill(l.data() + l.size(), l.data() + whole, 0.0F);
    kernel.exp(l.data(), l.data(), whole);
    float sum = 0.0F;
    for (const float x : l) sum += x;
    for (float& x : l) x /= sum;
  }

  // pull_k = -g.S_wk becomes -dloss/dl_k.
  static void pull_gate(std::span<const float> z, float tau, std::span<float> pull) {
    float mean = 0.0F;
    for (std::size_t k = 0; k < z.size(); ++k) mean += z[k] * pull[k];
    for (std::size_t k = 0; k < z.size(); ++k) pull[k] = z[k] * (pull[k] - mean) / tau;
  }

  // Adds -d(cost * H(z))/dl_k, where H(z) = -sum of z_k log z_k.
  static void pull_entropy(std::span<const float> z, float cost, std::span<float> pull) {
    std::array<float, kMostSenses> logs;
    float entropy = 0.0F;
    for (std::size_t k = 0; k < z.size(); ++k) {
      logs[k] = static_cast<float>(std::log(static_cast<double>(std::max(z[k], 1e-9F))));
      entropy -= z[k] * logs[k];
    }
    for (std::size_t k = 0; k < z.size(); ++k) pull[k] += cost * z[k] * (logs[k] + entropy);
  }
};

}  // namespace bitsense
