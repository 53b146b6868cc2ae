// The registers of a level as GCC and Clang vector extensions, and the sums over sixteen lanes.
//
// Whatever the width of a register, a sum is kept in sixteen lanes and closed by one tree: lane i
// of the lower half is added to lane i of the upper half, until one is left. So levels that round
// alike give the same bits. Included by the *_kernels.cpp only; all of it has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__)
#define BITSENSE_WIDTH 16
#elif defined(__AVX2__)
#define BITSENSE_WIDTH 8
#else
#define BITSENSE_WIDTH 4
#endif

#if defined(__clang__) || __GNUC__ >= 12
#define BITSENSE_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define BITSENSE_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Ints{__VA_ARGS__})
#endif

namespace bitsense {
namespace {

constexpr std::size_t kWidth = BITSENSE_WIDTH;         // floats in a register
constexpr std::size_t kQuantum = 16;                   // floats in a row's quantum, kRowQuantum
constexpr std::size_t kRegisters = kQuantum / kWidth;  // registers in a quantum

typedef float Floats __attribute__((vector_size(kWidth * 4), aligned(4)));
typedef std::int32_t Ints __attribute__((vector_size(kWidth * 4), aligned(4)));

inline Floats load(const float* p) { return *reinterpret_cast<const Floats*>(p); }
inline void store(float* p, Floats x) { *reinterpret_cast<Floats*>(p) = x; }
inline Floats broadcast(float x) { return x - Floats{}; }  // x + 0 would turn -0 into 0
inline Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
inline Floats maximum(Floats a, Floats b) { return a > b ? a : b; }

// Sixteen running sums.
struct Sixteen {
  Floats part[kRegisters];
};

// One pass of the tree over two operands: the halves of a, summed, then the halves of b, summed.
#if BITSENSE_WIDTH == 16
inline Floats fold(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
         BITSENSE_SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}
inline Floats fold_quarters(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         BITSENSE_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}
inline Floats fold_pairs(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
         BITSENSE_SHUFFLE(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}
inline Floats fold_ones(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
         BITSENSE_SHUFFLE(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
// The sums of four accumulators, in order.
inline void close(const Sixteen (&s)[4], float* out) {
  const Floats halves01 = fold(s[0].part[0], s[1].part[0]);
  const Floats halves23 = fold(s[2].part[0], s[3].part[0]);
  const Floats quarters = fold_quarters(halves01, halves23);
  const Floats pairs = fold_pairs(quarters, quarters);
  const Floats ones = fold_ones(pairs, pairs);
  for (int i = 0; i < 4; ++i) out[i] = ones[i];
}
#elif BITSENSE_WIDTH == 8
inline Floats fold_quarters(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
         BITSENSE_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}
inline Floats fold_pairs(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 4, 5, 8, 9, 12, 13) +
         BITSENSE_SHUFFLE(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}
inline Floats fold_ones(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
         BITSENSE_SHUFFLE(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
inline void close(const Sixteen (&s)[4], float* out) {
  const Floats quarters01 = fold_quarters(s[0].part[0] + s[0].part[1], s[1].part[0] + s[1].part[1]);
  const Floats quarters23 = fold_quarters(s[2].part[0] + s[2].part[1], s[3].part[0] + s[3].part[1]);
  const Floats pairs = fold_pairs(quarters01, quarters23);
  const Floats ones = fold_ones(pairs, pairs);
  for (int i = 0; i < 4; ++i) out[i] = ones[i];
}
#else
inline void close(const Sixteen (&s)[4], float* out) {
  for (int i = 0; i < 4; ++i) {
    const Floats quarters = (s[i].part[0] + s[i].part[2]) + (s[i].part[1] + s[i].part[3]);
    out[i] = (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
  }
}
#endif

// exp(x) for |x| <= 87, relative error below 2e-7: 2^n times a polynomial of degree six in the rest
// (minimax over [-ln 2 / 2, ln 2 / 2]). Only + and *, so the bits depend on the rounding alone.
inline Floats exponential(Floats x) {
  const Floats shift = broadcast(12582912.0F);  // 1.5 * 2^23: the sum's last bits hold round(x)
  const Floats shifted = x * 1.44269504F + shift;
  const Floats n = shifted - shift;
  Floats r = x - n * 0.693359375F;
  r = r - n * -2.12194440e-4F;
  Floats p = broadcast(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Ints power = ((Ints)shifted << 23) + (127 << 23);
  return p * (Floats)power;
}

constexpr float kLargestLogit = 60.0F;

inline Floats clipped(Floats x) {
  return maximum(minimum(x, broadcast(kLargestLogit)), broadcast(-kLargestLogit));
}

// log(1 + t) for 0 < t <= 1, absolute error below 1e-7: a series in t / (2 + t), odd terms.
inline Floats log_one_plus(Floats t) {
  const Floats z = t / (2.0F + t);
  const Floats q = z * z;
  Floats p = broadcast(2.0F / 13.0F);
  p = p * q + 2.0F / 11.0F;
  p = p * q + 2.0F / 9.0F;
  p = p * q + 2.0F / 7.0F;
  p = p * q + 2.0F / 5.0F;
  p = p * q + 2.0F / 3.0F;
  p = p * q + 2.0F;
  return p * z;
}

inline Floats logistic(Floats x) { return 1.0F / (1.0F + exponential(-clipped(x))); }

}  // namespace
}  // namespace bitsense
