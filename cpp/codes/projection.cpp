#include "codes/projection.hpp"

#include <algorithm>
#include <vector>

#include "core/codes.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kRun = 64;      // rows of one item of work: they share a strip of directions
constexpr std::size_t kColumns = 16;  // sums of one row that stay in registers

// out[c] = sum over i of x[i] * directions[i][column + c], c < width <= kColumns. The sums do not
// depend on each other, so vectors of them change no order of additions. A width that is known keeps
// them in registers.
template <std::size_t Width>
void project_strip(const float* x, const VectorsView& directions, std::size_t column,
                   std::size_t width, float* out) {
  if constexpr (Width != 0) width = Width;
  float sum[kColumns] = {};
  for (std::size_t i = 0; i < directions.rows; ++i) {
    const float* direction = directions.row(i) + column;
    for (std::size_t c = 0; c < width; ++c) sum[c] += x[i] * direction[c];
  }
  for (std::size_t c = 0; c < width; ++c) out[c] = sum[c];
}

void project_run(const VectorsView& rows, const float* mean, const VectorsView& directions,
                 float* projected) {
  const std::size_t dim = rows.dim, bits = directions.dim;
  std::vector<float> centred(rows.rows * dim);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    for (std::size_t i = 0; i < dim; ++i) centred[r * dim + i] = rows.row(r)[i] - mean[i];
  }
  for (std::size_t c = 0; c < bits; c += kColumns) {
    const std::size_t width = std::min(kColumns, bits - c);
    const auto strip = width == kColumns ? project_strip<kColumns> : project_strip<0>;
    for (std::size_t r = 0; r < rows.rows; ++r) {
      strip(centred.data() + r * dim, directions, c, width, projected + r * bits + c);
    }
  }
}

// Calls body(first, view) for runs of rows, on any thread.
template <class Body>
void for_runs(const VectorsView& vectors, std::size_t threads, const Poll& poll, Body&& body) {
  parallel_for(
      threads, (vectors.rows + kRun - 1) / kRun,
      [&](std::size_t run, std::size_t /*thread*/) {
        const std::size_t first = run * kRun, rows = std::min(kRun, vectors.rows - first);
        body(first, VectorsView{vectors.row(first), rows, vectors.dim});
      },
      poll);
}

}  // namespace

void project_rows(const VectorsView& vectors, const float* mean, const VectorsView& directions,
                  std::size_t threads, const Poll& poll, float* projected) {
  for_runs(vectors, threads, poll, [&](std::size_t first, const VectorsView& rows) {
    project_run(rows, mean, directions, projected + first * directions.dim);
  });
}

void project_sign_rows(const VectorsView& vectors, const float* mean, const VectorsView& directions,
                       std::size_t threads, const Poll& poll, std::uint8_t* codes) {
  const std::size_t bits = directions.dim, bytes = code_bytes(bits);
  for_runs(vectors, threads, poll, [&](std::size_t first, const VectorsView& rows) {
    std::vector<float> projected(rows.rows * bits);
    project_run(rows, mean, directions, projected.data());
    for (std::size_t r = 0; r < rows.rows; ++r) {
      pack_signs(projected.data() + r * bits, bits, codes + (first + r) * bytes);
    }
  });
}

}  // namespace bitsense
