// Inference in models whose hidden vectors have a context. With x the document's part of h, the
// logit of word j at place t is
//
//   z_tj = share_t * (U_j . x) + fixed_tj
//
// where fixed_tj comes from the words around t, which stay as they are: it is worked out once. (The
// share is 1, or 1 / the rows of a mean.) So a step takes products of the document alone:
//
//   dL/dx = sum over j of (sum over t of share_t G_tj) U_j, and the same over the targets
//
// The fixed part of very long documents does not fit in memory; it is then worked out again in each
// step, with the same result.
#pragma once

#include <algorithm>
#include <vector>

#include "train/block.hpp"
#include "train/compose_context.hpp"
#include "train/infer.hpp"

namespace bitsense {

template <class Model>
class ContextInference {
 public:
  ContextInference(const ModelView& model, const Documents& documents, const FixedNoise& noise,
                   const InferOptions& options, const Kernels& kernels)
      : model_(model),
        documents_(documents),
        options_(options),
        kernel_(*kernels.floats),
        noise_(noise),
        slots_(2 * model.shape.context) {}

  // Safe to call from many threads at once.
  void infer_document(std::size_t document, float* out) const;

 private:
  static constexpr bool kMean = Model::kInputs == Inputs::kMean;
  static constexpr std::size_t kMostFixed = std::size_t{1} << 22;  // floats: 16 MiB a thread

  // What one document needs; the places of a tile lie side by side.
  struct Scratch {
    Scratch(const ModelView& model, std::size_t noise, std::size_t places);
    std::size_t tiles, kept;  // tiles whose fixed logits are kept
    TileScratch tile;
    Matrix contexts;       // the words' part of h, a tile of them
    AlignedFloats fixed;   // of the noise, tile after tile; room for one more behind the kept
    AlignedFloats logits;  // of a tile
    AlignedFloats pulls;   // their gradients times the shares, over all tiles
    AlignedFloats noise_dots, noise_factors, input;
    std::vector<const float*> rows;   // of the targets
    std::vector<float> target_fixed;  // their fixed logits
    std::vector<float> target_dots;   // U . x of each, then what the target pulls with
    std::vector<float> shares;        // padded with zeros to whole tiles
  };
  struct Row {
    AlignedFloats values, squares, x, gradient;
  };

  const float* fix_tile(std::span<const std::uint32_t> words, std::size_t tile, Scratch& s) const;
  void score_tile(std::span<const std::uint32_t> words, std::size_t tile, Scratch& s) const;
  void step(std::span<const std::uint32_t> words, float rate, Row& row, Scratch& s) const;

