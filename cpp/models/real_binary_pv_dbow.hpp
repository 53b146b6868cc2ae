// Real-binary paragraph vector, distributed bag of words (Grzegorczyk and Kurdziel 2017,
// arXiv:1611.01116): a long real vector and a short code of each document, learned as one.
//
//   r = R_d in R^m        a = P r, P: bits x m        b = [a > 0]
//   p(w | d) = softmax_w(W_w . b + c_w)
//   dL/da from dL/db as in models/rounding.hpp
//   dL/dr = P^T dL/da        dL/dP = dL/da r^T
//
// Deviation: dropout leaves out bits of b, as in the other models, not components of r.
#pragma once

#include <algorithm>

#include "models/inputs.hpp"
#include "models/rounding.hpp"

namespace bitsense {

struct RealBinaryPvDbow : Rounding {
  static constexpr const char* name = "real-binary-pv-dbow";
  static constexpr Inputs kInputs = Inputs::kProjectedDocument;

  // a = P r: a has room for `bits` values, r and the rows of P have n.
  static void project(const FloatKernels& kernel, const float* r, const float* const* projection,
                      std::size_t bits, float* a, std::size_t n) {
    kernel.dots(r, projection, bits, a, n);
  }

  // pull_r = P^T pull_a.
  static void project_back(const FloatKernels& kernel, const float* pull_a,
                           const float* const* projection, std::size_t bits, float* pull_r,
                           std::size_t n) {
    kernel.multiply(&pull_a, 1, projection, bits, &pull_r, 1, n, false);
  }
};

}  // namespace bitsense
