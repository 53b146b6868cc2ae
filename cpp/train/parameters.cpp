// The tables of a model before its training.
#include <algorithm>
#include <cmath>

#include "core/rng.hpp"
#include "models/registry.hpp"
#include "train/noise.hpp"
#include "train/state.hpp"
#include "train/trainer.hpp"

namespace bitsense {

namespace {

// Names of the streams of random numbers; the rows of documents had the first before there were
// others.
constexpr std::uint64_t kDocuments = 0x696e6974;
constexpr std::uint64_t kContext = 0x636f6e74;
constexpr std::uint64_t kProjection = 0x70726f6a;

void fill_uniform(Matrix& table, std::uint64_t seed, std::uint64_t name, float scale) {
  for (std::size_t i = 0; i < table.rows(); ++i) {
    Rng rng(stream(seed, name, i));
    float* row = table.row(i);
    for (std::size_t x = 0; x < table.dim(); ++x) row[x] = (2.0F * rng.uniform() - 1.0F) * scale;
  }
}

}  // namespace

Parameters make_parameters(const std::string& model, std::size_t documents,
                           std::span<const std::uint64_t> counts, const Shape& shape,
                           const InitOptions& init, std::uint64_t seed) {
  const Inputs inputs = checked_inputs(model, shape);
  Parameters parameters{Matrix(inputs == Inputs::kWords ? 0 : documents, shape.dim),
                        Matrix(counts.size(), shape.hidden(inputs)),
                        std::vector<float>(counts.size()),
                        {},
                        {}};
  fill_uniform(parameters.hidden, seed, kDocuments, init.scale);
  if (has_word_rows(inputs)) {
    parameters.context = Matrix(counts.size(), shape.word_dim);
    fill_uniform(parameters.context, seed, kContext, init.context_scale);
  }
  if (inputs == Inputs::kProjectedDocument) {
    parameters.projection = Matrix(shape.bits, shape.dim);
    fill_uniform(parameters.projection, seed, kProjection,
                 static_cast<float>(std::sqrt(6.0 / static_cast<double>(shape.bits + shape.dim))));
  }
  for (std::size_t w = 0; w < counts.size(); ++w)
    parameters.bias[w] =
        init.bias_power * float_log(static_cast<double>(std::max<std::uint64_t>(counts[w], 1)));
  return parameters;
}

Parameters first_squares(const Parameters& parameters, Optimizer optimizer) {
  auto filled = [](const Matrix& like) {
    Matrix squares(like.rows(), like.dim());
    for (std::size_t i = 0; i < like.rows(); ++i)
      std::fill_n(squares.row(i), like.stride(), kFirstSquare);
    return squares;
  };
  Parameters squares;
  squares.hidden = filled(parameters.hidden);
  squares.projection = filled(parameters.projection);
  if (optimizer == Optimizer::kAdaGrad) {
    squares.output = filled(parameters.output);
    squares.context = filled(parameters.context);
    squares.bias.assign(parameters.bias.size(), kFirstSquare);
  }
  return squares;
}

}  // namespace bitsense
