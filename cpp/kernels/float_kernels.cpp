#include "kernels/float_kernels.hpp"

#include "kernels/lanes.hpp"
#include "kernels/level.hpp"

namespace bitsense {
namespace {

// Registers of a block of `multiply`: kBlockRows x kBlockColumns accumulators, which with one row
// of b and one broadcast fill the register file without spilling.
#if BITSENSE_WIDTH == 16
constexpr int kBlockRows = 6;
constexpr int kBlockColumns = 4;
#elif BITSENSE_WIDTH == 8
constexpr int kBlockRows = 6;
constexpr int kBlockColumns = 2;
#else
constexpr int kBlockRows = 3;
constexpr int kBlockColumns = 4;
#endif
constexpr int kTallRows = 12;  // where a block is one register wide

enum class Products { kFused, kRounded };  // before they are added

// Adds the products of `Rows` rows of factors and some columns of b, from x on, in order.
template <Products P, int Rows, int Columns>
[[gnu::always_inline]] inline void add_products(const float* const (&a)[Rows], std::size_t a_step,
                                                const float* const* b, std::size_t terms,
                                                std::size_t x, Floats (&sum)[Rows][Columns]) {
  for (std::size_t k = 0; k < terms; ++k) {
    const float* bk = b[k] + x;
    Floats column[Columns];
    for (int j = 0; j < Columns; ++j) column[j] = load(bk + j * kWidth);
    for (int i = 0; i < Rows; ++i) {
      const Floats factor = broadcast(a[i][k * a_step]);
      for (int j = 0; j < Columns; ++j) {
        const Floats product = factor * column[j];
        sum[i][j] += P == Products::kFused ? product : rounded(product);
      }
    }
  }
}

template <Products P, int Rows, int Columns>
void multiply_block(const float* const* a, std::size_t a_step, const float* const* b,
                    std::size_t terms, float* const* out, std::size_t x, bool accumulate) {
  Floats sum[Rows][Columns];
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j)
      sum[i][j] = accumulate ? load(out[i] + x + j * kWidth) : Floats{};
  const float* row[Rows];
  for (int i = 0; i < Rows; ++i) row[i] = a[i];
  add_products<P>(row, a_step, b, terms, x, sum);
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) store(out[i] + x + j * kWidth, sum[i][j]);
}

// All columns [x, n) of `Rows` rows.
template <Products P, int Rows>
void multiply_rows(const float* const* a, std::size_t a_step, const float* const* b,
                   std::size_t terms, float* const* out, std::size_t n, bool accumulate) {
  constexpr std::size_t kWide = kBlockColumns * kWidth;
  std::size_t x = 0;
  for (; x + kWide <= n; x += kWide)
    multiply_block<P, Rows, kBlockColumns>(a, a_step, b, terms, out, x, accumulate);
#if BITSENSE_WIDTH == 16
  if (n - x == 3 * kWidth)
    multiply_block<P, Rows, 3>(a, a_step, b, terms, out, x, accumulate);
  else if (n - x == 2 * kWidth)
    multiply_block<P, Rows, 2>(a, a_step, b, terms, out, x, accumulate);
  else if (n - x == kWidth)
    multiply_block<P, Rows, 1>(a, a_step, b, terms, out, x, accumulate);
#endif
}

template <Products P>
void multiply(const float* const* a, std::size_t a_step, const float* const* b, std::size_t terms,
              float* const* out, std::size_t rows, std::size_t n, bool accumulate) {
  std::size_t i = 0;
  if (n == kWidth)
    for (; i + kTallRows <= rows; i += kTallRows)
      multiply_block<P, kTallRows, 1>(a + i, a_step, b, terms, out + i, 0, accumulate);
  for (; i + kBlockRows <= rows; i += kBlockRows)
    multiply_rows<P, kBlockRows>(a + i, a_step, b, terms, out + i, n, accumulate);
  for (; i + 2 <= rows; i += 2)
    multiply_rows<P, 2>(a + i, a_step, b, terms, out + i, n, accumulate);
  if (i < rows) multiply_rows<P, 1>(a + i, a_step, b, terms, out + i, n, accumulate);
}

template <int Rows>
void dots_block(const float* h, const float* const* u, float* out, std::size_t n) {
  Sixteen sum[4] = {};
  for (std::size_t x = 0; x < n; x += kQuantum)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const Floats part = load(h + x + r * kWidth);
      for (int j = 0; j < Rows; ++j) sum[j].part[r] += part * load(u[j] + x + r * kWidth);
    }
  float closed[4];
  close(sum, closed);
  for (int j = 0; j < Rows; ++j) out[j] = closed[j];
}

