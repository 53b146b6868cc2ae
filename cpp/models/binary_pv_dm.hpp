// Binary paragraph vector, distributed memory (Grzegorczyk and Kurdziel 2017, arXiv:1611.01116).
// The document and the k words on each side of a place, side by side, go through the sigmoid and
// are rounded (models/rounding.hpp).
//
//   a = [D_d ; E_{t-k} ; ... ; E_{t-1} ; E_{t+1} ; ... ; E_{t+k}]        b = [a > 0]
//   p(w_t | d, t) = softmax_w(W_w . b + c_w)
//
// With round_words = false the part of the words is sigmoid(a), not rounded. A word beyond the ends
// of the document is zeros in b, either way. The code of a document is [D_d > 0].
#pragma once

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct BinaryPvDm : Rounding {
  static constexpr const char* name = "binary-pv-dm";
  static constexpr Inputs kInputs = Inputs::kConcatenation;
};

}  // namespace bitsense
