#include "codes/principal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "codes/projection.hpp"
#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"

namespace bitsense {

namespace {

constexpr double kSpare = 1.1;                     // that a block may hold more than the one before
constexpr std::size_t kRounds = 4;                 // of the power iteration
constexpr std::size_t kColumns = 8 * kRowQuantum;  // of a product that a thread makes at once

// Rows without their mean, padded, as float.
Matrix centred(const VectorsView& rows, const float* mean, float factor) {
  Matrix out(rows.rows, rows.dim);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t x = 0; x < rows.dim; ++x) {
      out.row(i)[x] = (rows.row(i)[x] - mean[x]) * factor;
    }
  }
  return out;
}

double dot(const double* a, const double* b, std::size_t n) {
  double sum[4] = {};
  std::size_t x = 0;
  for (; x + 4 <= n; x += 4) {
    for (std::size_t i = 0; i < 4; ++i) sum[i] += a[x + i] * b[x + i];
  }
  for (; x < n; ++x) sum[0] += a[x] * b[x];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Axes as rows of doubles, each orthogonal to those before.
class Axes {
 public:
  explicit Axes(std::size_t dim) : dim_(dim) {}

  std::size_t count() const { return values_.size() / dim_; }
  const double* row(std::size_t i) const { return values_.data() + i * dim_; }

  // Adds what is left of a row without the axes from `first` on. Twice is enough (Kahan and
  // Parlett). A row that is nothing else leaves a random one instead.
  void add(const float* row, std::size_t first, Rng& rng) {
    std::vector<double> left(row, row + dim_);
    while (!orthogonalise(left, first)) {
      for (double& x : left) x = static_cast<double>(rng.below(1U << 24)) - (1U << 23);
    }
    values_.insert(values_.end(), left.begin(), left.end());
  }
  void cut(std::size_t count) { values_.resize(count * dim_); }

 private:
  bool orthogonalise(std::vector<double>& left, std::size_t first) const {
    for (const bool again : {false, true}) {
      const double before = std::sqrt(dot(left.data(), left.data(), dim_));
      for (std::size_t i = first; i < count(); ++i) {
        const double along = dot(left.data(), row(i), dim_);
        for (std::size_t x = 0; x < dim_; ++x) left[x] -= along * row(i)[x];
      }
      const double after = std::sqrt(dot(left.data(), left.data(), dim_));
      if (!(after > (again ? 0.5 : 1e-4) * before)) return false;
      for (double& x : left) x /= after;
    }
    return true;
  }

  std::size_t dim_;
  std::vector<double> values_;
};

// Some axes as float, one behind the other in each of as many lines as padded rows have numbers: as
// products with those take them.
class Directions {
 public:
  Directions(const Axes& axes, std::size_t first, std::size_t dim)
      : count_(axes.count() - first), values_(padded(dim) * count_), none_(padded(dim)) {
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t x = 0; x < dim; ++x) {
        values_[x * count_ + i] = static_cast<float>(axes.row(first + i)[x]);
      }
    }
  }
  std::size_t count() const { return count_; }
  const std::vector<float>& values() const { return values_; }

  // rows x count.
  std::vector<float> along(const Matrix& rows, std::size_t threads, const Poll& poll) const {
    std::vector<float> out(rows.rows() * count_);
    project_rows({rows.row(0), rows.rows(), rows.stride()}, none_.data(),
                 {values_.data(), rows.stride(), count_}, threads, poll, out.data());
    return out;
  }

 private:
  std::size_t count_;
  std::vector<float> values_, none_;
};

// out[i] += sum over k of a[k][i] * rows[k], in parallel over columns. `out` has padded rows.
void add_products(const std::vector<float>& a, std::size_t count, const Matrix& rows, Matrix& out,
                  std::size_t threads, const Poll& poll) {
  std::vector<const float*> factors, lines;
  for (std::size_t i = 0; i < count; ++i) factors.push_back(a.data() + i);
  for (std::size_t k = 0; k < rows.rows(); ++k) lines.push_back(rows.row(k));
  const std::size_t width = rows.stride();
  parallel_for(
      threads, (width + kColumns - 1) / kColumns,
      [&](std::size_t part, std::size_t /*thread*/) {
        const std::size_t from = part * kColumns, columns = std::min(kColumns, width - from);
        std::vector<const float*> some(lines);
        for (const float*& line : some) line += from;
        std::vector<float*> sums;
        for (std::size_t i = 0; i < count; ++i) sums.push_back(out.row(i) + from);
        kernels().floats->multiply_rounded(factors.data(), count, some.data(), rows.rows(),
                                           sums.data(), count, columns, true);
      },
      poll);
}

