// What a search of real vectors needs beside float_kernels.hpp: rows of any storage side by side in
// a panel, comparison of 64 scores with a bound, and the scan of 1-bit codes by tables of a real
// query.
//
// Codes lie in planes for good: byte b of the 64 codes of a tile at planes[64 * b]. A query has for
// each byte of a code two tables of sixteen numbers, for its low nibble and its high nibble; what a
// code costs is the sum over its bytes of the two entries, and 255 where the sum is larger. All
// results here are whole numbers, or floats that no level rounds differently.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

constexpr std::size_t kPanelRows = 64;
constexpr std::size_t kPanelColumns = 16;  // rows side by side: a block of the product is as wide
constexpr std::size_t kNibbleTables = 32;  // bytes of the two tables of a byte of a code

constexpr std::size_t kQuad = 4;  // numbers of a row that a product of bytes adds at once

constexpr int kRowMost = 63;    // of a row's numbers as bytes: two products of bytes fit 16 bits
constexpr int kRowMiddle = 64;  // is added to them, as one operand of the product is unsigned

// 64 rows in bytes: number x of row i is about scale[i] * (bytes[64 * (x - x % 4) + 4 * i + x % 4]
// - 64). What is left over has at most the length residual[i].
struct ByteRows {
  std::uint8_t* bytes;
  float scale[kPanelRows], residual[kPanelRows];
};

// A query in bytes: number x is about scale * bytes[x]; `sum` is that of its bytes.
struct ByteQuery {
  const std::int8_t* bytes;
  float scale;
  std::int32_t sum;
};

// What the exact distance of two rows is made of.
struct ExactDots {
  double product, square;  // <a, b>, <b, b>
};

struct ScoreKernels {
  // Sums over n numbers, n a multiple of 16, in double. Number x goes to sum x % 8, and the sums
  // are added as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Products of floats are exact in double,
  // so fusing them with an addition changes no bit; squares of differences are never fused. A scale
  // is a float.
  ExactDots (*exact_dots)(const float* a, const float* b, std::size_t n);
  double (*exact_squared)(const float* a, const float* b, double scale, std::size_t n);  // |a-sb|^2

  // Lays 64 rows as four parts of 16 columns: panel[16 * (n * (i / 16) + x) + i % 16] =
  // rows[i][x] * factor[i] for i < 64, x < n, n a multiple of 16.
  void (*pack)(const float* const* rows, const float* factor, float* panel, std::size_t n);

  // Bit i is set where scores[i] >= bound, i < 64.
  std::uint64_t (*mask_from)(const float* scores, float bound);

  // Bit i is set where scores[i] + weights[0] * lengths[i] + weights[1] * lengths[64 + i] +
  // weights[2] * lengths[128 + i] >= bound, i < 64.
  std::uint64_t (*mask_open)(const float* scores, const float* lengths, const float* weights,
                             float bound);

  // Writes the rows, each times its factor (0 or more), in bytes; n a multiple of 16. It is null
  // where a product of floats is as fast as this and one of bytes.
  void (*pack_bytes)(const float* const* rows, const float* factor, std::size_t n, ByteRows& panel);

  // scores[64 * q + i] = bias[i] + what the bytes of query q and those of row i, laid as in
  // ByteRows, say of their product, n numbers a row, n a multiple of 4 below 2^17: exact but for
  // the rounding of floats at the end.
  void (*multiply_bytes)(const std::uint8_t* bytes, const float* scale, const float* bias,
                         const ByteQuery* queries, std::size_t count, std::size_t n, float* scores);

  // The floats that n IEEE half-precision numbers, or n signed bytes, are; n a multiple of 16.
  void (*widen_halves)(const std::uint16_t* halves, float* floats, std::size_t n);
  void (*widen_bytes)(const std::int8_t* bytes, float* floats, std::size_t n);

  // hit[q] = 1 if a code of the tile costs at most bounds[q] by the tables of query q, which follow
  // each other, else 0. Entries are at most 127.
  void (*scan_costs)(const std::uint8_t* planes, const std::uint8_t* tables, std::size_t queries,
                     std::size_t bytes, const std::uint8_t* bounds, std::uint8_t* hit);

  // What each of the 64 codes costs; bit i of the answer is set where that is at most `bound`.
  std::uint64_t (*costs)(const std::uint8_t* planes, const std::uint8_t* tables, std::size_t bytes,
                         std::uint8_t bound, std::uint8_t* result);
};

}  // namespace bitsense
