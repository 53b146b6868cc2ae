#include "kernels/word_kernels.hpp"

#include "kernels/lanes.hpp"

namespace bitsense {
namespace {

// The most rows and columns of a tile whose dot products are summed side by side, and the most
// columns that are moved at once: what the register file holds.
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

// The sums of `Count` accumulators, each closed by the tree of `close`.
template <int Count>
inline void close_all(const Sixteen (&s)[Count], float* out) {
#if BITSENSE_WIDTH == 16
  for (int first = 0; first < Count; first += 16) {
    // Sixteen trees at once: each pass halves the lanes of all. An accumulator that is not there is
    // the last one again.
    Floats level[16];
    for (int i = 0; i < 16; ++i) level[i] = s[first + i < Count ? first + i : Count - 1].part[0];
    const int left = Count - first < 16 ? Count - first : 16;
    for (int i = 0; 2 * i < left; ++i) level[i] = fold(level[2 * i], level[2 * i + 1]);
    for (int i = 0; 4 * i < left; ++i) level[i] = fold_quarters(level[2 * i], level[2 * i + 1]);
    for (int i = 0; 8 * i < left; ++i) level[i] = fold_pairs(level[2 * i], level[2 * i + 1]);
    const Floats sums = fold_ones(level[0], level[1]);
    if (left == 16) {
      store(out + first, sums);
    } else {
      float closed[16];
      store(closed, sums);
      for (int i = 0; i < left; ++i) out[first + i] = closed[i];
    }
  }
#else
  for (int first = 0; first < Count; first += 4) {
    Sixteen four[4];
    for (int i = 0; i < 4; ++i) four[i] = s[first + i < Count ? first + i : Count - 1];
    float closed[4];
    close(four, closed);
    for (int i = 0; i < 4 && first + i < Count; ++i) out[first + i] = closed[i];
  }
#endif
}

template <int Rows, int Columns>
void dots_tile(const float* const* in, const float* const* out, float* z, std::size_t z_step,
               std::size_t n) {
  Sixteen sum[Rows * Columns] = {};
  const float* left[Rows];
  const float* right[Columns];
  for (int i = 0; i < Rows; ++i) left[i] = in[i];
  for (int j = 0; j < Columns; ++j) right[j] = out[j];
  for (std::size_t x = 0; x < n; x += kQuantum)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      Floats column[Columns];
      for (int j = 0; j < Columns; ++j) column[j] = load(right[j] + x + r * kWidth);
      for (int i = 0; i < Rows; ++i) {
        const Floats row = load(left[i] + x + r * kWidth);
        for (int j = 0; j < Columns; ++j) sum[i * Columns + j].part[r] += row * column[j];
      }
    }
  float closed[Rows * Columns];
  close_all(sum, closed);
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) z[i * z_step + j] = closed[i * Columns + j];
}

template <int Columns>
void dots_columns(const float* const* in, std::size_t rows, const float* const* out, float* z,
                  std::size_t z_step, std::size_t n) {
  std::size_t i = 0;
  for (; i + kDotRows <= rows; i += kDotRows)
    dots_tile<kDotRows, Columns>(in + i, out, z + i * z_step, z_step, n);
#if BITSENSE_WIDTH == 16
  if (rows - i == 3) dots_tile<3, Columns>(in + i, out, z + i * z_step, z_step, n);
  if (rows - i == 2) dots_tile<2, Columns>(in + i, out, z + i * z_step, z_step, n);
#endif
#if BITSENSE_WIDTH > 4
  if (rows - i == 1) dots_tile<1, Columns>(in + i, out, z + i * z_step, z_step, n);
#endif
}

void pair_dots(const float* const* in, std::size_t rows, const float* const* out,
               std::size_t columns, float* z, std::size_t n) {
  std::size_t j = 0;
  for (; j + kDotColumns <= columns; j += kDotColumns)
    dots_columns<kDotColumns>(in, rows, out + j, z + j, columns, n);
  switch (columns - j) {
#if BITSENSE_WIDTH == 16
    case 5:
      dots_columns<5>(in, rows, out + j, z + j, columns, n);
      break;
    case 4:
      dots_columns<4>(in, rows, out + j, z + j, columns, n);
      break;
    case 3:
      dots_columns<3>(in, rows, out + j, z + j, columns, n);
      break;
#endif
    case 2:
      dots_columns<2>(in, rows, out + j, z + j, columns, n);
      break;
    case 1:
      dots_columns<1>(in, rows, out + j, z + j, columns, n);
      break;
    default:
      break;
  }
}

