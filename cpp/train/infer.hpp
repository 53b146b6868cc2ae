// Rows of new documents under a trained model: all other tables stay as they are.
//
// Training moves a document by random runs of its words against random noise; inference must give
// the same bytes each time, so nothing in it is random. Each document starts at zero and takes
// `iterations` steps of AdaGrad on the objective of all its words at once, against one noise set,
// evenly spaced quantiles of the noise distribution. Documents do not see each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "models/inputs.hpp"
#include "train/noise.hpp"
#include "train/objective.hpp"
#include "train/options.hpp"

namespace bitsense {

struct InferOptions {
  Objective objective = Objective::kSampledSoftmax;
  std::size_t negatives = 64;  // as in training, for the weight of noise under negative sampling
  std::size_t noise = 512;     // quantiles
  std::size_t iterations = 20;
  float learning_rate = 0.1F;
  std::size_t threads = 1;
  bool round_words = true;  // as in training
};

// Rows of `stride` floats, zero-padded from dim on.
struct TableView {
  const float* rows = nullptr;
  std::size_t count = 0;
  std::size_t dim = 0;
  std::size_t stride = 0;
  const float* row(std::size_t i) const { return rows + i * stride; }
};

// The trained tables: softmax weights and a bias for each word, the rows of context words and the
// projection where the model has them.
struct ModelView {
  TableView output;
  const float* bias = nullptr;
  Shape shape{};
  TableView context{};
  TableView projection{};
  const float* idf = nullptr;  // per word, of the training documents; for the encoders
};

// The noise that all documents share.
struct FixedNoise {
  FixedNoise(const ModelView& model, std::span<const std::uint64_t> counts,
             const InferOptions& options);

  float shift(const ModelView& model, std::uint32_t word) const {
    return model.bias[word] + objective.target_shift(word, set);
  }

  NoiseDistribution distribution;
  BlockObjective objective;
  NoiseSet set;
  NoiseTerms terms;
  std::vector<std::uint32_t> place_of;  // per word: its place in the set, or kUnseen
  std::vector<const float*> rows;
};

// Writes shape.dim floats per document to out. Every id must be below counts.size(), and the tables
// must have the shapes of a model of this name. A document without words gets zeros.
void infer(const std::string& model, const ModelView& view, const Documents& documents,
           std::span<const std::uint64_t> counts, const InferOptions& options,
           const Kernels& kernels, float* out, const Poll& poll);

}  // namespace bitsense
