#include "train/infer.hpp"

#include <algorithm>
#include <vector>

#include "models/registry.hpp"
#include "train/block.hpp"
#include "train/infer_context.hpp"
#include "train/infer_words.hpp"
#include "train/word_bags.hpp"

namespace bitsense {

namespace {

constexpr std::uint32_t kUnseen = NoiseDistribution::kUnseen;

// A document as distinct words with their counts.
struct Bag {
  std::vector<const float*> rows;
  std::vector<float> weights;
  std::vector<float> shifts;  // bias and the objective's constant
  std::vector<std::uint32_t> noise;
  std::vector<float> logits;
};

class Inference {
 public:
  Inference(const ModelView& model, const Documents& documents, const FixedNoise& noise,
            const InferOptions& options, const Kernels& kernels)
      : model_(model),
        documents_(documents),
        options_(options),
        kernel_(*kernels.floats),
        noise_(noise) {
    for (std::size_t j = 0; j < model.projection.count; ++j)
      projection_.push_back(model.projection.row(j));
  }

  std::size_t tiles() const { return (documents_.count() + kTile - 1) / kTile; }

  template <class Model>
  void infer_tile(std::size_t tile, float* out) const;

 private:
  void fill(std::size_t document, Bag& bag) const;
  template <class Model>
  void compose(const float* values, float* projected, float* hidden) const;
  template <class Model>
  const float* send_back(const float* values, const float* projected, float* g, float* pull) const;

  const ModelView& model_;
  Documents documents_;
  InferOptions options_;
  const FloatKernels& kernel_;
  const FixedNoise& noise_;
  std::vector<const float*> projection_;
};

void Inference::fill(std::size_t document, Bag& bag) const {
  std::vector<std::uint32_t> words(documents_[document].begin(), documents_[document].end());
  for_each_distinct(words, [&](std::uint32_t word, std::size_t times) {
    bag.rows.push_back(model_.output.row(word));
    bag.weights.push_back(static_cast<float>(times));
    bag.shifts.push_back(noise_.shift(model_, word));
    bag.noise.push_back(noise_.place_of[word]);
  });
  bag.logits.resize(bag.rows.size());
}

template <class Model>
void Inference::compose(const float* values, float* projected, float* hidden) const {
  if constexpr (Model::kInputs == Inputs::kProjectedDocument) {
    Model::project(kernel_, values, projection_.data(), projection_.size(), projected,
                   padded(model_.shape.dim));
    values = projected;
  }
  Model::forward(kernel_, values, hidden, model_.output.stride);
}

// Takes the gradient of the hidden vector back to that of the document's row, which it returns.
template <class Model>
const float* Inference::send_back(const float* values, const float* projected, float* g,
                                  float* pull) const {
  if constexpr (Model::kInputs == Inputs::kProjectedDocument) {
    Model::backward(kernel_, projected, g, model_.output.stride);
    Model::project_back(kernel_, g, projection_.data(), projection_.size(), pull,
                        padded(model_.shape.dim));
    return pull;
  } else {
    Model::backward(kernel_, values, g, model_.output.stride);
    return g;
  }
}

template <class Model>
void Inference::infer_tile(std::size_t tile, float* out) const {
  const std::size_t n = model_.output.stride;
  const std::size_t width = padded(model_.shape.dim);
  const std::size_t first = tile * kTile;
  const std::size_t count = std::min(kTile, documents_.count() - first);
  TileScratch scratch(n, noise_.rows.size());
  AlignedFloats logits(kTile * noise_.rows.size()), pull(width);
  Matrix values(kTile, model_.shape.dim), squares(kTile, model_.shape.dim);
  Matrix projected(kTile, model_.output.dim), hidden(kTile, model_.output.dim),
      gradient(kTile, model_.output.dim);
  const float* h[kTile];
  float* g[kTile];
  Bag bags[kTile];
  TargetTerms targets[kTile];
  for (std::size_t l = 0; l < count; ++l) {
    fill(first + l, bags[l]);
    std::fill_n(squares.row(l), width, kFirstSquare);
    h[l] = hidden.row(l);
    g[l] = gradient.row(l);
    targets[l] = {bags[l].logits, bags[l].weights, bags[l].noise};
  }
  double losses[kTile] = {};
  for (std::size_t step = 0; step < options_.iterations; ++step) {
    const float left = 1.0F - static_cast<float>(step) / static_cast<float>(options_.iterations);
    for (std::size_t l = 0; l < count; ++l) {
      Bag& bag = bags[l];
      compose<Model>(values.row(l), projected.row(l), hidden.row(l));
      kernel_.dots(h[l], bag.rows.data(), bag.rows.size(), bag.logits.data(), n);
      for (std::size_t t = 0; t < bag.logits.size(); ++t) bag.logits[t] += bag.shifts[t];
    }
    scratch.noise_logits(kernel_, {h, count}, noise_.rows, logits.data());
    noise_.objective.score(kernel_, noise_.terms, logits.data(), {targets, count}, losses);
    scratch.pull_noise(kernel_, noise_.rows, logits.data(), {g, count});
    for (std::size_t l = 0; l < count; ++l) {
      const float* factors = bags[l].logits.data();
      kernel_.multiply(&factors, 1, bags[l].rows.data(), bags[l].rows.size(), &g[l], 1, n, true);
      const float* asked = send_back<Model>(values.row(l), projected.row(l), g[l], pull.data());
      kernel_.adagrad(values.row(l), squares.row(l), asked, options_.learning_rate * left, width);
    }
  }
  for (std::size_t l = 0; l < count; ++l)
    std::copy_n(values.row(l), model_.shape.dim, out + (first + l) * model_.shape.dim);
}

}  // namespace

FixedNoise::FixedNoise(const ModelView& model, std::span<const std::uint64_t> counts,
                       const InferOptions& options)
    : distribution(counts),
      objective(options.objective, options.negatives, distribution),
      set(distribution.quantiles(options.noise)),
      place_of(counts.size(), kUnseen) {
  objective.noise_terms(set, model.bias, terms);
  for (std::size_t j = 0; j < set.words.size(); ++j) {
    place_of[set.words[j]] = static_cast<std::uint32_t>(j);
    rows.push_back(model.output.row(set.words[j]));
  }
}

void infer(const std::string& model, const ModelView& view, const Documents& documents,
           std::span<const std::uint64_t> counts, const InferOptions& options,
           const Kernels& kernels, float* out, const Poll& poll) {
  Models::with(model, [&](auto m) {
    using Model = decltype(m);
    if constexpr (Model::kInputs == Inputs::kWords) {
      encode_words(view, documents, kernels, options.threads, out, poll);
      return;
    }
    const FixedNoise noise(view, counts, options);
    if constexpr (has_context(Model::kInputs)) {
      const ContextInference<Model> inference(view, documents, noise, options, kernels);
      parallel_for(
          options.threads, documents.count(),
          [&](std::size_t i, std::size_t) { inference.infer_document(i, out); }, poll);
    } else {
      const Inference inference(view, documents, noise, options, kernels);
      parallel_for(
          options.threads, inference.tiles(),
          [&](std::size_t tile, std::size_t) { inference.infer_tile<Model>(tile, out); }, poll);
    }
  });
}

}  // namespace bitsense
