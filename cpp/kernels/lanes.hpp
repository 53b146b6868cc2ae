// The registers of a level as GCC and Clang vector extensions, and the sums over sixteen lanes.
//
// Whatever the width of a register, a sum is kept in sixteen lanes and closed by one tree: lane i
// of the lower half is added to lane i of the upper half, until one is left. So levels that round
// alike give the same bits. Included by the *_kernels.cpp only; all of it has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/level.hpp"

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
// The smaller and the larger of two; of what cannot be compared, b. Compilers make a comparison and
// a blend of what is written so.
#if defined(__AVX512F__)
inline Floats minimum(Floats a, Floats b) { return (Floats)_mm512_min_ps((__m512)a, (__m512)b); }
inline Floats maximum(Floats a, Floats b) { return (Floats)_mm512_max_ps((__m512)a, (__m512)b); }
#elif defined(__AVX2__)
inline Floats minimum(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
inline Floats maximum(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
#else
inline Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
inline Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
#endif
inline Floats magnitude(Floats x) { return (Floats)((Ints)x & 0x7fffffff); }

// A product as it is rounded: no addition is fused with it.
inline Floats rounded(Floats product) {
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__FMA__)
  asm("" : "+x"(product));
#elif defined(__ARM_FEATURE_FMA)
  asm("" : "+w"(product));
#endif
  return product;
}

// Sixteen running sums.
struct Sixteen {
  Floats part[kRegisters];
};

// The passes of the tree that need no shuffles: what is left is one register.
inline Floats narrowed(const Floats* part) {
#if BITSENSE_WIDTH == 16
  return part[0];
#elif BITSENSE_WIDTH == 8
  return part[0] + part[1];
#else
  return (part[0] + part[2]) + (part[1] + part[3]);
#endif
}

// One pass of the tree over two operands: their halves, summed. One operand's lower half stays
// where it is beside the other's upper half, and the two others change places: one shuffle, while
// the blend runs on other ports. The last two passes stay within groups of four lanes.
#if BITSENSE_WIDTH == 16
// A blend, which compilers would make a shuffle if it were written as one.
constexpr Ints kOddHalf = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
constexpr Ints kOddQuarters = {0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1};
constexpr Ints kOddPairs = {0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1};
// a in lanes 0 to 7, b in 8 to 15.
inline Floats fold(Floats a, Floats b) {
  return (kOddHalf ? b : a) +
         BITSENSE_SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
}
// a in the groups 0 and 2 of four lanes, b in 1 and 3.
inline Floats fold_quarters(Floats a, Floats b) {
  return (kOddQuarters ? b : a) +
         BITSENSE_SHUFFLE(a, b, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
}
// Of each group, a in its lanes 0 and 1, b in 2 and 3.
inline Floats fold_pairs(Floats a, Floats b) {
  return (kOddPairs ? b : a) +
         BITSENSE_SHUFFLE(a, b, 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29);
}
inline Floats fold_ones(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +
         BITSENSE_SHUFFLE(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
}
#elif BITSENSE_WIDTH == 8
constexpr Ints kOddQuarters = {0, 0, 0, 0, -1, -1, -1, -1};
constexpr Ints kOddPairs = {0, 0, -1, -1, 0, 0, -1, -1};
inline Floats fold_quarters(Floats a, Floats b) {
  return (kOddQuarters ? b : a) + BITSENSE_SHUFFLE(a, b, 4, 5, 6, 7, 8, 9, 10, 11);
}
inline Floats fold_pairs(Floats a, Floats b) {
  return (kOddPairs ? b : a) + BITSENSE_SHUFFLE(a, b, 2, 3, 8, 9, 6, 7, 12, 13);
}
inline Floats fold_ones(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
         BITSENSE_SHUFFLE(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}
#else
inline Floats fold_pairs(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 1, 4, 5) + BITSENSE_SHUFFLE(a, b, 2, 3, 6, 7);
}
inline Floats fold_ones(Floats a, Floats b) {
  return BITSENSE_SHUFFLE(a, b, 0, 2, 4, 6) + BITSENSE_SHUFFLE(a, b, 1, 3, 5, 7);
}
#endif

// The sums of four accumulators, in order.
inline void close(const Sixteen (&s)[4], float* out) {
  const Floats a = narrowed(s[0].part);
  const Floats b = narrowed(s[1].part);
  const Floats c = narrowed(s[2].part);
  const Floats d = narrowed(s[3].part);
#if BITSENSE_WIDTH == 16
  const Floats quarters = fold_quarters(fold(a, c), fold(b, d));
  const Floats pairs = fold_pairs(quarters, quarters);
  const Floats ones = fold_ones(pairs, pairs);
  for (int i = 0; i < 4; ++i) out[i] = ones[4 * i];
#elif BITSENSE_WIDTH == 8
  const Floats pairs = fold_pairs(fold_quarters(a, c), fold_quarters(b, d));
  const Floats ones = fold_ones(pairs, pairs);
  out[0] = ones[0];
  out[1] = ones[1];
  out[2] = ones[4];
  out[3] = ones[5];
#else
  store(out, fold_ones(fold_pairs(a, b), fold_pairs(c, d)));
#endif
}

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

// 1 / sqrt(x) for x in [1e-30, 1e37], relative error below 3e-7: a guess from the bits of x (its
// exponent halved and turned around) and three of Newton's steps, so that the bits depend on the
// rounding alone. An exact root and a division take three times as long.
inline Floats reciprocal_root(Floats x) {
  Floats y = (Floats)(0x5f375a86 - ((Ints)x >> 1));
  const Floats half = 0.5F * x;
  for (int step = 0; step < 3; ++step) y *= 1.5F - half * y * y;
  return y;
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

// log(p) for p from 2^-126 to 2^127, absolute error below 1e-5: that of the exponent, in float.
inline Floats log_of_normal(Floats p) {
  const Ints bits = (Ints)p;
  const Ints exponent = (bits >> 23) - 127;
  const Floats fraction = (Floats)((bits & 0x7fffff) | 0x3f800000);  // in [1, 2)
  return __builtin_convertvector(exponent, Floats) * 0.693147181F + log_one_plus(fraction - 1.0F);
}

inline Floats logistic(Floats x) { return 1.0F / (1.0F + exponential(-clipped(x))); }

}  // namespace
}  // namespace bitsense
