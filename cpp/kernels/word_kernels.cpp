#include "kernels/word_kernels.hpp"

#include <array>
#include <utility>

#include "kernels/level.hpp"

#include "kernels/lanes.hpp"

namespace bitsense {
namespace {

// BITSENSE_HOLD makes the compiler hold a value in a register here, where it would load it again
// for each use, or do later sums first and spill. BITSENSE_AFTER makes it use a pointer only when
// `x` is there, where it would load early and spill.
#if defined(__x86_64__)
#define BITSENSE_HOLD(x) asm("" : "+v"(x))
#define BITSENSE_AFTER(x, pointer) asm("" : "+r"(pointer) : "v"(x))
#elif defined(__aarch64__)
#define BITSENSE_HOLD(x) asm("" : "+w"(x))
#define BITSENSE_AFTER(x, pointer) asm("" : "+r"(pointer) : "w"(x))
#else
#define BITSENSE_HOLD(x) (void)0
#define BITSENSE_AFTER(x, pointer) (void)0
#endif

// Registers of kWidth floats, of which the compiler needs none for itself.
#if BITSENSE_WIDTH == 16 || defined(__aarch64__)
constexpr int kRegisterFile = 32;
#else
constexpr int kRegisterFile = 16;
#endif

#if BITSENSE_WIDTH == 16
// Eight floats in either half of a register.
inline Floats twice(const float* eight) {
  return (Floats)_mm512_broadcast_f32x8(_mm256_loadu_ps(eight));
}
#endif

// Where the columns of a slice are read and written: all of a register, or its lower eight lanes,
// the others being zeros, where a slice ends within it.
struct Whole {
  static Floats load(const float* p) { return bitsense::load(p); }
  static void store(float* p, Floats x) { bitsense::store(p, x); }
};
struct Lower {
#if BITSENSE_WIDTH == 16
  static Floats load(const float* p) { return (Floats)_mm512_zextps256_ps512(_mm256_loadu_ps(p)); }
  static void store(float* p, Floats x) { _mm256_storeu_ps(p, _mm512_castps512_ps256((__m512)x)); }
#endif
};

}  // namespace
}  // namespace bitsense

#include "kernels/pair_dots.inc"
#include "kernels/pair_moves.inc"
#include "kernels/row_sums.inc"