float sampling_gradient(float* z, const float* weight, const float* label, float step,
                        std::size_t size) {
  Sixteen sum = {};
  for (std::size_t i = 0; i < size; i += kQuantum)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const std::size_t at = i + r * kWidth;
      const Floats x = clipped(load(z + at));
      const Floats w = load(weight + at);
      const Floats y = load(label + at);
      const Floats small = exponential(x < 0.0F ? x : -x);  // exp(-|z|)
      const Floats inverse = 1.0F / (1.0F + small);
      const Floats s = x < 0.0F ? small * inverse : inverse;
      sum.part[r] += w * (maximum(x, Floats{}) + log_one_plus(small)) - y * x;
      store(z + at, step * (y - w * s));
    }
  const Sixteen four[4] = {sum, sum, sum, sum};
  float closed[4];
  close(four, closed);
  return closed[0];
}

// The old input rows lie one after another in `copy`, or, where that is null, in `in` itself.
template <int Columns>
void move_columns(float* const* in, const float* copy, std::size_t rows, float* const* out,
                  const float* g, std::size_t g_step, std::size_t n, bool move_in, bool move_out) {
  for (std::size_t x = 0; x < n; x += kWidth) {
    Floats before[Columns];
    Floats after[Columns];
    for (int j = 0; j < Columns; ++j) before[j] = after[j] = load(out[j] + x);
    for (std::size_t i = 0; i < rows; ++i) {
      Floats moved = load(in[i] + x);
      const Floats row = copy ? load(copy + i * n + x) : moved;
      const float* factor = g + i * g_step;
      for (int j = 0; j < Columns; ++j) {
        const Floats f = broadcast(factor[j]);
        moved += f * before[j];
        after[j] += f * row;
      }
      if (move_in) store(in[i] + x, moved);
    }
    if (move_out)
      for (int j = 0; j < Columns; ++j) store(out[j] + x, after[j]);
  }
}

// move_columns<columns>, for columns <= Most.
template <int Most>
void move_at_most(std::size_t columns, float* const* in, const float* copy, std::size_t rows,
                  float* const* out, const float* g, std::size_t g_step, std::size_t n,
                  bool move_in, bool move_out) {
  if (columns == Most)
    move_columns<Most>(in, copy, rows, out, g, g_step, n, move_in, move_out);
  else if constexpr (Most > 1)
    move_at_most<Most - 1>(columns, in, copy, rows, out, g, g_step, n, move_in, move_out);
}

void pair_update(float* const* in, std::size_t rows, float* const* out, std::size_t columns,
                 const float* g, std::size_t n, bool move_in, bool move_out, float* copy) {
  if (columns <= kMoveColumns) {
    move_at_most<kMoveColumns>(columns, in, nullptr, rows, out, g, columns, n, move_in, move_out);
    return;
  }
  // Several passes over the input rows, all of which must see the old values.
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t x = 0; x < n; x += kWidth) store(copy + i * n + x, load(in[i] + x));
  for (std::size_t j = 0; j < columns; j += kMoveColumns) {
    const std::size_t some = columns - j < kMoveColumns ? columns - j : kMoveColumns;
    move_at_most<kMoveColumns>(some, in, copy, rows, out + j, g + j, columns, n, move_in, move_out);
  }
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

void mean(const float* const* rows, std::size_t count, float* out, std::size_t n) {
  const Floats share = broadcast(1.0F / static_cast<float>(count));
  std::size_t x = 0;
  for (; x + 4 * kQuantum <= n; x += 4 * kQuantum) mean_columns<4>(rows, count, share, out, x);
  for (; x < n; x += kQuantum) mean_columns<1>(rows, count, share, out, x);
}

}  // namespace

#define BITSENSE_JOIN_(a, b) a##b
#define BITSENSE_JOIN(a, b) BITSENSE_JOIN_(a, b)
extern const WordKernels BITSENSE_JOIN(word_kernels_, BITSENSE_LEVEL_NAME);
const WordKernels BITSENSE_JOIN(word_kernels_, BITSENSE_LEVEL_NAME) = {
    pair_dots,
    sampling_gradient,
    pair_update,
    mean,
};

}  // namespace bitsense
