// Inner loops of word models: small dense tiles of a few input rows against a few output rows,
// which lie anywhere in memory. A tile's matrix is row by row without gaps, item (i, j) at
// [i * columns + j]. Rows are read and written in a slice of their columns alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

// The columns of a row in two halves: the first has the first four of each eight columns, the
// second the other four. So a register of eight lanes holds as much of either, and both are added
// up in one. Where rows are split (train/halved_tables.hpp), the columns of a half lie side by side
// in their order.
constexpr std::size_t kHalfLanes = 4;
constexpr std::size_t kColumnStep = 2 * kHalfLanes;

// The columns [begin, end) of rows, both multiples of kColumnStep.
struct Slice {
  std::size_t begin;
  std::size_t end;
  std::size_t size() const { return end - begin; }
};

// Rows of Float, which may be const, that lie one after another.
template <class Float>
struct RowsAt {
  Float* data;
  std::size_t stride;
  Float* row(std::size_t i) const { return data + i * stride; }
};

// What stands around some centres of a sequence of tokens. The i-th holds the tokens from first[i]
// to last[i] without its centre at[i], at least one; where at[i] is last[i] or more it holds all.
struct Windows {
  const std::uint32_t* first;
  const std::uint32_t* last;
  const std::uint32_t* at;
  const float* share;  // what each of its tokens counts
  std::size_t count;
};

// Of a pair where a gradient is `small`.
constexpr float kLargestWeight = 3.0F;

// What a sum of negative sampling's losses is kept in: sixteen lanes of terms and sixteen of
// factors whose logarithms belong to it too.
constexpr std::size_t kLossParts = 32;

// Where a kernel has rows `ahead`, one for each row or mean that it works at, it asks for their
// columns in the slice, for a later call, a few lines at a time: they come from memory beside the
// arithmetic. Those of a wide row all at once would take every place that a core has for lines on
// their way, and what it works at would wait behind them. `ahead` may be null.
struct WordKernels {
  // z(i, j) = sum over x < size of in[i][x] * out[j][x]: that of each half, which is four lanes
  // closed by a tree, the second added to the first. With `own`, which may be null, z has one more
  // column: in[i] with own[i]. There is at least one column; `size` is a multiple of kColumnStep.
  void (*pair_dots)(const float* const* in, std::size_t rows, const float* const* out,
                    std::size_t columns, const float* const* own, float* z, std::size_t size);

  // Of rows that are one half, of `size` columns, a multiple of kHalfLanes: its part of such sums.
  void (*half_pair_dots)(const float* const* in, std::size_t rows, const float* const* out,
                         std::size_t columns, const float* const* own, float* z, std::size_t size);

  // Negative sampling. z becomes step * (label - weight * s(z)) with s(z) = 1 / (1 + exp(-z)), its
  // absolute error below 5e-7. All arrays go on to a multiple of 16; z and weight are 0 there.
  // `small` says that weights are whole and none is above kLargestWeight, which is quicker. The
  // loss, the sum of
  // weight * log(1 + exp(z)) - label * z, is that of the kLossParts floats written to `loss`.
  void (*sampling_gradient)(float* z, const float* weight, const float* label, float step,
                            std::size_t size, bool small, float* loss);

  // The sum of the losses of `count` calls, kLossParts floats of each one after another.
  double (*sampling_loss)(const float* losses, std::size_t count);

  // One step of a tile: in[i] += sum over j of g(i, j) * out[j] and out[j] += sum over i of
  // g(i, j) * in[i], both from the values before the call, the sums in order of their index. The
  // rows of `in` are distinct, so are those of `out`. Moves only those that it is told to. `copy`
  // has room for rows * slice.size() floats.
  void (*pair_update)(float* const* in, std::size_t rows, float* const* out, std::size_t columns,
                      const float* g, Slice slice, bool move_in, bool move_out, float* copy);

  // A tile with own columns; g has columns + 1 columns. Row i of `in` becomes what pulls it: own g
  // times own[i] + sum over j of g(i, j) * out[j], from the values before the call. Then, if they
  // shall move, out[j] += sum over i of g(i, j) * (row i of `in` before the call), and after that
  // own[i] += own g times that row, one i after another. The rows of `out` are distinct, there is
  // at least one; own rows may be equal, and among `out`. `copy` has room for 2 * rows * slice.end
  // floats.
  void (*pair_pull)(RowsAt<float> in, std::size_t rows, float* const* out, std::size_t columns,
                    float* const* own, const float* g, const float* const* ahead, Slice slice,
                    bool move_out, float* copy);

  // Row i of `means`, for each window: share[i] times the sum of the rows of `table` with the ids
  // that it holds, in order.
  void (*means)(RowsAt<const float> table, const std::uint32_t* ids, Windows windows,
                RowsAt<float> means, const float* const* ahead, Slice slice);

  // For each of the tokens [begin, end), one after another: the row of `table` with the id
  // ids[token - begin] += sum over the windows i that hold it of share[i] * row i of `rows`, in
  // order. Their centres ascend, and none is further from a token of its window than `reach`. The
  // arrays of windows go on for a quantum behind the last.
  void (*mixes)(RowsAt<const float> rows, Windows windows, std::size_t reach, RowsAt<float> table,
                const std::uint32_t* ids, std::size_t begin, std::size_t end, Slice slice);
};

}  // namespace bitsense
