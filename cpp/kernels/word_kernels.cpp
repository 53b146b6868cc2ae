#include "kernels/word_kernels.hpp"

#include "kernels/level.hpp"

#include "kernels/lanes.hpp"

namespace bitsense {
namespace {

// Columns that are moved at once: what the register file holds.
constexpr int kMoveColumns = BITSENSE_WIDTH == 16 ? 12 : 6;

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

// Where the rows that columns move by lie: the rows that move, others, or copies of those that
// move. Whether they are those that move is known to the compiler.
template <bool Moves>
struct Rows {
  static constexpr bool kMoves = Moves;
  const float* const* rows;
  const float* operator()(std::size_t i, std::size_t x) const { return rows[i] + x; }
};
struct Copies {
  static constexpr bool kMoves = false;
  float* copy;
  Slice slice;
  float* operator()(std::size_t i, std::size_t x) const {
    return copy + i * slice.size() + (x - slice.begin);
  }
};

// to[i] += sum over j of g(i, j) * out[j] and out[j] += sum over i of g(i, j) * row i of old, in
// Strips registers of columns from x on.
template <int Columns, int Strips, class Old>
inline void move_strips(Old old, float* const* to, std::size_t rows, float* const* out,
                        const float* g, std::size_t g_step, std::size_t x, bool move_in,
                        bool move_out) {
  Floats before[Columns * Strips];
  Floats after[Columns * Strips];
#pragma GCC unroll 12
  for (int j = 0; j < Columns; ++j)
#pragma GCC unroll 2
    for (int s = 0; s < Strips; ++s)
      before[j * Strips + s] = after[j * Strips + s] = load(out[j] + x + s * kWidth);
  const float* factor = g;
  for (std::size_t i = 0; i < rows; ++i, factor += g_step) {
    Floats row[Strips];
    Floats moved[Strips];
#pragma GCC unroll 2
    for (int s = 0; s < Strips; ++s) {
      row[s] = load(old(i, x + s * kWidth));
      moved[s] = Old::kMoves ? row[s] : load(to[i] + x + s * kWidth);
    }
#pragma GCC unroll 12
    for (int j = 0; j < Columns; ++j) {
      const Floats f = broadcast(factor[j]);
#pragma GCC unroll 2
      for (int s = 0; s < Strips; ++s) {
        moved[s] += f * before[j * Strips + s];
        after[j * Strips + s] += f * row[s];
        BITSENSE_HOLD(moved[s]);
      }
    }
    if (move_in)
#pragma GCC unroll 2
      for (int s = 0; s < Strips; ++s) store(to[i] + x + s * kWidth, moved[s]);
  }
  if (move_out)
#pragma GCC unroll 12
    for (int j = 0; j < Columns; ++j)
#pragma GCC unroll 2
      for (int s = 0; s < Strips; ++s) store(out[j] + x + s * kWidth, after[j * Strips + s]);
}

template <int Columns, class Old>
void move_tile(Old old, float* const* to, std::size_t rows, float* const* out, const float* g,
               std::size_t g_step, Slice slice, bool move_in, bool move_out) {
  std::size_t x = slice.begin;
  if constexpr (2 * Columns <= kMoveColumns && BITSENSE_WIDTH == 16)
    for (; x + 2 * kWidth <= slice.end; x += 2 * kWidth)
      move_strips<Columns, 2>(old, to, rows, out, g, g_step, x, move_in, move_out);
  for (; x < slice.end; x += kWidth)
    move_strips<Columns, 1>(old, to, rows, out, g, g_step, x, move_in, move_out);
}

// move_tile<columns>, for columns <= Most.
template <int Most, class Old>
void move_columns(std::size_t columns, Old old, float* const* to, std::size_t rows,
                  float* const* out, const float* g, std::size_t g_step, Slice slice, bool move_in,
                  bool move_out) {
  if (columns == Most)
    move_tile<Most>(old, to, rows, out, g, g_step, slice, move_in, move_out);
  else if constexpr (Most > 1)
    move_columns<Most - 1>(columns, old, to, rows, out, g, g_step, slice, move_in, move_out);
}

// Passes of at most kMoveColumns, all of which see the old rows.
template <class Old>
void move_in_passes(Old old, float* const* to, std::size_t rows, float* const* out,
                    std::size_t columns, const float* g, Slice slice, bool move_in, bool move_out) {
  for (std::size_t j = 0; j < columns; j += kMoveColumns) {
    const std::size_t some = columns - j < kMoveColumns ? columns - j : kMoveColumns;
    move_columns<kMoveColumns>(some, old, to, rows, out + j, g + j, columns, slice, move_in,
                               move_out);
  }
}

void pair_update(float* const* in, std::size_t rows, float* const* out, std::size_t columns,
                 const float* g, Slice slice, bool move_in, bool move_out, float* copy) {
  if (columns <= kMoveColumns) {
    move_columns<kMoveColumns>(columns, Rows<true>{in}, in, rows, out, g, columns, slice, move_in,
                               move_out);
    return;
  }
  const Copies old{copy, slice};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t x = slice.begin; x < slice.end; x += kWidth) store(old(i, x), load(in[i] + x));
  move_in_passes(old, in, rows, out, columns, g, slice, move_in, move_out);
}

void pair_pull(const float* const* in, std::size_t rows, float* const* out, std::size_t columns,
               const float* g, float* const* pull, Slice slice, bool move_out) {
  move_in_passes(Rows<false>{in}, pull, rows, out, columns, g, slice, true, move_out);
}

// Quanta of columns whose sums are in registers at once.
constexpr int kSumQuanta = kWidth == 16 ? 8 : 4;

// The columns [x, x + Quanta * kQuantum).
template <int Quanta>
struct MixColumns {
  static void run(const float* const* rows, const float* weight, std::size_t count, float* out,
                  std::size_t x) {
    constexpr int kParts = Quanta * static_cast<int>(kRegisters);
    Floats sum[kParts];
#pragma GCC unroll 16
    for (int r = 0; r < kParts; ++r) sum[r] = load(out + x + r * kWidth);
    for (std::size_t k = 0; k < count; ++k) {
      const Floats w = broadcast(weight[k]);
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) sum[r] += w * load(rows[k] + x + r * kWidth);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kParts; ++r) store(out + x + r * kWidth, sum[r]);
  }
};

