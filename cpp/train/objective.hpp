// The two objectives of a block, each with its gradient with respect to the logits.
//
// A document with hidden vector h has targets t and shares noise words j with the rest of its
// block; word j was drawn m_j times in N. All logits are z = W . h + c, those of noise stand in a
// tile.
//
// Sampled softmax (Jean et al. 2015, arXiv:1412.2007): z' = z - log(N q), and with
//   E_j = m_j exp(z'_j),  Z_t = exp(z'_t) + sum of E_j over j != t,
//   loss_t = -log(exp(z'_t) / Z_t),
//   dloss/dz_t = exp(z'_t) / Z_t - 1,  dloss/dz_j = E_j * sum over t != j of 1 / Z_t.
//
// Negative sampling (Mikolov et al. 2013): with the weight of noise v_j = m_j * negatives / N,
//   loss_t = -log s(z_t) - sum of v_j log s(-z_j) over j != t,
//   dloss/dz_t = s(z_t) - 1,  dloss/dz_j = v_j s(z_j) * (number of t != j).
//
// A noise word that is itself the target of its document is no noise for it (accidental hit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/float_kernels.hpp"
#include "train/noise.hpp"
#include "train/options.hpp"

namespace bitsense {

// The constants of a noise set under an objective: z is replaced by z + shift, weight is v_j.
struct NoiseTerms {
  std::vector<float> shift;
  std::vector<float> weight;
};

// The targets of one document: their logits become their gradients.
struct TargetTerms {
  std::span<float> logits;               // W . h + c; on return dloss/dz
  std::span<const float> weights;        // how often each target counts; empty where once
  std::span<const std::uint32_t> noise;  // the target's place in the noise set, or kUnseen
};

class BlockObjective {
 public:
  BlockObjective(Objective objective, std::size_t negatives, const NoiseDistribution& noise)
      : objective_(objective), negatives_(negatives), noise_(noise) {}

  // The terms of the set; bias is that of every word of the vocabulary.
  void noise_terms(const NoiseSet& set, const float* bias, NoiseTerms& terms) const;

  // What is added to W . h + c of this target before score().
  float target_shift(std::uint32_t word, const NoiseSet& set) const;

  // Turns the logits of the tile (noise words x kTile documents) and of the targets of its
  // documents into gradients. documents.size() <= kTile. Adds each document's loss, the sum over
  // its targets, to losses.
  void score(const FloatKernels& kernel, const NoiseTerms& terms, float* tile,
             std::span<TargetTerms> documents, double* losses) const;

 private:
  void score_softmax(const FloatKernels& kernel, const NoiseTerms& terms, float* tile,
                     std::span<TargetTerms> documents, double* losses) const;
  void score_sampling(const FloatKernels& kernel, const NoiseTerms& terms, float* tile,
                      std::span<TargetTerms> documents, double* losses) const;

  Objective objective_;
  std::size_t negatives_;
  const NoiseDistribution& noise_;
};

}  // namespace bitsense