void dots(const float* h, const float* const* u, std::size_t count, float* out, std::size_t n) {
  std::size_t j = 0;
  for (; j + 4 <= count; j += 4) dots_block<4>(h, u + j, out + j, n);
  if (count - j == 3) dots_block<3>(h, u + j, out + j, n);
  if (count - j == 2) dots_block<2>(h, u + j, out + j, n);
  if (count - j == 1) dots_block<1>(h, u + j, out + j, n);
}

void interleave(const float* const* rows, float* tile, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x)
    for (std::size_t l = 0; l < kTile; ++l) tile[kTile * x + l] = rows[l][x];
}

void exp_tile(float* tile, const float* shift, std::size_t rows, float* sums) {
  Sixteen sum = {};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      float* p = tile + kTile * i + r * kWidth;
      const Floats e = exponential(clipped(load(p) + shift[i]));
      store(p, e);
      sum.part[r] += e;
    }
  for (std::size_t r = 0; r < kRegisters; ++r) store(sums + r * kWidth, sum.part[r]);
}

void scale_tile(float* tile, const float* factor, std::size_t rows) {
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      float* p = tile + kTile * i + r * kWidth;
      store(p, load(p) * load(factor + r * kWidth));
    }
}

void logistic_tile(float* tile, const float* shift, const float* weight, const float* factor,
                   std::size_t rows, float* sums) {
  Sixteen sum = {};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      float* p = tile + kTile * i + r * kWidth;
      const Floats z = clipped(load(p) + shift[i]);
      const Floats small = exponential(z < 0.0F ? z : -z);  // exp(-|z|)
      const Floats inverse = 1.0F / (1.0F + small);
      const Floats s = z < 0.0F ? small * inverse : inverse;
      sum.part[r] += weight[i] * (maximum(z, Floats{}) + log_one_plus(small));
      store(p, weight[i] * (s * load(factor + r * kWidth)));
    }
  for (std::size_t r = 0; r < kRegisters; ++r) store(sums + r * kWidth, sum.part[r]);
}

void exp(const float* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) store(out + i, exponential(clipped(load(x + i))));
}

void logistic(const float* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) store(out + i, logistic(load(x + i)));
}

void adagrad(float* w, float* squares, const float* g, float rate, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    const Floats gradient = load(g + i);
    const Floats square = load(squares + i) + gradient * gradient;
    store(squares + i, square);
    store(w + i, load(w + i) - rate * gradient * reciprocal_root(square));
  }
}

template <int Columns>
inline void descend_strip(float* w, const float* start, const float* factors,
                          const float* const* rows, std::size_t terms, float brake, float rate,
                          std::size_t x) {
  Floats sum[1][Columns];
  for (int j = 0; j < Columns; ++j) sum[0][j] = start ? load(start + x + j * kWidth) : Floats{};
  const float* const row[1] = {factors};
  add_products<Products::kFused>(row, 1, rows, terms, x, sum);
  for (int j = 0; j < Columns; ++j) {
    const Floats gradient = sum[0][j] * brake;
    store(w + x + j * kWidth, load(w + x + j * kWidth) - rate * gradient);
  }
}

void descend(float* w, const float* start, const float* factors, const float* const* rows,
             std::size_t terms, float brake, float rate, std::size_t n) {
  constexpr std::size_t kWide = 8 * kWidth;
  std::size_t x = 0;
  for (; x + kWide <= n; x += kWide)
    descend_strip<8>(w, start, factors, rows, terms, brake, rate, x);
  for (; x < n; x += kQuantum)
    descend_strip<kRegisters>(w, start, factors, rows, terms, brake, rate, x);
}

float peak(std::size_t n) {
#if BITSENSE_WIDTH == 16
  constexpr int kChains = 24;
#else
  constexpr int kChains = 12;
#endif
  Floats sum[kChains];
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) sum[i] = broadcast(static_cast<float>(i));
  const Floats a = broadcast(0.999F);
  const Floats b = broadcast(1e-3F);
  for (std::size_t k = 0; k < n * 24; k += kChains) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * a + b;
  }
  float total = 0.0F;
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) total += sum[i][0];
  return total;
}

void axpy(float s, const float* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

}  // namespace

extern const FloatKernels BITSENSE_TABLE(float_kernels_);
const FloatKernels BITSENSE_TABLE(float_kernels_) = {
    multiply<Products::kFused>,
    multiply<Products::kRounded>,
    dots,
    interleave,
    exp_tile,
    scale_tile,
    logistic_tile,
    exp,
    logistic,
    adagrad,
    descend,
    peak,
    kWidth,
    axpy,
};

}  // namespace bitsense
