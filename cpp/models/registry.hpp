// The list of models. A new model is a file of its maths beside this one, its name here, and its
// twin in tests/reference.
#pragma once

#include <string>

#include "core/errors.hpp"
#include "models/binary_pv_dbow.hpp"
#include "models/binary_pv_dm.hpp"
#include "models/cbow.hpp"
#include "models/disambiguated_skip_gram.hpp"
#include "models/pv_dbow.hpp"
#include "models/pv_dm.hpp"
#include "models/pv_encoder.hpp"
#include "models/real_binary_pv_dbow.hpp"
#include "models/skip_gram.hpp"

namespace bitsense {

template <class... M>
struct ModelList {
  // Calls f(M{}) with the model of this name and returns what it returns.
  template <class F>
  static auto with(const std::string& name, F&& f) {
    return find<F, M...>(name, f);
  }

 private:
  template <class F, class First, class... Rest>
  static auto find(const std::string& name, F& f) -> decltype(f(First{})) {
    if (name == First::name) return f(First{});
    if constexpr (sizeof...(Rest) > 0)
      return find<F, Rest...>(name, f);
    else
      throw std::invalid_argument(text("`model` must be a registered model, got ", name));
  }
};

using Models = ModelList<PvDbow, BinaryPvDbow, PvDmMean, PvDmConcat, BinaryPvDm, RealBinaryPvDbow,
                         PvEncoder, BinaryPvEncoder>;

// What the model of this name is made from; throws std::invalid_argument for an unknown name.
inline Inputs inputs_of(const std::string& model) {
  return Models::with(model, [](auto m) { return decltype(m)::kInputs; });
}

// The same, after a look at the sizes of its tables. Throws std::invalid_argument for an unknown
// name, and where the shape is none of such a model.
inline Inputs checked_inputs(const std::string& model, const Shape& shape) {
  const Inputs inputs = inputs_of(model);
  require(has_context(inputs) == (shape.context > 0),
          "`context` must be above 0 in models with a context and 0 in others, got ",
          shape.context);
  require(!has_word_rows(inputs) || shape.word_dim > 0, "`word_dim` must be above 0, got 0");
  const bool is_sum = inputs == Inputs::kMean || inputs == Inputs::kWords;
  require(!is_sum || shape.word_dim == shape.dim, "`word_dim` must be `dim`, ", shape.dim,
          ", in a mean or a sum, got ", shape.word_dim);
  require(inputs != Inputs::kProjectedDocument || shape.bits > 0, "`bits` must be above 0, got 0");
  return inputs;
}

using WordModels = ModelList<SkipGram, Cbow, DisambiguatedSkipGram>;

}  // namespace bitsense
