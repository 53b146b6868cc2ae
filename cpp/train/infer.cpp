#include "train/infer.hpp"

#include <algorithm>
#include <vector>

#include "models/registry.hpp"
#include "train/block.hpp"
#include "train/objective.hpp"

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
  Inference(const OutputView& output, const Documents& documents,
            std::span<const std::uint64_t> counts, const InferOptions& options,
            const Kernels& kernels)
      : output_(output),
        documents_(documents),
        options_(options),
        kernel_(*kernels.floats),
        distribution_(counts),
        objective_(options.objective, options.negatives, distribution_),
        noise_(distribution_.quantiles(options.noise)),
        place_of_(counts.size(), kUnseen) {
    objective_.noise_terms(noise_, output.bias, terms_);
    for (std::size_t j = 0; j < noise_.words.size(); ++j) {
      place_of_[noise_.words[j]] = static_cast<std::uint32_t>(j);
      noise_rows_.push_back(output.row(noise_.words[j]));
    }
  }

  std::size_t tiles() const { return (documents_.count() + kTile - 1) / kTile; }

  template <class Model>
  void infer_tile(std::size_t tile, float* out) const;

 private:
  void fill(std::size_t document, Bag& bag) const;

  OutputView output_;
  Documents documents_;
  InferOptions options_;
  const FloatKernels& kernel_;
  NoiseDistribution distribution_;
  BlockObjective objective_;
  NoiseSet noise_;
  NoiseTerms terms_;
  std::vector<std::uint32_t> place_of_;
  std::vector<const float*> noise_rows_;
};

void Inference::fill(std::size_t document, Bag& bag) const {
  std::vector<std::uint32_t> words(documents_[document].begin(), documents_[document].end());
  std::sort(words.begin(), words.end());
  for (std::size_t i = 0; i < words.size();) {
    std::size_t end = i;
    while (end < words.size() && words[end] == words[i]) ++end;
    bag.rows.push_back(output_.row(words[i]));
    bag.weights.push_back(static_cast<float>(end - i));
    bag.shifts.push_back(output_.bias[words[i]] + objective_.target_shift(words[i], noise_.draws));
    bag.noise.push_back(place_of_[words[i]]);
    i = end;
  }
  bag.logits.resize(bag.rows.size());
}

template <class Model>
void Inference::infer_tile(std::size_t tile, float* out) const {
  const std::size_t n = output_.stride;
  const std::size_t first = tile * kTile;
  const std::size_t count = std::min(kTile, documents_.count() - first);
  TileScratch scratch(n, noise_rows_.size());
  AlignedFloats logits(kTile * noise_rows_.size());
  Matrix values(kTile, output_.dim), squares(kTile, output_.dim), hidden(kTile, output_.dim),
      gradient(kTile, output_.dim);
  const float* h[kTile];
  float* g[kTile];
  Bag bags[kTile];
  TargetTerms targets[kTile];
  for (std::size_t l = 0; l < count; ++l) {
    fill(first + l, bags[l]);
    std::fill_n(squares.row(l), n, kFirstSquare);
    h[l] = hidden.row(l);
    g[l] = gradient.row(l);
    targets[l] = {bags[l].logits, bags[l].weights, bags[l].noise};
  }
  double losses[kTile] = {};
  for (std::size_t step = 0; step < options_.iterations; ++step) {
    const float left = 1.0F - static_cast<float>(step) / static_cast<float>(options_.iterations);
    for (std::size_t l = 0; l < count; ++l) {
      Bag& bag = bags[l];
      Model::forward(kernel_, values.row(l), hidden.row(l), n);
      kernel_.dots(h[l], bag.rows.data(), bag.rows.size(), bag.logits.data(), n);
      for (std::size_t t = 0; t < bag.logits.size(); ++t) bag.logits[t] += bag.shifts[t];
    }
    scratch.noise_logits(kernel_, {h, count}, noise_rows_, logits.data());
    objective_.score(kernel_, terms_, logits.data(), {targets, count}, losses);
    scratch.pull_noise(kernel_, noise_rows_, logits.data(), {g, count});
    for (std::size_t l = 0; l < count; ++l) {
      const float* factors = bags[l].logits.data();
      kernel_.multiply(&factors, 1, bags[l].rows.data(), bags[l].rows.size(), &g[l], 1, n, true);
      Model::backward(kernel_, values.row(l), g[l], n);
      kernel_.adagrad(values.row(l), squares.row(l), g[l], options_.learning_rate * left, n);
    }
  }
  for (std::size_t l = 0; l < count; ++l)
    std::copy_n(values.row(l), output_.dim, out + (first + l) * output_.dim);
}

}  // namespace

void infer(const std::string& model, const OutputView& output, const Documents& documents,
           std::span<const std::uint64_t> counts, const InferOptions& options,
           const Kernels& kernels, float* out, const Poll& poll) {
  const Inference inference(output, documents, counts, options, kernels);
  Models::with(model, [&](auto m) {
    parallel_for(
        options.threads, inference.tiles(),
        [&](std::size_t tile, std::size_t) { inference.infer_tile<decltype(m)>(tile, out); }, poll);
  });
}

}  // namespace bitsense
