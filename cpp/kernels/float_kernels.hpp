// Inner loops over float rows. n is a multiple of 16 (kRowQuantum), rows need no alignment, outputs
// overlap no input unless it is said. A "tile" is a matrix of `rows` x 16: item i, document lane l
// at tile[16 * i + l].
#pragma once

#include <cstddef>

namespace bitsense {

constexpr std::size_t kTile = 16;  // documents whose logits lie side by side in a tile

struct FloatKernels {
  // out[i][x] = start + sum over k < terms of a[i][k * a_step] * b[k][x], for i < rows, x < n;
  // start is out[i][x] where `accumulate`, else 0. Each sum runs over k in order. The product of a
  // block is this one loop: logits (U by hidden vectors side by side), dH = G U, dU = G^T H.
  void (*multiply)(const float* const* a, std::size_t a_step, const float* const* b,
                   std::size_t terms, float* const* out, std::size_t rows, std::size_t n,
                   bool accumulate);

  // The same, but each product is rounded before it is added: every level gives the same bits.
  void (*multiply_rounded)(const float* const* a, std::size_t a_step, const float* const* b,
                           std::size_t terms, float* const* out, std::size_t rows, std::size_t n,
                           bool accumulate);

  // out[j] = sum over x < n of h[x] * u[j][x], for j < count: sixteen lanes, closed by a tree.
  void (*dots)(const float* h, const float* const* u, std::size_t count, float* out, std::size_t n);

  // tile[16 * x + l] = rows[l][x] for l < 16, x < n.
  void (*interleave)(const float* const* rows, float* tile, std::size_t n);

  // tile = exp(tile + shift[i]) with the sum clipped to [-60, 60]; sums[l] = column sums, over i in
  // order.
  void (*exp_tile)(float* tile, const float* shift, std::size_t rows, float* sums);

  // tile[16 * i + l] *= factor[l].
  void (*scale_tile)(float* tile, const float* factor, std::size_t rows);

  // tile = weight[i] * factor[l] / (1 + exp(-(tile + shift[i]))): the pull of noise under negative
  // sampling; sums[l] = sum over i of weight[i] * log(1 + exp(tile + shift[i])), its loss.
  void (*logistic_tile)(float* tile, const float* shift, const float* weight, const float* factor,
                        std::size_t rows, float* sums);

  // out = exp(x), x clipped to [-60, 60]. out may be x.
  void (*exp)(const float* x, float* out, std::size_t n);

  // out = 1 / (1 + exp(-x)), x clipped to [-60, 60]. out may be x.
  void (*logistic)(const float* x, float* out, std::size_t n);

  // squares += g^2; w -= rate * g / sqrt(squares). (Duchi, Hazan and Singer 2011, diagonal form.)
  // The sums of squares are from 1e-30 to 1e37; their roots have a relative error below 3e-7.
  void (*adagrad)(float* w, float* squares, const float* g, float rate, std::size_t n);

  // w -= rate * brake * g with g = start + sum over k < terms, in order, of factors[k] * rows[k];
  // no `start` is zeros. The same bits as multiply, a product with `brake`, and axpy of -rate.
  void (*descend)(float* w, const float* start, const float* factors, const float* const* rows,
                  std::size_t terms, float brake, float rate, std::size_t n);

  // Runs 24 independent chains of n multiply-adds, each a register wide, and returns a value that
  // depends on all of them: the most this level can do (benchmarks). flops = 2 * 24 * width * n.
  float (*peak)(std::size_t n);
  std::size_t width;  // floats in a register

  // y += s * x.
  void (*axpy)(float s, const float* x, float* y, std::size_t n);
};

}  // namespace bitsense
