// Binary paragraph vector, distributed bag of words (Grzegorczyk and Kurdziel 2017,
// arXiv:1611.01116), with the binarisation of Krizhevsky and Hinton (models/rounding.hpp).
//
//   a = D_d        b = [a > 0]
//   p(w | d) = softmax_w(W_w . b + c_w)
//
// The code of a document is b; a itself, the pre-activation, serves as a real vector.
#pragma once

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct BinaryPvDbow : Rounding {
  static constexpr const char* name = "binary-pv-dbow";
  static constexpr Inputs kInputs = Inputs::kDocument;
};

}  // namespace bitsense
