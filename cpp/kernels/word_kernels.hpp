// Inner loops of word models: small dense tiles of a few input rows against a few output rows,
// which lie anywhere in memory. A tile's matrix is row by row without gaps, item (i, j) at
// [i * columns + j]. Rows are read and written in a slice of their columns alone.
#pragma once

#include <cstddef>

namespace bitsense {

// The columns [begin, end) of rows, both multiples of 16 (kRowQuantum).
struct Slice {
  std::size_t begin;
  std::size_t end;
  std::size_t size() const { return end - begin; }
};

// The columns of rows of `size` floats in two halves of whole quanta, the second no smaller.
struct Halves {
  std::size_t size;
  Slice operator[](std::size_t half) const {
    const std::size_t middle = size / 32 * 16;
    return half == 0 ? Slice{0, middle} : Slice{middle, size};
  }
};

// What a sum of negative sampling's losses is kept in: sixteen lanes of terms and sixteen of
// factors whose logarithms belong to it too.
constexpr std::size_t kLossParts = 32;

struct WordKernels {
  // z[i * columns + j] = sum over x of in[i][x] * out[j][x]: sixteen lanes, closed by a tree. Up to
  // sixteen floats behind them are overwritten.
  void (*pair_dots)(const float* const* in, std::size_t rows, const float* const* out,
                    std::size_t columns, float* z, Slice slice);

  // z[i] = sum over x of in[i][x] * out[i][x], as above.
  void (*row_dots)(const float* const* in, const float* const* out, std::size_t count, float* z,
                   Slice slice);

  // Each the sum of two: what the same without `halved` makes of either half.
  void (*halved_pair_dots)(const float* const* in, std::size_t rows, const float* const* out,
                           std::size_t columns, float* z, Halves halves);
  void (*halved_row_dots)(const float* const* in, const float* const* out, std::size_t count,
                          float* z, Halves halves);

  // Negative sampling. z becomes step * (label - weight * s(z)) with s(z) = 1 / (1 + exp(-z)), z
  // clipped to [-60, 60]. All arrays go on to a multiple of 16; z and weight are 0 there. `plain`
  // says that no weight is other than 0 and 1, which is quicker. The loss, the sum of
  // weight * log(1 + exp(z)) - label * z, is that of the kLossParts floats written to `loss`.
  void (*sampling_gradient)(float* z, const float* weight, const float* label, float step,
                            std::size_t size, bool plain, float* loss);

  // The sum of the losses of `count` calls, kLossParts floats of each one after another.
  double (*sampling_loss)(const float* losses, std::size_t count);

  // One step of a tile: in[i] += sum over j of g(i, j) * out[j] and out[j] += sum over i of
  // g(i, j) * in[i], both from the values before the call, the sums in order of their index. The
  // rows of `in` are distinct, so are those of `out`. Moves only those that it is told to. `copy`
  // has room for rows * slice.size() floats.
  void (*pair_update)(float* const* in, std::size_t rows, float* const* out, std::size_t columns,
                      const float* g, Slice slice, bool move_in, bool move_out, float* copy);

  // The same where `in` stays as it is: pull[i] += sum over j of g(i, j) * out[j], from the old
  // rows of `out`, which move, if they shall, by sum over i of g(i, j) * in[i].
  void (*pair_pull)(const float* const* in, std::size_t rows, float* const* out,
                    std::size_t columns, const float* g, float* const* pull, Slice slice,
                    bool move_out);

  // out[x] += sum over k < count of weight[k] * rows[k][x], in order.
  void (*mix)(const float* const* rows, const float* weight, std::size_t count, float* out,
              Slice slice);

  // to = s * from.
  void (*scaled)(float s, const float* from, float* to, Slice slice);

  // out[x] = (sum over k < count of rows[k][x], in order) / count.
  void (*mean)(const float* const* rows, std::size_t count, float* out, Slice slice);
};

}  // namespace bitsense
