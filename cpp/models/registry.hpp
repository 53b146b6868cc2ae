// The list of models. A new model is a file of its maths beside this one, its name here, and its
// twin in tests/reference.
#pragma once

#include <string>

#include "core/errors.hpp"
#include "models/binary_pv_dbow.hpp"
#include "models/cbow.hpp"
#include "models/disambiguated_skip_gram.hpp"
#include "models/pv_dbow.hpp"
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

using Models = ModelList<PvDbow, BinaryPvDbow>;
using WordModels = ModelList<SkipGram, Cbow, DisambiguatedSkipGram>;

}  // namespace bitsense
