// Hidden vectors of new documents under a trained model: the output rows stay as they are.
//
// Training moves a document by random runs of its words against random noise; inference must give
// the same bytes each time, so nothing in it is random. Each document starts at zero and takes
// `iterations` steps of AdaGrad on the objective of all its words at once, against one noise set,
// evenly spaced quantiles of the noise distribution. Documents do not see each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "train/options.hpp"

namespace bitsense {

struct InferOptions {
  Objective objective = Objective::kSampledSoftmax;
  std::size_t negatives = 64;  // as in training, for the weight of noise under negative sampling
  std::size_t noise = 512;     // quantiles
  std::size_t iterations = 20;
  float learning_rate = 0.1F;
  std::size_t threads = 1;
};

// The trained output table: rows of `stride` floats, zero-padded from dim on, and a bias per word.
struct OutputView {
  const float* rows;
  const float* bias;
  std::size_t dim;
  std::size_t stride;
  const float* row(std::size_t word) const { return rows + word * stride; }
};

// Writes dim floats per document to out. Every id must be below counts.size(). A document without
// words gets zeros.
void infer(const std::string& model, const OutputView& output, const Documents& documents,
           std::span<const std::uint64_t> counts, const InferOptions& options,
           const Kernels& kernels, float* out, const Poll& poll);

}  // namespace bitsense
