#include "codes/projection.hpp"

#include <algorithm>
#include <vector>

#include "core/codes.hpp"
#include "core/matrix.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kRun = 64;  // rows of one item of work

// The columns of the directions in whole quanta, as the product of blocks takes them: where they
// lie, and those that do not fill a quantum in a copy.
class Columns {
 public:
  explicit Columns(const VectorsView& directions)
      : whole_(directions.dim - directions.dim % kRowQuantum), dim_(directions.dim) {
    for (std::size_t i = 0; i < directions.rows; ++i) rows_.push_back(directions.row(i));
    if (whole_ == dim_) return;
    rest_ = Matrix(directions.rows, dim_ - whole_);
    for (std::size_t i = 0; i < directions.rows; ++i) {
      std::copy(directions.row(i) + whole_, directions.row(i) + dim_, rest_.row(i));
      rest_rows_.push_back(rest_.row(i));
    }
  }

  // out[r] = rows[r] R, for `count` rows; out has dim columns.
  void multiply(const float* const* rows, std::size_t count, float* out) const {
    const FloatKernels& kernel = *kernels().floats;
    float* starts[kRun];
    for (std::size_t r = 0; r < count; ++r) starts[r] = out + r * dim_;
    kernel.multiply_rounded(rows, 1, rows_.data(), rows_.size(), starts, count, whole_, false);
    if (whole_ == dim_) return;
    float rest[kRun * kRowQuantum];
    float* rest_starts[kRun];
    for (std::size_t r = 0; r < count; ++r) rest_starts[r] = rest + r * kRowQuantum;
    kernel.multiply_rounded(rows, 1, rest_rows_.data(), rows_.size(), rest_starts, count,
                            kRowQuantum, false);
    for (std::size_t r = 0; r < count; ++r) {
      std::copy(rest_starts[r], rest_starts[r] + dim_ - whole_, starts[r] + whole_);
    }
  }

 private:
  std::size_t whole_, dim_;
  std::vector<const float*> rows_, rest_rows_;
  Matrix rest_;
};

void project_run(const VectorsView& rows, const float* mean, const Columns& columns,
                 float* projected) {
  std::vector<float> centred(rows.rows * rows.dim);
  const float* starts[kRun];
  for (std::size_t r = 0; r < rows.rows; ++r) {
    float* row = centred.data() + r * rows.dim;
    for (std::size_t i = 0; i < rows.dim; ++i) row[i] = rows.row(r)[i] - mean[i];
    starts[r] = row;
  }
  columns.multiply(starts, rows.rows, projected);
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
  const Columns columns(directions);
  for_runs(vectors, threads, poll, [&](std::size_t first, const VectorsView& rows) {
    project_run(rows, mean, columns, projected + first * directions.dim);
  });
}

void project_sign_rows(const VectorsView& vectors, const float* mean, const VectorsView& directions,
                       std::size_t threads, const Poll& poll, std::uint8_t* codes) {
  const std::size_t bits = directions.dim, bytes = code_bytes(bits);
  const Columns columns(directions);
  for_runs(vectors, threads, poll, [&](std::size_t first, const VectorsView& rows) {
    std::vector<float> projected(rows.rows * bits);
    project_run(rows, mean, columns, projected.data());
    for (std::size_t r = 0; r < rows.rows; ++r) {
      pack_signs(projected.data() + r * bits, bits, codes + (first + r) * bytes);
    }
  });
}

}  // namespace bitsense
