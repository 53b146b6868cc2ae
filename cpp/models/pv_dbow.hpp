// Paragraph vector, distributed bag of words (Le and Mikolov 2014, arXiv:1405.4053, section 2.3).
//
//   h = D_d            p(w | d) = softmax_w(W_w . h + c_w)
#pragma once

#include <algorithm>

#include "kernels/float_kernels.hpp"

namespace bitsense {

struct PvDbow {
  static constexpr const char* name = "pv-dbow";

  static void forward(const FloatKernels&, const float* d, float* h, std::size_t n) {
    std::copy_n(d, n, h);
  }

  // g holds dL/dh and becomes dL/dd.
  static void backward(const FloatKernels&, const float* /*d*/, float* /*g*/, std::size_t /*n*/) {}
};

}  // namespace bitsense
