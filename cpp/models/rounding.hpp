// The two ways in which the row of a document, or of a word beside the target, becomes a part of a
// hidden vector: as it is, or by the binarisation of Krizhevsky and Hinton (2011),
//
//   s = sigmoid(a)        b = [s > 1/2] = [a > 0]
//   dL/da = dL/db * s * (1 - s)          rounding passes the gradient, the sigmoid does not
//
// n is a multiple of the quantum; the padding of a row is zero and so is that of its gradient.
#pragma once

#include <algorithm>

#include "kernels/float_kernels.hpp"

namespace bitsense {

struct Unchanged {
  static void forward(const FloatKernels&, const float* a, float* h, std::size_t n) {
    std::copy_n(a, n, h);
  }

  // g holds dL/dh and becomes dL/da.
  static void backward(const FloatKernels&, const float* /*a*/, float* /*g*/, std::size_t /*n*/) {}
};

struct Rounding {
  static void forward(const FloatKernels&, const float* a, float* b, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) b[i] = a[i] > 0.0F ? 1.0F : 0.0F;
  }

  // s in the place of b: the sigmoid without the rounding. Its gradient is the same.
  static void soft_forward(const FloatKernels& kernel, const float* a, float* s, std::size_t n) {
    kernel.logistic(a, s, n);
  }

  // g holds dL/db and becomes dL/da.
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