template <int Quanta>
struct MeanColumns {
  static void run(const float* const* rows, std::size_t count, float share, float* out,
                  std::size_t x) {
    constexpr int kParts = Quanta * static_cast<int>(kRegisters);
    const Floats factor = broadcast(share);
    Floats sum[kParts];
#pragma GCC unroll 16
    for (int r = 0; r < kParts; ++r) sum[r] = Floats{};
    for (std::size_t k = 0; k < count; ++k)
#pragma GCC unroll 16
      for (int r = 0; r < kParts; ++r) sum[r] += load(rows[k] + x + r * kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < kParts; ++r) store(out + x + r * kWidth, sum[r] * factor);
  }
};

// Columns<quanta>::run, for quanta <= Most. No argument is a register: a function that gets one
// leaves with its upper half in use, and code that is not of this level then waits for it.
template <template <int> class Columns, int Most, class... Args>
inline void run_last(std::size_t quanta, Args... args) {
  if constexpr (Most > 0) {
    if (quanta == Most)
      Columns<Most>::run(args...);
    else
      run_last<Columns, Most - 1>(quanta, args...);
  }
}

// Columns::run(args..., x) for all x of a slice: passes of kSumQuanta, and one for what is left.
template <template <int> class Columns, class... Args>
inline void run_columns(Slice slice, Args... args) {
  constexpr std::size_t kPass = kSumQuanta * kQuantum;
  std::size_t x = slice.begin;
  for (; x + kPass <= slice.end; x += kPass) Columns<kSumQuanta>::run(args..., x);
  run_last<Columns, kSumQuanta - 1>((slice.end - x) / kQuantum, args..., x);
}

void mix(const float* const* rows, const float* weight, std::size_t count, float* out,
         Slice slice) {
  run_columns<MixColumns>(slice, rows, weight, count, out);
}

void scaled(float s, const float* from, float* to, Slice slice) {
  const Floats factor = broadcast(s);
  for (std::size_t x = slice.begin; x < slice.end; x += kWidth)
    store(to + x, factor * load(from + x));
}

void mean(const float* const* rows, std::size_t count, float* out, Slice slice) {
  run_columns<MeanColumns>(slice, rows, count, 1.0F / static_cast<float>(count), out);
}

}  // namespace

extern const WordKernels BITSENSE_TABLE(word_kernels_);
const WordKernels BITSENSE_TABLE(word_kernels_) = {
    pair_dots,
    row_dots,
    halved_pair_dots,
    halved_row_dots,
    sampling_gradient,
    sampling_loss,
    pair_update,
    pair_pull,
    mix,
    scaled,
    mean,
};

}  // namespace bitsense
