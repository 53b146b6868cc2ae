#include "kernels/word_kernels.hpp"

#include "kernels/level.hpp"

#include "kernels/lanes.hpp"

namespace bitsense {
namespace {

// Makes the compiler hold a value in a register here, where it would load it again for each use, or
// do later sums first and spill.
#if defined(__x86_64__)
#define BITSENSE_HOLD(x) asm("" : "+v"(x))
#elif defined(__aarch64__)
#define BITSENSE_HOLD(x) asm("" : "+w"(x))
#else
#define BITSENSE_HOLD(x) (void)0
#endif

}  // namespace
}  // namespace bitsense

#include "kernels/pair_dots.inc"
#include "kernels/pair_moves.inc"

namespace bitsense {
namespace {

// Adds the lanes of `sum` by the tree.
inline float total(const Sixteen& sum) {
  const Sixteen four[4] = {sum, sum, sum, sum};
  float closed[4];
  close(four, closed);
  return closed[0];
}

// A logarithm costs as much as all the rest, so where weights are 1 or 0 the arguments of many are
// multiplied first: each is at most 2. A gradient leaves at most kFactors of them in a lane, and
// the losses of kGroup gradients are multiplied on, which stays far from the largest float.
constexpr std::size_t kFactors = 16;
constexpr std::size_t kGroup = 7;

template <bool Plain>
void gradient(float* z, const float* weight, const float* label, float step, std::size_t size,
              float* lost) {
  constexpr std::size_t kPart = kFactors * kQuantum;
  Sixteen sum = {};
  Sixteen product;
  for (std::size_t begin = 0; begin == 0 || begin < size; begin += kPart) {
    for (std::size_t r = 0; r < kRegisters; ++r) {
      if (begin > 0) sum.part[r] += log_above_one(product.part[r]);
      product.part[r] = broadcast(1.0F);
    }
    const std::size_t end = size - begin < kPart ? size : begin + kPart;
    for (std::size_t i = begin; i < end; i += kQuantum)
      for (std::size_t r = 0; r < kRegisters; ++r) {
        const std::size_t at = i + r * kWidth;
        if (at >= end) break;  // nothing is there, and nothing is asked for
        const Floats x = clipped(load(z + at));
        const Floats w = load(weight + at);
        const Floats y = load(label + at);
        const Floats small = exponential(x < 0.0F ? x : -x);  // exp(-|z|)
        const Floats inverse = 1.0F / (1.0F + small);
        const Floats s = x < 0.0F ? small * inverse : inverse;
        Floats loss = w * maximum(x, Floats{}) - y * x;
        if constexpr (Plain)
          product.part[r] *= 1.0F + w * small;
        else
          loss += w * log_one_plus(small);
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
                       std::size_t size, bool plain, float* loss) {
  if (plain)
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
      sum.part[r] += log_above_one(product);
    }
    all += static_cast<double>(total(sum));
  }
  return all;
}

// Quanta of columns whose sums are in registers at once.
constexpr int kSumQuanta = kWidth == 16 ? 8 : 4;

// Some items, each a sum of rows, in the columns [x, x + Quanta * kQuantum).
struct Means {
  RowsAt<const float> table;
  const std::uint32_t* ids;
  const std::uint32_t* begins;
  RowsAt<float> means;

  template <int Quanta>
  void run(std::size_t first, std::size_t last, std::size_t x) const {
    constexpr int kParts = Quanta * static_cast<int>(kRegisters);
    for (std::size_t i = first; i < last; ++i) {
      Floats sum[kParts];
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) sum[r] = Floats{};
      for (std::uint32_t k = begins[i]; k < begins[i + 1]; ++k) {
        const float* row = table.row(ids[k]) + x;
#pragma GCC unroll 16
        for (int r = 0; r < kParts; ++r) sum[r] += load(row + r * kWidth);
      }
      const Floats share = broadcast(1.0F / static_cast<float>(begins[i + 1] - begins[i]));
      float* mean = means.row(i) + x;
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) store(mean + r * kWidth, sum[r] * share);
    }
  }
};

struct Mixes {
  RowsAt<const float> rows;
  const float* weight;
  const std::uint8_t* which;
  std::size_t width;
  const std::uint32_t* counts;
  RowsAt<float> table;
  const std::uint32_t* ids;

  template <int Quanta>
  void run(std::size_t first, std::size_t last, std::size_t x) const {
    constexpr int kParts = Quanta * static_cast<int>(kRegisters);
    for (std::size_t i = first; i < last; ++i) {
      if (counts[i] == 0) continue;
      float* out = table.row(ids[i]) + x;
      const std::uint8_t* of = which + i * width;
      Floats sum[kParts];
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) sum[r] = load(out + r * kWidth);
      for (std::uint32_t k = 0; k < counts[i]; ++k) {
        const float* row = rows.row(of[k]) + x;
        const Floats w = broadcast(weight[of[k]]);
#pragma GCC unroll 16
        for (int r = 0; r < kParts; ++r) sum[r] += w * load(row + r * kWidth);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) store(out + r * kWidth, sum[r]);
    }
  }
};

// items.run<quanta>, for quanta <= Most.
template <int Most, class Items>
void run_quanta(const Items& items, std::size_t quanta, std::size_t first, std::size_t last,
                std::size_t x) {
  if constexpr (Most > 0) {
    if (quanta == Most)
      items.template run<Most>(first, last, x);
    else
      run_quanta<Most - 1>(items, quanta, first, last, x);
  }
}

// All items in all columns of a slice: passes of kSumQuanta, and one for what is left.
template <class Items>
void run_items(const Items& items, std::size_t count, Slice slice) {
  constexpr std::size_t kPass = kSumQuanta * kQuantum;
  const std::size_t step = slice.size() <= kPass ? count : 1;  // rows are read once
  for (std::size_t i = 0; i < count; i += step) {
    std::size_t x = slice.begin;
    for (; x + kPass < slice.end; x += kPass) items.template run<kSumQuanta>(i, i + step, x);
    run_quanta<kSumQuanta>(items, (slice.end - x) / kQuantum, i, i + step, x);
  }
}

void means(RowsAt<const float> table, const std::uint32_t* ids, const std::uint32_t* begins,
           std::size_t count, RowsAt<float> means, Slice slice) {
  run_items(Means{table, ids, begins, means}, count, slice);
}

void mixes(RowsAt<const float> rows, const float* weight, const std::uint8_t* which,
           std::size_t width, const std::uint32_t* counts, std::size_t count, RowsAt<float> table,
           const std::uint32_t* ids, Slice slice) {
  run_items(Mixes{rows, weight, which, width, counts, table, ids}, count, slice);
}

}  // namespace

extern const WordKernels BITSENSE_TABLE(word_kernels_);
const WordKernels BITSENSE_TABLE(word_kernels_) = {
    pair_dots, halved_pair_dots, sampling_gradient, sampling_loss, pair_update, pair_pull, means,
    mixes,
};

}  // namespace bitsense
