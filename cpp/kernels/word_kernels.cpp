#include "kernels/word_kernels.hpp"

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

// Dot products whose sums are closed together.
constexpr std::size_t kStripRows = 8;
constexpr std::size_t kStripColumns = 6;

// The registers that are left of the sums of a tile, one for each dot product: of row i and column j
// at lanes[(i * step + j) * kWidth].
template <int Rows, int Columns>
inline void dots_tile(const float* const* in, const float* const* out, float* lanes,
                      std::size_t step, std::size_t n) {
  Sixteen sum[Rows][Columns];
  const float* left[Rows];
  const float* right[Columns];
  for (int i = 0; i < Rows; ++i) left[i] = in[i];
  for (int j = 0; j < Columns; ++j) right[j] = out[j];
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j)
      for (std::size_t r = 0; r < kRegisters; ++r) sum[i][j].part[r] = Floats{};
  for (std::size_t x = 0; x < n; x += kQuantum)
    for (std::size_t r = 0; r < kRegisters; ++r) {
      Floats column[Columns];
      for (int j = 0; j < Columns; ++j) column[j] = load(right[j] + x + r * kWidth);
      for (int i = 0; i < Rows; ++i) {
        const Floats row = load(left[i] + x + r * kWidth);
        for (int j = 0; j < Columns; ++j) sum[i][j].part[r] += row * column[j];
      }
    }
  for (int i = 0; i < Rows; ++i)
    for (int j = 0; j < Columns; ++j) {
      const std::size_t at = static_cast<std::size_t>(i) * step + static_cast<std::size_t>(j);
      store(lanes + at * kWidth, narrowed(sum[i][j]));
    }
}

// dots_tile for any number of rows.
template <int Columns>
inline void dots_columns(const float* const* in, std::size_t rows, const float* const* out,
                         float* lanes, std::size_t step, std::size_t n) {
  const auto tile = [&]<int Rows>(std::size_t i) {
    dots_tile<Rows, Columns>(in + i, out, lanes + i * step * kWidth, step, n);
  };
  std::size_t i = 0;
  for (; i + kDotRows <= rows; i += kDotRows) tile.template operator()<kDotRows>(i);
#if BITSENSE_WIDTH == 16
  if (rows - i == 3) tile.template operator()<3>(i);
  if (rows - i == 2) tile.template operator()<2>(i);
#endif
#if BITSENSE_WIDTH > 4
  if (rows - i == 1) tile.template operator()<1>(i);
#endif
}

// All registers of a strip, row by row without gaps.
void dots_strip(const float* const* in, std::size_t rows, const float* const* out,
                std::size_t columns, float* lanes, std::size_t n) {
  std::size_t j = 0;
  for (; j + kDotColumns <= columns; j += kDotColumns)
    dots_columns<kDotColumns>(in, rows, out + j, lanes + j * kWidth, columns, n);
  switch (columns - j) {
#if BITSENSE_WIDTH == 16
    case 5:
      dots_columns<5>(in, rows, out + j, lanes + j * kWidth, columns, n);
      break;
    case 4:
      dots_columns<4>(in, rows, out + j, lanes + j * kWidth, columns, n);
      break;
    case 3:
      dots_columns<3>(in, rows, out + j, lanes + j * kWidth, columns, n);
      break;
#endif
    case 2:
      dots_columns<2>(in, rows, out + j, lanes + j * kWidth, columns, n);
      break;
    case 1:
      dots_columns<1>(in, rows, out + j, lanes + j * kWidth, columns, n);
      break;
    default:
      break;
  }
}

// The sums of `count` registers.
void close_strip(const float* lanes, std::size_t count, float* sums) {
  std::size_t first = 0;
  for (; first + kWidth <= count; first += kWidth)
    store(sums + first, closed_registers([&](int i) {
            return load(lanes + (first + static_cast<std::size_t>(i)) * kWidth);
          }));
  if (first == count) return;
  // A register that is not there is the last one again.
  const Floats rest = closed_registers([&](int i) {
    const std::size_t at = first + static_cast<std::size_t>(i);
    return load(lanes + (at < count ? at : count - 1) * kWidth);
  });
  float all[kWidth];
  store(all, rest);
  for (std::size_t i = 0; first + i < count; ++i) sums[first + i] = all[i];
}

