#include "kernels/word_kernels.hpp"

#include "kernels/level.hpp"

#include "kernels/lanes.hpp"

namespace bitsense {
namespace {

// What the register file holds: rows and columns of a tile whose dot products are summed side by
// side, and columns that are moved at once.
#if BITSENSE_WIDTH == 16
constexpr int kDotRows = 4;
constexpr int kDotColumns = 6;
constexpr int kMoveColumns = 12;
#elif BITSENSE_WIDTH == 8
constexpr int kDotRows = 2;
constexpr int kDotColumns = 3;
constexpr int kMoveColumns = 6;
#else
constexpr int kDotRows = 1;
constexpr int kDotColumns = 3;
constexpr int kMoveColumns = 6;
#endif

// Makes the compiler hold a value in a register here, where it would load it again for each use, or
// do later sums first and spill.
#if defined(__x86_64__)
#define BITSENSE_HOLD(x) asm("" : "+v"(x))
#elif defined(__aarch64__)
#define BITSENSE_HOLD(x) asm("" : "+w"(x))
#else
#define BITSENSE_HOLD(x) (void)0
#endif

// Dot products whose sums are closed together.
constexpr std::size_t kStripRows = 8;
constexpr std::size_t kStripColumns = 6;

// What is left of the sums of a tile, a register for each dot product: of row i and column j at
// lanes[(i * step + j) * kWidth]. The loops over accumulators are unrolled by order: those that
// compilers unroll late keep the accumulators in memory.
template <int Rows, int Columns>
inline void dots_tile(const float* const* in, const float* const* out, float* lanes,
                      std::size_t step, Slice slice) {
  constexpr int kParts = static_cast<int>(kRegisters);
  Floats sum[Rows * Columns * kParts];
  const float* left[Rows];
  const float* right[Columns];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) left[i] = in[i];
#pragma GCC unroll 16
  for (int j = 0; j < Columns; ++j) right[j] = out[j];
#pragma GCC unroll 64
  for (int k = 0; k < Rows * Columns * kParts; ++k) sum[k] = Floats{};
  for (std::size_t x = slice.begin; x < slice.end; x += kQuantum)
#pragma GCC unroll 4
    for (int r = 0; r < kParts; ++r) {
      Floats column[Columns];
#pragma GCC unroll 16
      for (int j = 0; j < Columns; ++j) {
        column[j] = load(right[j] + x + r * kWidth);
        BITSENSE_HOLD(column[j]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const Floats row = load(left[i] + x + r * kWidth);
#pragma GCC unroll 16
        for (int j = 0; j < Columns; ++j) sum[(i * Columns + j) * kParts + r] += row * column[j];
      }
    }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (int j = 0; j < Columns; ++j) {
      const std::size_t at = static_cast<std::size_t>(i) * step + static_cast<std::size_t>(j);
      store(lanes + at * kWidth, narrowed(sum + (i * Columns + j) * kParts));
    }
}

// dots_tile for any number of rows.
template <int Columns>
inline void dots_columns(const float* const* in, std::size_t rows, const float* const* out,
                         float* lanes, std::size_t step, Slice slice) {
  std::size_t i = 0;
  for (; i + kDotRows <= rows; i += kDotRows)
    dots_tile<kDotRows, Columns>(in + i, out, lanes + i * step * kWidth, step, slice);
#if BITSENSE_WIDTH == 16
  if (rows - i == 3) dots_tile<3, Columns>(in + i, out, lanes + i * step * kWidth, step, slice);
  if (rows - i == 2) dots_tile<2, Columns>(in + i, out, lanes + i * step * kWidth, step, slice);
#endif
#if BITSENSE_WIDTH > 4
  if (rows - i == 1) dots_tile<1, Columns>(in + i, out, lanes + i * step * kWidth, step, slice);
#endif
}

// All of a strip, row by row without gaps.
void dots_strip(const float* const* in, std::size_t rows, const float* const* out,
                std::size_t columns, float* lanes, Slice slice) {
  std::size_t j = 0;
  for (; j + kDotColumns <= columns; j += kDotColumns)
    dots_columns<kDotColumns>(in, rows, out + j, lanes + j * kWidth, columns, slice);
  switch (columns - j) {
#if BITSENSE_WIDTH == 16
    case 5:
      dots_columns<5>(in, rows, out + j, lanes + j * kWidth, columns, slice);
      break;
    case 4:
      dots_columns<4>(in, rows, out + j, lanes + j * kWidth, columns, slice);
      break;
    case 3:
      dots_columns<3>(in, rows, out + j, lanes + j * kWidth, columns, slice);
      break;
#endif
    case 2:
      dots_columns<2>(in, rows, out + j, lanes + j * kWidth, columns, slice);
      break;
    case 1:
      dots_columns<1>(in, rows, out + j, lanes + j * kWidth, columns, slice);
      break;
    default:
      break;
  }
}

// The sums of the first `count` of kWidth registers. One that is not there is the first one again.
inline Floats closed_lanes(const float* lanes, std::size_t count) {
  return closed_registers([&](int i) {
    const auto at = static_cast<std::size_t>(i);
    return load(lanes + (at < count ? at : 0) * kWidth);
  });
}

void close_strip(const float* lanes, std::size_t count, float* sums) {
  for (; count >= kWidth; count -= kWidth, sums += kWidth, lanes += kWidth * kWidth)
    store(sums, closed_lanes(lanes, kWidth));
  if (count == 0) return;
  float all[kWidth];
  store(all, closed_lanes(lanes, count));
  for (std::size_t i = 0; i < count; ++i) sums[i] = all[i];
}

void pair_dots(const float* const* in, std::size_t rows, const float* const* out,
               std::size_t columns, float* z, Slice slice) {
  float lanes[kStripRows * kStripColumns * kWidth];
  for (std::size_t i = 0; i < rows; i += kStripRows) {
    const std::size_t some = rows - i < kStripRows ? rows - i : kStripRows;
    if (columns <= kStripColumns) {
      dots_strip(in + i, some, out, columns, lanes, slice);
      close_strip(lanes, some * columns, z + i * columns);
      continue;
    }
    for (std::size_t j = 0; j < columns; j += kStripColumns) {
      const std::size_t wide = columns - j < kStripColumns ? columns - j : kStripColumns;
      float sums[kStripRows * kStripColumns];
      dots_strip(in + i, some, out + j, wide, lanes, slice);
      close_strip(lanes, some * wide, sums);
      for (std::size_t r = 0; r < some; ++r)
        for (std::size_t c = 0; c < wide; ++c) z[(i + r) * columns + j + c] = sums[r * wide + c];
    }
  }
}

template <int Count>
inline void rows_tile(const float* const* in, const float* const* out, float* lanes, Slice slice) {
  constexpr int kParts = static_cast<int>(kRegisters);
  Floats sum[Count * kParts];
#pragma GCC unroll 16
  for (int k = 0; k < Count * kParts; ++k) sum[k] = Floats{};
  for (std::size_t x = slice.begin; x < slice.end; x += kQuantum)
#pragma GCC unroll 4
    for (int r = 0; r < kParts; ++r)
#pragma GCC unroll 4
      for (int i = 0; i < Count; ++i)
        sum[i * kParts + r] += load(in[i] + x + r * kWidth) * load(out[i] + x + r * kWidth);
#pragma GCC unroll 4
  for (int i = 0; i < Count; ++i) store(lanes + i * kWidth, narrowed(sum + i * kParts));
}

void row_dots(const float* const* in, const float* const* out, std::size_t count, float* z,
              Slice slice) {
  float lanes[kStripRows * kWidth];
  for (std::size_t i = 0; i < count; i += kStripRows) {
    const std::size_t some = count - i < kStripRows ? count - i : kStripRows;
    std::size_t k = 0;
    for (; k + 4 <= some; k += 4) rows_tile<4>(in + i + k, out + i + k, lanes + k * kWidth, slice);
    for (; k < some; ++k) rows_tile<1>(in + i + k, out + i + k, lanes + k * kWidth, slice);
    close_strip(lanes, some, z + i);
  }
}

// Adds the lanes of `sum` by the tree.
inline float total(const Sixteen& sum) {
  const Sixteen four[4] = {sum, sum, sum, sum};
  float closed[4];
  close(four, closed);
  return closed[0];
}

// A logarithm costs as much as all the rest, so where weights are 1 or 0 the arguments of many are
// multiplied first: the factors are at most 2, and kFactors of them far from the largest float.
template <bool Plain>
float gradient(float* z, const float* weight, const float* label, float step, std::size_t size) {
  constexpr std::size_t kFactors = 64 * kQuantum;
  Sixteen sum = {};
  for (std::size_t begin = 0; begin < size; begin += kFactors) {
    const std::size_t end = size - begin < kFactors ? size : begin + kFactors;
    Sixteen product;
    for (std::size_t r = 0; r < kRegisters; ++r) product.part[r] = broadcast(1.0F);
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
    if constexpr (Plain)
      for (std::size_t r = 0; r < kRegisters; ++r) sum.part[r] += log_above_one(product.part[r]);
  }
  return total(sum);
}

float sampling_gradient(float* z, const float* weight, const float* label, float step,
                        std::size_t size, bool plain) {
  return plain ? gradient<true>(z, weight, label, step, size)
               : gradient<false>(z, weight, label, step, size);
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

// to[i] += sum over j of g(i, j) * out[j] and out[j] += sum over i of g(i, j) * row i of old.
template <int Columns, class Old>
void move_tile(Old old, float* const* to, std::size_t rows, float* const* out, const float* g,
               std::size_t g_step, Slice slice, bool move_in, bool move_out) {
  for (std::size_t x = slice.begin; x < slice.end; x += kWidth) {
    Floats before[Columns];
    Floats after[Columns];
    for (int j = 0; j < Columns; ++j) before[j] = after[j] = load(out[j] + x);
    const float* factor = g;
    for (std::size_t i = 0; i < rows; ++i, factor += g_step) {
      const Floats row = load(old(i, x));
      Floats moved = Old::kMoves ? row : load(to[i] + x);
      for (int j = 0; j < Columns; ++j) {
        const Floats f = broadcast(factor[j]);
        moved += f * before[j];
        after[j] += f * row;
        BITSENSE_HOLD(moved);
      }
      if (move_in) store(to[i] + x, moved);
    }
    if (move_out)
      for (int j = 0; j < Columns; ++j) store(out[j] + x, after[j]);
  }
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

// The columns [x, x + Quanta * kQuantum).
template <int Quanta>
void mix_columns(const float* const* rows, const float* weight, std::size_t count, float* out,
                 std::size_t x) {
  constexpr int kParts = Quanta * static_cast<int>(kRegisters);
  Floats sum[kParts];
  for (int r = 0; r < kParts; ++r) sum[r] = load(out + x + r * kWidth);
  for (std::size_t k = 0; k < count; ++k) {
    const Floats w = broadcast(weight[k]);
    for (int r = 0; r < kParts; ++r) sum[r] += w * load(rows[k] + x + r * kWidth);
  }
  for (int r = 0; r < kParts; ++r) store(out + x + r * kWidth, sum[r]);
}

void mix(const float* const* rows, const float* weight, std::size_t count, float* out,
         Slice slice) {
  std::size_t x = slice.begin;
  for (; x + 4 * kQuantum <= slice.end; x += 4 * kQuantum)
    mix_columns<4>(rows, weight, count, out, x);
  for (; x < slice.end; x += kQuantum) mix_columns<1>(rows, weight, count, out, x);
}

void scaled(float s, const float* from, float* to, Slice slice) {
  const Floats factor = broadcast(s);
  for (std::size_t x = slice.begin; x < slice.end; x += kWidth)
    store(to + x, factor * load(from + x));
}

// The columns [x, x + Quanta * kQuantum).
template <int Quanta>
void mean_columns(const float* const* rows, std::size_t count, Floats share, float* out,
                  std::size_t x) {
  constexpr int kParts = Quanta * static_cast<int>(kRegisters);
  Floats sum[kParts] = {};
  for (std::size_t k = 0; k < count; ++k)
    for (int r = 0; r < kParts; ++r) sum[r] += load(rows[k] + x + r * kWidth);
  for (int r = 0; r < kParts; ++r) store(out + x + r * kWidth, sum[r] * share);
}

void mean(const float* const* rows, std::size_t count, float* out, Slice slice) {
  const Floats share = broadcast(1.0F / static_cast<float>(count));
  std::size_t x = slice.begin;
  for (; x + 4 * kQuantum <= slice.end; x += 4 * kQuantum)
    mean_columns<4>(rows, count, share, out, x);
  for (; x < slice.end; x += kQuantum) mean_columns<1>(rows, count, share, out, x);
}

}  // namespace

extern const WordKernels BITSENSE_TABLE(word_kernels_);
const WordKernels BITSENSE_TABLE(word_kernels_) = {
    pair_dots, row_dots, sampling_gradient, pair_update, pair_pull, mix, scaled, mean,
};

}  // namespace bitsense
