// Binary paragraph vector, distributed bag of words (Grzegorczyk and Kurdziel 2017,
// arXiv:1611.01116), with the binarisation of Krizhevsky and Hinton (2011).
//
//   a = D_d        s = sigmoid(a)        b = [s > 1/2] = [a > 0]
//   p(w | d) = softmax_w(W_w . b + c_w)
//   dL/da = dL/db * s * (1 - s)          rounding passes the gradient, the sigmoid does not
//
// The code of a document is b; a itself, the pre-activation, serves as a real vector.
#pragma once

#include "kernels/float_kernels.hpp"

namespace bitsense {

struct BinaryPvDbow {
  static constexpr const char* name = "binary-pv-dbow";

  static void forward(const FloatKernels&, const float* a, float* b, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) b[i] = a[i] > 0.0F ? 1.0F : 0.0F;
  }

  // g holds dL/db and becomes dL/da. The padding of a is zero, and so is that of g.
  static void backward(const FloatKernels& kernel, const float* a, float* g, std::size_t n) {
    constexpr std::size_t kChunk = 16;
    float s[kChunk];
    for (std::size_t i = 0; i < n; i += kChunk) {
      kernel.logistic(a + i, s, kChunk);
      for (std::size_t j = 0; j < kChunk; ++j) g[i + j] *= s[j] * (1.0F - s[j]);
    }
  }
};

}  // namespace bitsense