// Takes what lies along the directions from the rows.
void take_off(const Directions& directions, Matrix& rows, std::size_t threads, const Poll& poll) {
  constexpr std::size_t kRun = 64;
  const std::size_t count = directions.count();
  std::vector<float> along = directions.along(rows, threads, poll);
  for (float& x : along) x = -x;
  Matrix axes(count, rows.dim());
  std::vector<const float*> lines;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t x = 0; x < rows.dim(); ++x) {
      axes.row(i)[x] = directions.values()[x * count + i];
    }
    lines.push_back(axes.row(i));
  }
  parallel_for(
      threads, (rows.rows() + kRun - 1) / kRun,
      [&](std::size_t run, std::size_t /*thread*/) {
        const float* factors[kRun];
        float* sums[kRun];
        const std::size_t first = run * kRun, some = std::min(kRun, rows.rows() - first);
        for (std::size_t i = 0; i < some; ++i) {
          factors[i] = along.data() + (first + i) * count;
          sums[i] = rows.row(first + i);
        }
        kernels().floats->multiply_rounded(factors, 1, lines.data(), count, sums, some,
                                           rows.stride(), true);
      },
      poll);
}

}  // namespace

std::vector<float> principal_axes(const VectorsView& rows, const VectorsView& others,
                                  std::span<const std::size_t> counts, double share,
                                  std::size_t threads, const Poll& poll, float* mean) {
  const std::size_t dim = rows.dim;
  std::vector<double> sums(dim);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t x = 0; x < dim; ++x) sums[x] += rows.row(i)[x];
  }
  const auto number = static_cast<double>(std::max<std::size_t>(rows.rows, 1));
  for (std::size_t x = 0; x < dim; ++x) mean[x] = static_cast<float>(sums[x] / number);
  float largest = 0.0F;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t x = 0; x < dim; ++x) {
      largest = std::max(largest, std::fabs(rows.row(i)[x] - mean[x]));
    }
  }
  if (largest < std::numeric_limits<float>::min() || counts.empty()) return {};
  Matrix left = centred(rows, mean, 1.0F / largest);
  const Matrix judged = centred(others, mean, 1.0F / largest);
  double whole = 0.0, held = 0.0;
  for (std::size_t i = 0; i < judged.rows(); ++i) {
    for (std::size_t x = 0; x < dim; ++x) {
      whole += static_cast<double>(judged.row(i)[x]) * judged.row(i)[x];
    }
  }
  Axes axes(dim);
  Rng rng(stream(0, dim));
  for (const std::size_t count : counts) {
    const std::size_t first = axes.count(), block = count - first;
    std::vector<float> begin(dim);
    while (axes.count() < count) {
      for (float& x : begin) x = static_cast<float>(rng.below(1U << 24)) - 8388608.0F;
      axes.add(begin.data(), first, rng);
    }
    for (std::size_t round = 0; round < kRounds; ++round) {
      const Directions directions(axes, first, dim);
      Matrix next(block, dim);
      add_products(directions.along(left, threads, poll), block, left, next, threads, poll);
      axes.cut(first);
      const bool last = round + 1 == kRounds;  // then the axes before matter to the last place
      for (std::size_t i = 0; i < block; ++i) axes.add(next.row(i), last ? 0 : first, rng);
    }
    const Directions directions(axes, first, dim);
    double gained = 0.0;
    for (const float x : directions.along(judged, threads, poll)) {
      gained += static_cast<double>(x) * x;
    }
    held += gained;
    if (held >= share * whole && whole > 0.0) {
      std::vector<float> values = Directions(axes, 0, dim).values();
      values.resize(dim * count);
      return values;
    }
    // Later axes hold less each.
    const double rest = static_cast<double>(counts.back() - count) / static_cast<double>(block);
    if (held + kSpare * gained * rest < share * whole) return {};
    take_off(directions, left, threads, poll);
  }
  return {};
}

}  // namespace bitsense