namespace bitsense {
namespace {

// Adds the lanes of `sum` by the tree.
inline float total(const Sixteen& sum) {
  const Sixteen four[4] = {sum, sum, sum, sum};
  float closed[4];
  close(four, closed);
  return closed[0];
}

// 1 / (1 + exp(-x)) for 0 <= x < 15, absolute error below 5e-7, without a division: a polynomial in
// each of eight pieces, two for each doubling of 1 + x. Minimax to degree five in how far 1 + x,
// divided by the power of two below it, is from the middle of its piece. The coefficients of a
// piece stand where the last bit of 1 + x's exponent but one, the last and the first bit of its
// fraction say.
constexpr float kLogistic[6][8] = {
    {0.817574441F, 0.924141884F, 0.982013762F, 0.997527301F, 0.999876201F, 0.999997735F,
     0.562176526F, 0.679178715F},
    {0.298293293F, 0.140207335F, 0.0706492886F, 0.00986629166F, 0.000989627908F, 1.81311116e-05F,
     0.246134073F, 0.217895001F},
    {-0.189458713F, -0.118952245F, -0.136217803F, -0.0196079705F, -0.0038381971F, -7.03122496e-05F,
     -0.0153030157F, -0.0390409566F},
    {0.0208606757F, 0.0541657507F, 0.168616712F, 0.0258942433F, 0.0102611966F, 0.000188024467F,
     -0.0195588823F, -0.0111626238F},
    {0.0498028137F, -0.00558522996F, -0.14325577F, -0.0265330654F, -0.0255523231F, -0.000469594816F,
     0.00245973421F, 0.00520286895F},
    {-0.0307411347F, -0.00987977441F, 0.0712237358F, 0.0202028099F, 0.0403831862F, 0.00074455014F,
     0.00179640751F, 0.000297692546F},
};
constexpr float kLargestPiece = 14.9999F;

// Of each lane the item of eight that the last three bits of `at` say.
inline Floats picked(const float* eight, Ints at) {
#if BITSENSE_WIDTH == 16
  return (Floats)_mm512_permutexvar_ps((__m512i)at, (__m512)twice(eight));
#elif BITSENSE_WIDTH == 8
  return (Floats)_mm256_permutevar8x32_ps((__m256)load(eight), (__m256i)at);
#else
  Floats all;
  for (std::size_t l = 0; l < kWidth; ++l) all[l] = eight[at[l] & 7];
  return all;
#endif
}

inline Floats piecewise_logistic(Floats x) {
  const Ints bits = (Ints)(x + 1.0F);
  const Ints piece = bits >> 22;
  const Floats u = (Floats)((bits & 0x3fffff) | 0x3f800000) - 1.25F;
  Floats s = picked(kLogistic[5], piece);
#pragma GCC unroll 5
  for (int k = 4; k >= 0; --k) s = s * u + picked(kLogistic[k], piece);
  return s;
}

// log(1 + exp(z)) is the larger of z and 0, less log s(|z|). A logarithm costs as much as all the
// rest, so where weights are whole and small the arguments of many are multiplied first: each is at
// least a half. A gradient leaves at most kFactors pairs in a lane, and those of kGroup gradients
// are multiplied on, which stays above the smallest float.
constexpr std::size_t kFactors = 8;
constexpr std::size_t kGroup = 5;
static_assert(kFactors * kGroup * static_cast<std::size_t>(kLargestWeight) <= 126);

// s to the power of w, which is 0, 1, 2 or 3.
inline Floats power(Floats s, Floats w) {
  const Floats square = w > 1.5F ? s * s : broadcast(1.0F);
  const Floats odd = w > 1.5F ? w - 2.0F : w;
  return square * (1.0F + odd * (s - 1.0F));
}
static_assert(kLargestWeight == 3.0F);

template <bool Small>
void gradient(float* z, const float* weight, const float* label, float step, std::size_t size,
              float* lost) {
  constexpr std::size_t kPart = kFactors * kQuantum;
  Sixteen sum = {};
  Sixteen product;
  for (std::size_t begin = 0; begin == 0 || begin < size; begin += kPart) {
    for (std::size_t r = 0; r < kRegisters; ++r) {
      if (begin > 0) sum.part[r] -= log_of_normal(product.part[r]);
      product.part[r] = broadcast(1.0F);
    }
    const std::size_t end = size - begin < kPart ? size : begin + kPart;
    for (std::size_t i = begin; i < end; i += kQuantum)
      for (std::size_t r = 0; r < kRegisters; ++r) {
        const std::size_t at = i + r * kWidth;
        if (at >= end) break;  // nothing is there, and nothing is asked for
        const Floats x = load(z + at);
        const Floats w = load(weight + at);
        const Floats y = load(label + at);
        const Floats upper =  // s(|z|)
            piecewise_logistic(minimum(magnitude(x), broadcast(kLargestPiece)));
        const Floats s = x < 0.0F ? 1.0F - upper : upper;
        Floats loss = w * maximum(x, Floats{}) - y * x;
        if constexpr (Small)
          product.part[r] *= power(upper, w);
        else
          loss -= w * log_of_normal(upper);
        sum.part[r] += loss;
        store(z + at, step * (y - w * s));
      }
  }
  for (std::size_t r = 0; r < kRegisters; ++r) {
    store(lost + r * kWidth, sum.part[r]);
    store(lost + kQuantum + r * kWidth, product.part[r]);
  }
}

void sampling_gradient(float* z, const float* weight, const float* label, float step,
                       std::size_t size, bool small, float* loss) {
  if (small)
    gradient<true>(z, weight, label, step, size, loss);
  else
    gradient<false>(z, weight, label, step, size, loss);
}

double sampling_loss(const float* losses, std::size_t count) {
  double all = 0.0;
  for (std::size_t i = 0; i < count; i += kGroup) {
    const std::size_t some = count - i < kGroup ? count - i : kGroup;
    Sixteen sum = {};
    for (std::size_t r = 0; r < kRegisters; ++r) {
      Floats product = broadcast(1.0F);
      for (std::size_t k = 0; k < some; ++k) {
        const float* lost = losses + (i + k) * kLossParts + r * kWidth;
        sum.part[r] += load(lost);
        product *= load(lost + kQuantum);
      }
      sum.part[r] -= log_of_normal(product);
    }
    all += static_cast<double>(total(sum));
  }
  return all;
}

}  // namespace

extern const WordKernels BITSENSE_TABLE(word_kernels_);
const WordKernels BITSENSE_TABLE(word_kernels_) = {
    pair_dots, half_pair_dots, sampling_gradient, sampling_loss, pair_update, pair_pull,
    means,     mixes,
};

}  // namespace bitsense
