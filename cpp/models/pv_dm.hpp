// Paragraph vector, distributed memory (Le and Mikolov 2014, arXiv:1405.4053, section 2.2). The
// document and the k words on each side of a place predict the word that stands there.
//
//   mean          h = (D_d + sum of E_w over the words w there) / (1 + their number)
//   concatenated  h = [D_d ; E_{t-k} ; ... ; E_{t-1} ; E_{t+1} ; ... ; E_{t+k}]
//   p(w_t | d, t) = softmax_w(W_w . h + c_w)
//
// Beyond the ends of a document there are no words: they do not count in the mean, and are zeros in
// the concatenation. Deviations: the paper predicts a word from those before it alone, and it is
// gensim that takes both sides, of a width drawn anew for each place; here the width is fixed. The
// gradient of the mean is divided as the mean is, so that it is the gradient.
#pragma once

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct PvDmMean : Unchanged {
  static constexpr const char* name = "pv-dm-mean";
  static constexpr Inputs kInputs = Inputs::kMean;
};

struct PvDmConcat : Unchanged {
  static constexpr const char* name = "pv-dm-concat";
  static constexpr Inputs kInputs = Inputs::kConcatenation;
  static void soft_forward(const FloatKernels& kernel, const float* a, float* h, std::size_t n) {
    forward(kernel, a, h, n);
  }
};

}  // namespace bitsense
