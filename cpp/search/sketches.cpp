#include "search/sketches.hpp"

#include <algorithm>
#include <cmath>

#include "codes/projection.hpp"
#include "kernels/dispatch.hpp"

namespace bitsense {

namespace {

constexpr float kMostOfQuery = 127.0F;
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

// Rounds `along` to whole numbers of at most `most`, times the step that is returned, and writes
// the length of what is left out.
template <class Put>
float quantise(const float* along, std::size_t kept, float most, double& left, Put&& put) {
  float largest = 0.0F;
  for (std::size_t x = 0; x < kept; ++x) largest = std::max(largest, std::fabs(along[x]));
  const float step = largest / most;
  left = 0.0;
  for (std::size_t x = 0; x < kept; ++x) {
    const float whole =
        step > 0.0F ? std::clamp(rounded_to_even(along[x] / step), -most, most) : 0.0F;
    const double apart = static_cast<double>(along[x]) - static_cast<double>(step) * whole;
    left += apart * apart;
    put(x, static_cast<int>(whole));
  }
  left = std::sqrt(left);
  return step;
}

double dot(const float* a, const float* b, std::size_t n) { return exact_dot(a, b, n); }

// A run of rows as they are compared: x, or x / |x| under the cosine.
class Rows {
 public:
  Rows(const StoredVectors& rows, RealMetric metric)
      : rows_(rows), metric_(metric), scratch_(rows.stride), values_(kRun * rows.dim) {}

  VectorsView read(std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const float* row = rows_.floats(first + i, *kernels().scores, scratch_.data());
      double factor = rows_.scale(first + i);
      if (metric_ == RealMetric::kCosine) {
        const double length = std::sqrt(static_cast<double>(rows_.squares[first + i]));
        factor = length > 0.0 ? factor / length : 0.0;
      }
      float* out = values_.data() + i * rows_.dim;
      for (std::size_t x = 0; x < rows_.dim; ++x) out[x] = static_cast<float>(row[x] * factor);
    }
    return {values_.data(), count, rows_.dim};
  }

 private:
  const StoredVectors& rows_;
  RealMetric metric_;
  std::vector<float> scratch_, values_;
};

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
        Rows reader(rows, metric);
        const VectorsView run = reader.read(from, count);
        std::vector<float> along(count * kept), apart(dim);
        project_rows(run, axes.mean, axes.axes, 1, {}, along.data());
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t tile = (from + i) / kPanelRows, lane = (from + i) % kPanelRows;
          for (std::size_t x = 0; x < dim; ++x) apart[x] = run.row(i)[x] - axes.mean[x];
          const double whole = kUp * std::sqrt(dot(apart.data(), apart.data(), dim));
          std::uint8_t* out = bytes + tile * kPanelRows * kept + kQuad * lane;
          double left = 0.0;
          const float step = quantise(along.data() + i * kept, kept, kRowMost, left,
                                      [&](std::size_t x, int value) {
                                        out[kPanelRows * (x - x % kQuad) + x % kQuad] =
                                            static_cast<std::uint8_t>(value + kRowMiddle);
                                      });
          const Lengths lengths = lengths_of(whole, along.data() + i * kept, kept, left, axes);
          double own = 0.0;
          if (metric == RealMetric::kCosine) own = dot(axes.mean, apart.data(), dim);
          if (metric == RealMetric::kSquared) own = -0.5 * dot(apart.data(), apart.data(), dim);
          float* term = terms + tile * kSketchTerms * kPanelRows + lane;
          term[kStep * kPanelRows] = step;
          term[kOwn * kPanelRows] = static_cast<float>(own);
          term[kLength * kPanelRows] = static_cast<float>(kUp * lengths.length);
          term[kInside * kPanelRows] = static_cast<float>(kUp * lengths.inside);
          term[kOutside * kPanelRows] = static_cast<float>(kUp * lengths.outside);
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
  const double mean_square = dot(axes.mean, axes.mean, dim), mean = std::sqrt(mean_square);
  // The largest number of a row that is added to its product.
  double largest = 0.0;
  if (metric == RealMetric::kCosine) largest = mean * (1.0 + mean);
  if (metric == RealMetric::kSquared) largest = 0.5 * (longest + mean) * (longest + mean);
  std::vector<float> asked(queries.rows * dim), along(queries.rows * kept);
  for (std::size_t q = 0; q < queries.rows; ++q) {
    const float* row = queries.row(q);
    const double length = std::sqrt(dot(row, row, dim));
    const double factor = metric == RealMetric::kCosine && length > 0.0 ? 1.0 / length : 1.0;
    float* out = asked.data() + q * dim;
    for (std::size_t x = 0; x < dim; ++x) out[x] = static_cast<float>(row[x] * factor);
    double own = dot(out, axes.mean, dim);
    if (metric == RealMetric::kSquared) own -= 0.5 * mean_square;
    queries_[q].factor = static_cast<float>(factor);
    queries_[q].own = static_cast<float>(own);
    const double rounded = length * factor * mean + mean_square + largest;
    queries_[q].slack = static_cast<float>(kUp * kRounding * rounded);
  }
  project_rows({asked.data(), queries.rows, dim}, axes.mean, axes.axes, threads, poll,
               along.data());
  std::vector<float> apart(dim);
  for (std::size_t q = 0; q < queries.rows; ++q) {
    for (std::size_t x = 0; x < dim; ++x) apart[x] = asked[q * dim + x] - axes.mean[x];
    const double whole = kUp * std::sqrt(dot(apart.data(), apart.data(), dim));
    std::int8_t* out = values_.data() + q * kept;
    std::int32_t sum = 0;
    double left = 0.0;
    const float step =
        quantise(along.data() + q * kept, kept, kMostOfQuery, left, [&](std::size_t x, int value) {
          out[x] = static_cast<std::int8_t>(value);
          sum += value;
        });
    const Lengths lengths = lengths_of(whole, along.data() + q * kept, kept, left, axes);
    bytes_[q] = {out, step, sum};
    // |<w, v>| is off by |A'w| inside + what w's bytes leave out times those of v + what is outside
    // of the axes, and by the rounding of floats.
    const double floats = kRounding * whole;
    queries_[q].weights[0] = static_cast<float>(kUp * (lengths.inside + floats));
    queries_[q].weights[1] = static_cast<float>(kUp * (lengths.length + lengths.inside));
    queries_[q].weights[2] = static_cast<float>(kUp * (lengths.outside + floats));
  }
}

}  // namespace bitsense