void pair_dots(const float* const* in, std::size_t rows, const float* const* out,
               std::size_t columns, float* z, std::size_t n) {
  float lanes[kStripRows * kStripColumns * kWidth];
  for (std::size_t i = 0; i < rows; i += kStripRows) {
    const std::size_t some = rows - i < kStripRows ? rows - i : kStripRows;
    if (columns <= kStripColumns) {
      dots_strip(in + i, some, out, columns, lanes, n);
      close_strip(lanes, some * columns, z + i * columns);
      continue;
    }
    for (std::size_t j = 0; j < columns; j += kStripColumns) {
      const std::size_t wide = columns - j < kStripColumns ? columns - j : kStripColumns;
      float sums[kStripRows * kStripColumns];
      dots_strip(in + i, some, out + j, wide, lanes, n);
      close_strip(lanes, some * wide, sums);
      for (std::size_t r = 0; r < some; ++r)
        for (std::size_t c = 0; c < wide; ++c) z[(i + r) * columns + j + c] = sums[r * wide + c];
    }
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

// Keeps the compiler from doing later sums first, for which it would have to spill.
#if defined(__x86_64__)
#define BITSENSE_IN_ORDER(x) asm("" : "+v"(x))
#else
#define BITSENSE_IN_ORDER(x) asm("" : "+w"(x))
#endif

// Where the rows that columns move by lie. `kMoves` says that they are also those that move.
struct InPlace {
  static constexpr bool kMoves = true;
  float* const* rows;
  const float* operator()(std::size_t i) const { return rows[i]; }
};
struct Apart {
  static constexpr bool kMoves = false;
  const float* const* rows;
  const float* operator()(std::size_t i) const { return rows[i]; }
};
struct Copied {
  static constexpr bool kMoves = false;
  const float* copy;
  std::size_t n;
  const float* operator()(std::size_t i) const { return copy + i * n; }
};

// to[i] += sum over j of g(i, j) * out[j] and out[j] += sum over i of g(i, j) * old(i).
template <int Columns, class Old>
void move_columns(Old old, float* const* to, std::size_t rows, float* const* out, const float* g,
                  std::size_t g_step, std::size_t n, bool move_in, bool move_out) {
  for (std::size_t x = 0; x < n; x += kWidth) {
    Floats before[Columns];
    Floats after[Columns];
    for (int j = 0; j < Columns; ++j) before[j] = after[j] = load(out[j] + x);
    const float* factor = g;
    for (std::size_t i = 0; i < rows; ++i, factor += g_step) {
      const Floats row = load(old(i) + x);
      Floats moved = Old::kMoves ? row : load(to[i] + x);
      for (int j = 0; j < Columns; ++j) {
        const Floats f = broadcast(factor[j]);
        moved += f * before[j];
        after[j] += f * row;
        BITSENSE_IN_ORDER(moved);
      }
      if (move_in) store(to[i] + x, moved);
    }
    if (move_out)
      for (int j = 0; j < Columns; ++j) store(out[j] + x, after[j]);
  }
}

// move_columns<columns>, for columns <= Most.
template <int Most, class Old>
void move_at_most(std::size_t columns, Old old, float* const* to, std::size_t rows,
                  float* const* out, const float* g, std::size_t g_step, std::size_t n,
                  bool move_in, bool move_out) {
  if (columns == Most)
    move_columns<Most>(old, to, rows, out, g, g_step, n, move_in, move_out);
  else if constexpr (Most > 1)
    move_at_most<Most - 1>(columns, old, to, rows, out, g, g_step, n, move_in, move_out);
}

// Passes of at most kMoveColumns, all of which see the old rows.
template <class Old>
void move_in_passes(Old old, float* const* to, std::size_t rows, float* const* out,
                    std::size_t columns, const float* g, std::size_t n, bool move_in,
                    bool move_out) {
  for (std::size_t j = 0; j < columns; j += kMoveColumns) {
    const std::size_t some = columns - j < kMoveColumns ? columns - j : kMoveColumns;
    move_at_most<kMoveColumns>(some, old, to, rows, out + j, g + j, columns, n, move_in, move_out);
  }
}

void pair_update(float* const* in, std::size_t rows, float* const* out, std::size_t columns,
                 const float* g, std::size_t n, bool move_in, bool move_out, float* copy) {
  if (columns <= kMoveColumns) {
    move_at_most<kMoveColumns>(columns, InPlace{in}, in, rows, out, g, columns, n, move_in,
                               move_out);
    return;
  }
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t x = 0; x < n; x += kWidth) store(copy + i * n + x, load(in[i] + x));
  move_in_passes(Copied{copy, n}, in, rows, out, columns, g, n, move_in, move_out);
}

void pair_pull(const float* const* in, std::size_t rows, float* const* out, std::size_t columns,
               const float* g, float* const* pull, std::size_t n, bool move_out) {
  move_in_passes(Apart{in}, pull, rows, out, columns, g, n, true, move_out);
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
         std::size_t n) {
  std::size_t x = 0;
  for (; x + 4 * kQuantum <= n; x += 4 * kQuantum) mix_columns<4>(rows, weight, count, out, x);
  for (; x < n; x += kQuantum) mix_columns<1>(rows, weight, count, out, x);
}

void scaled(float s, const float* x, float* y, std::size_t n) {
  const Floats factor = broadcast(s);
  for (std::size_t i = 0; i < n; i += kWidth) store(y + i, factor * load(x + i));
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
    pair_pull,
    mix,
    scaled,
    mean,
};

}  // namespace bitsense
