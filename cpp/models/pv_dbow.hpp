// Paragraph vector, distributed bag of words (Le and Mikolov 2014, arXiv:1405.4053, section 2.3).
//
//   h = D_d            p(w | d) = softmax_w(W_w . h + c_w)
#pragma once

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct PvDbow : Unchanged {
  static constexpr const char* name = "pv-dbow";
  static constexpr Inputs kInputs = Inputs::kDocument;
};

}  // namespace bitsense