  const ModelView& model_;
  Documents documents_;
  InferOptions options_;
  const FloatKernels& kernel_;
  const FixedNoise& noise_;
  std::size_t slots_;
};

template <class Model>
ContextInference<Model>::Scratch::Scratch(const ModelView& model, std::size_t noise,
                                          std::size_t places)
    : tiles((places + kTile - 1) / kTile),
      kept(std::min(tiles, kMostFixed / (kTile * noise))),
      tile(model.output.stride, noise),
      contexts(kTile, model.output.dim),
      fixed((kept + 1) * kTile * noise),
      logits(kTile * noise),
      pulls(kTile * noise),
      noise_dots(noise),
      noise_factors(noise),
      input(std::max(model.context.stride, padded(model.shape.dim))),
      rows(places),
      target_fixed(places),
      target_dots(places),
      shares(tiles * kTile, 0.0F) {}

// Works out the words' part of the logits of a tile; returns that of the noise.
template <class Model>
const float* ContextInference<Model>::fix_tile(std::span<const std::uint32_t> words,
                                               std::size_t tile, Scratch& s) const {
  const float* h[kTile];
  std::vector<std::uint32_t> around(slots_);
  std::vector<const float*> rows(slots_);
  const std::size_t count = std::min(kTile, words.size() - tile * kTile);
  const std::size_t offset = kMean ? 0 : model_.shape.dim;
  for (std::size_t l = 0; l < count; ++l) {
    const std::size_t place = tile * kTile + l;
    words_around(words, place, model_.shape.context, around.data());
    for (std::size_t slot = 0; slot < slots_; ++slot)
      rows[slot] =
          around[slot] == NoiseDistribution::kUnseen ? nullptr : model_.context.row(around[slot]);
    float* part = s.contexts.row(l);
    if constexpr (kMean) std::fill_n(part, s.contexts.stride(), 0.0F);
    const std::size_t present =
        add_context<Model>(kernel_, rows.data(), slots_, model_.context.dim, model_.context.stride,
                           options_.round_words, part + offset, s.input.data());
    s.shares[place] = kMean ? 1.0F / static_cast<float>(1 + present) : 1.0F;
    if constexpr (kMean)
      for (std::size_t x = 0; x < s.contexts.stride(); ++x) part[x] *= s.shares[place];
    h[l] = part;
    kernel_.dots(part, &s.rows[place], 1, &s.target_fixed[place], model_.output.stride);
    s.target_fixed[place] += noise_.shift(model_, words[place]);
  }
  float* fixed = s.fixed.data() + std::min(tile, s.kept) * kTile * noise_.rows.size();
  s.tile.noise_logits(kernel_, {h, count}, noise_.rows, fixed);
  return fixed;
}

// Adds what the places of a tile pull the noise with to s.pulls; target_dots become the targets'.
template <class Model>
void ContextInference<Model>::score_tile(std::span<const std::uint32_t> words, std::size_t tile,
                                         Scratch& s) const {
  const float* fixed =
      tile < s.kept ? s.fixed.data() + tile * kTile * noise_.rows.size() : fix_tile(words, tile, s);
  const std::size_t first = tile * kTile;
  const std::size_t count = std::min(kTile, words.size() - first);
  const float* shares = s.shares.data() + first;
  for (std::size_t j = 0; j < noise_.rows.size(); ++j)
    for (std::size_t l = 0; l < kTile; ++l)
      s.logits[kTile * j + l] = fixed[kTile * j + l] + shares[l] * s.noise_dots[j];
  TargetTerms targets[kTile];
  for (std::size_t l = 0; l < count; ++l) {
    float& logit = s.target_dots[first + l];
    logit = s.target_fixed[first + l] + shares[l] * logit;
    targets[l] = {{&logit, 1}, {}, {&noise_.place_of[words[first + l]], 1}};
  }
  double losses[kTile] = {};
  noise_.objective.score(kernel_, noise_.terms, s.logits.data(), {targets, count}, losses);
  for (std::size_t j = 0; j < noise_.rows.size(); ++j)
    for (std::size_t l = 0; l < kTile; ++l)
      s.pulls[kTile * j + l] += shares[l] * s.logits[kTile * j + l];
  for (std::size_t l = 0; l < count; ++l) s.target_dots[first + l] *= shares[l];
}

template <class Model>
void ContextInference<Model>::step(std::span<const std::uint32_t> words, float rate, Row& row,
                                   Scratch& s) const {
  const std::size_t n = padded(model_.shape.dim);
  Model::forward(kernel_, row.values.data(), row.x.data(), n);
  kernel_.dots(row.x.data(), noise_.rows.data(), noise_.rows.size(), s.noise_dots.data(), n);
  kernel_.dots(row.x.data(), s.rows.data(), s.rows.size(), s.target_dots.data(), n);
  std::fill_n(s.pulls.data(), s.pulls.size(), 0.0F);
  for (std::size_t tile = 0; tile < s.tiles; ++tile) score_tile(words, tile, s);
  for (std::size_t j = 0; j < noise_.rows.size(); ++j) {
    s.noise_factors[j] = 0.0F;
    for (std::size_t l = 0; l < kTile; ++l) s.noise_factors[j] += s.pulls[kTile * j + l];
  }
  float* gradient = row.gradient.data();
  const float* factors = s.noise_factors.data();
  kernel_.multiply(&factors, 1, noise_.rows.data(), noise_.rows.size(), &gradient, 1, n, false);
  factors = s.target_dots.data();
  kernel_.multiply(&factors, 1, s.rows.data(), s.rows.size(), &gradient, 1, n, true);
  std::fill(gradient + model_.shape.dim, gradient + n, 0.0F);  // a word's part may lie there
  Model::backward(kernel_, row.values.data(), gradient, n);
  kernel_.adagrad(row.values.data(), row.squares.data(), gradient, rate, n);
}

template <class Model>
void ContextInference<Model>::infer_document(std::size_t document, float* out) const {
  const auto words = documents_[document];
  const std::size_t n = padded(model_.shape.dim);
  Row row{AlignedFloats(n), AlignedFloats(n), AlignedFloats(n), AlignedFloats(n)};
  std::fill_n(row.squares.data(), n, kFirstSquare);
  if (!words.empty()) {
    Scratch scratch(model_, noise_.rows.size(), words.size());
    for (std::size_t t = 0; t < words.size(); ++t) scratch.rows[t] = model_.output.row(words[t]);
    for (std::size_t tile = 0; tile < scratch.kept; ++tile) fix_tile(words, tile, scratch);
    for (std::size_t step = 0; step < options_.iterations; ++step) {
      const float left = 1.0F - static_cast<float>(step) / static_cast<float>(options_.iterations);
      this->step(words, options_.learning_rate * left, row, scratch);
    }
  }
  std::copy_n(row.values.data(), model_.shape.dim, out + document * model_.shape.dim);
}

}  // namespace bitsense
