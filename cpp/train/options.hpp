// What a training run is told, and what it trains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"

namespace bitsense {

enum class Objective { kSampledSoftmax, kNegativeSampling };
// Of the words' rows. The documents always move by AdaGrad: they meet so few steps, short ones
// above all, that plain SGD would leave them where they started. So does a projection.
enum class Optimizer { kAdaGrad, kSgd };

constexpr float kFirstSquare = 0.1F;  // AdaGrad's accumulators at the start, as TensorFlow has it

struct TrainOptions {
  Objective objective = Objective::kSampledSoftmax;
  Optimizer optimizer = Optimizer::kAdaGrad;
  std::size_t epochs = 10;
  std::size_t negatives = 64;  // noise words that a target sees
  std::size_t run = 16;        // targets of one document in a block
  std::size_t batch = 64;      // documents in a block
  float learning_rate = 0.05F;
  float document_rate = 1.0F;  // times learning_rate: the rate of the documents' own rows
  float context_rate = 1.0F;   // and that of the rows of words that are inputs
  float projection_rate = 1.0F;
  std::size_t context = 0;  // words on each side of a target that its hidden vector is made from
  bool round_words = true;  // whether those of a binary model are rounded too
  float subsample = 0.0F;   // frequency above which words are thinned out; 0 keeps all
  float dropout = 0.0F;
  std::uint64_t seed = 0;
  std::size_t threads = 1;
  bool deterministic = true;
};

// Documents as runs of word ids: document i is ids[offsets[i] .. offsets[i + 1]).
struct Documents {
  std::span<const std::uint32_t> ids;
  std::span<const std::uint64_t> offsets;
  std::size_t count() const { return offsets.size() - 1; }
  std::span<const std::uint32_t> operator[](std::size_t i) const {
    return ids.subspan(offsets[i], offsets[i + 1] - offsets[i]);
  }
};

// Documents that are near one another, for the models that learn from them: those of document i are
// rows[i * each .. (i + 1) * each).
struct Neighbors {
  std::span<const std::uint32_t> rows;
  std::size_t each = 0;  // 0: there are none
  float weight = 0.0F;   // of a neighbour's words among the targets
};

// The learned tables. Row w of `output` and bias[w] are the softmax weights of word w; row i of
// `hidden` is what document i is made from. Row w of `context` is word w as an input, and
// `projection` turns a document's row into what is rounded; they are empty where a model has none.
struct Parameters {
  Matrix hidden;
  Matrix output;
  std::vector<float> bias;
  Matrix context;
  Matrix projection;
};

}  // namespace bitsense
