#include "search/sketches.hpp"

#include <algorithm>
#include <cmath>

#include "codes/projection.hpp"
#include "kernels/dispatch.hpp"
#include "search/byte_steps.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kRun = 4 * kPanelRows;  // rows that are projected at once
constexpr double kAxesError = 1e-4;           // of A'A - I
constexpr double kUp = 1.0001;                // covers the rounding of what is stored

// What a projection in float may be off by, times the length of what is projected: each of `kept`
// sums of `dim` products, in the worst case.
double projection_error(const SketchAxes& axes) {
  const auto dim = static_cast<double>(axes.axes.rows);
  return (dim + 2.0) * 0x1p-24 * std::sqrt(static_cast<double>(axes.kept()));
}

struct Lengths {
  double length, inside, outside;
};

// `whole` is |v|, `along` A'v as projected, `left` the length of what bytes leave out of that.
Lengths lengths_of(double whole, const float* along, std::size_t kept, double left,
                   const SketchAxes& axes) {
  const double off = projection_error(axes) + 2.0 * kAxesError;  // A'A stands between both
  double square = 0.0;
  for (std::size_t x = 0; x < kept; ++x) square += static_cast<double>(along[x]) * along[x];
  const double rest = std::max(0.0, whole * whole - square) + 3.0 * off * whole * whole;
  return {std::sqrt(square) + off * whole, left + off * whole, std::sqrt(rest)};
}

std::vector<float> without_mean(const float* row, const SketchAxes& axes) {
  std::vector<float> apart(axes.axes.rows);
  for (std::size_t x = 0; x < apart.size(); ++x) apart[x] = row[x] - axes.mean[x];
  return apart;
}

double square_of(const std::vector<float>& v) { return exact_dot(v.data(), v.data(), v.size()); }

// Writes the sketch of a row in its lane of a tile.
void write_sketch(const float* row, const float* along, RealMetric metric, const SketchAxes& axes,
                  std::uint8_t* bytes, float* terms) {
  const std::vector<float> apart = without_mean(row, axes);
  const double square = square_of(apart);
  const ByteSteps steps = to_steps(along, axes.kept(), kRowMost, [&](std::size_t x, int whole) {
    bytes[kPanelRows * (x - x % kQuad) + x % kQuad] = static_cast<std::uint8_t>(whole + kRowMiddle);
  });
  const Lengths lengths = lengths_of(kUp * std::sqrt(square), along, axes.kept(), steps.left, axes);
  double own = 0.0;
  if (metric == RealMetric::kCosine) own = exact_dot(axes.mean, apart.data(), apart.size());
  if (metric == RealMetric::kSquared) own = -0.5 * square;
  terms[kStep * kPanelRows] = steps.step;
  terms[kOwn * kPanelRows] = static_cast<float>(own);
  terms[kLength * kPanelRows] = static_cast<float>(kUp * lengths.length);
  terms[kInside * kPanelRows] = static_cast<float>(kUp * lengths.inside);
  terms[kOutside * kPanelRows] = static_cast<float>(kUp * lengths.outside);
}

}  // namespace

void sketch_rows(const StoredVectors& rows, RealMetric metric, const SketchAxes& axes,
                 std::size_t first, std::size_t threads, const Poll& poll, std::uint8_t* bytes,
                 float* terms) {
  const std::size_t kept = axes.kept(), dim = rows.dim;
  const std::size_t begin = first / kRun, runs = (rows.rows + kRun - 1) / kRun;
  parallel_for(
      threads, runs - std::min(begin, runs),
      [&](std::size_t r, std::size_t /*thread*/) {
        const std::size_t from = std::max(first, (begin + r) * kRun);
        const std::size_t count = std::min(rows.rows, (begin + r + 1) * kRun) - from;
        ComparedRows compared(rows, metric, *kernels().scores);
        std::vector<float> values(count * dim), along(count * kept);
        for (std::size_t i = 0; i < count; ++i) {
          std::copy_n(compared(from + i), dim, values.data() + i * dim);
        }
        project_rows({values.data(), count, dim}, axes.mean, axes.axes, 1, {}, along.data());
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t tile = (from + i) / kPanelRows, lane = (from + i) % kPanelRows;
          write_sketch(values.data() + i * dim, along.data() + i * kept, metric, axes,
                       bytes + tile * kPanelRows * kept + kQuad * lane,
                       terms + tile * kSketchTerms * kPanelRows + lane);
        }
      },
      poll);
}

SketchedQueries::SketchedQueries(const RowSketches& sketches, RealMetric metric,
                                 const VectorsView& queries, double longest, std::size_t threads,
                                 const Poll& poll)
    : queries_(queries.rows), bytes_(queries.rows), values_(queries.rows * sketches.axes.kept()) {
  const SketchAxes& axes = sketches.axes;
  const std::size_t dim = queries.dim, kept = axes.kept();
  const double mean_square = exact_dot(axes.mean, axes.mean, dim), mean = std::sqrt(mean_square);
  // The largest number of a row that is added to its product.
  double largest = 0.0;
  if (metric == RealMetric::kCosine) largest = mean * (1.0 + mean);
  if (metric == RealMetric::kSquared) largest = 0.5 * (longest + mean) * (longest + mean);
  std::vector<float> asked(queries.rows * dim), along(queries.rows * kept);
  for (std::size_t q = 0; q < queries.rows; ++q) {
    const float* row = queries.row(q);
    const double length = std::sqrt(exact_dot(row, row, dim));
    const double factor = metric == RealMetric::kCosine && length > 0.0 ? 1.0 / length : 1.0;
    float* out = asked.data() + q * dim;
    for (std::size_t x = 0; x < dim; ++x) out[x] = static_cast<float>(row[x] * factor);
    double own = exact_dot(out, axes.mean, dim);
    if (metric == RealMetric::kSquared) own -= 0.5 * mean_square;
    queries_[q].factor = static_cast<float>(factor);
    queries_[q].own = static_cast<float>(own);
    const double rounded = length * factor * mean + mean_square + largest;
    queries_[q].slack = static_cast<float>(kUp * kRounding * rounded);
  }
  project_rows({asked.data(), queries.rows, dim}, axes.mean, axes.axes, threads, poll,
               along.data());
  for (std::size_t q = 0; q < queries.rows; ++q) {
    const double whole = kUp * std::sqrt(square_of(without_mean(asked.data() + q * dim, axes)));
    double left = 0.0;
    bytes_[q] = byte_query(along.data() + q * kept, kept, values_.data() + q * kept, left);
    const Lengths lengths = lengths_of(whole, along.data() + q * kept, kept, left, axes);
    // |<w, v>| is off by |A'w| inside + what w's bytes leave out times those of v + what is outside
    // of the axes, and by the rounding of floats.
    const double floats = kRounding * whole;
    queries_[q].weights[0] = static_cast<float>(kUp * (lengths.inside + floats));
    queries_[q].weights[1] = static_cast<float>(kUp * (lengths.length + lengths.inside));
    queries_[q].weights[2] = static_cast<float>(kUp * (lengths.outside + floats));
  }
}

}  // namespace bitsense
