// Paragraph vectors that are encoded from their words, real and binary: the document has no row of
// its own, its words have.
//
//   x_dw = log(1 + n_dw) idf_w^(3/2), scaled to sum of squares 1        idf_w = log(1 + N / df_w)
//   a_d  = sum over w of x_dw E_w                                       h = a, or b = [a > 0]
//   loss = sum over w of y_dw (-log p(w | h)),    y_dw = log(1 + n_dw) idf_w / their mean
//   dL/dE_w = sum over d of x_dw dL/da_d
//
// n_dw: occurrences of w in d; df_w: documents with w; N: documents. With neighbours, a document
// predicts the words of one of its nearest documents too, drawn anew each epoch, at a lower weight.
//
// Sources: documents as sums of their words' vectors, trained to predict words (Chen 2017,
// arXiv:1707.02377); encoders of TF-IDF with binary codes (Chaidaroon and Fang 2017,
// arXiv:1708.03436; Stratos and Wiseman 2020, arXiv:2003.10471); the words of near documents as
// targets (Chaidaroon, Ebesu and Fang 2018, doi:10.1145/3209978.3209999). What differs from them:
// no variational bound, no corruption, the powers of idf, sampled softmax, rounding as in
// models/rounding.hpp.
#pragma once

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct PvEncoder : Unchanged {
  static constexpr const char* name = "pv-encoder";
  static constexpr Inputs kInputs = Inputs::kWords;
};

struct BinaryPvEncoder : Rounding {
  static constexpr const char* name = "binary-pv-encoder";
  static constexpr Inputs kInputs = Inputs::kWords;
};

}  // namespace bitsense
