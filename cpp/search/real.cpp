#include "search/real.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/errors.hpp"
#include "core/matrix.hpp"
#include "core/prefetch.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"
#include "search/scan.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 504;  // share the packing of a panel
constexpr std::size_t kGroup = 24;          // queries whose scores of a panel lie in the cache
constexpr std::size_t kSegmentPanels = 32;  // fewer are scanned sooner than a thread starts
constexpr std::size_t kFewQueries = 4;      // fewer are compared with the rows as they lie
constexpr float kLowest = std::numeric_limits<float>::lowest();

// An approximate score and a row; larger is nearer.
struct Scored {
  float score;
  std::uint32_t row;
};

// The rows of one query that may be among the answers.
class Candidates {
 public:
  // k == 0: all from `bound` on.
  Candidates(std::size_t k, float bound, float margin) : k_(k), margin_(margin), bound_(bound) {}

  float bound() const { return bound_; }
  void push(float score, std::uint32_t row) {
    kept_.push_back({score, row});
    if (k_ != 0 && kept_.size() >= room_) cut();
  }
  std::vector<Scored>& take() {
    if (k_ != 0 && kept_.size() > k_) cut();
    return kept_;
  }

 private:
  // Leaves what is not below the k-th best by more than the margin.
  void cut() {
    const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), kth, kept_.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    bound_ = std::max(bound_, kth->score - margin_);
    std::erase_if(kept_, [&](const Scored& x) { return x.score < bound_; });
    room_ = std::max(2 * kept_.size(), 2 * k_ + 64);
  }

  std::size_t k_;
  float margin_, bound_;
  std::size_t room_ = 2 * k_ + 64;
  std::vector<Scored> kept_;
};

// 64 rows of the table, or of those that pass a sparse filter, and their scores for some queries.
class Panels {
 public:
  Panels(const StoredVectors& rows, const std::vector<std::uint32_t>* chosen, RealMetric metric,
         const Kernels& kernels)
      : rows_(rows),
        chosen_(chosen),
        metric_(metric),
        floats_(*kernels.floats),
        scores_(*kernels.scores),
        panel_(rows.stride * kPanelRows),
        widened_(rows.storage == Storage::kFloat ? 0 : rows.stride * kPanelRows) {
    for (std::size_t part = 0; part < kPanelRows / kPanelColumns; ++part) {
      for (std::size_t x = 0; x < rows.stride; ++x) {
        lines_.push_back(panel_.data() + kPanelColumns * (rows.stride * part + x));
      }
    }
  }

  static std::size_t count(std::size_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }
  std::size_t items() const { return chosen_ ? chosen_->size() : rows_.rows; }
  std::uint32_t row(std::size_t item) const {
    return chosen_ ? (*chosen_)[item] : static_cast<std::uint32_t>(item);
  }
  std::size_t size(std::size_t panel) const {
    return std::min(kPanelRows, items() - panel * kPanelRows);
  }

  // Points at the rows of a panel and finds what their scores need; absent rows repeat the first.
  void gather(std::size_t panel) {
    for (std::size_t i = 0; i < kPanelRows; ++i) {
      const std::size_t at = row(panel * kPanelRows + (i < size(panel) ? i : 0));
      float* scratch = widened_.size() == 0 ? nullptr : widened_.data() + i * rows_.stride;
      pointers_[i] = rows_.floats(at, scores_, scratch);
      factor_[i] = rows_.scale(at);
      bias_[i] = 0.0F;
      const float square = rows_.squares[at];
      if (metric_ == RealMetric::kCosine)
        factor_[i] *= square > 0.0F ? 1.0F / std::sqrt(square) : 0.0F;
      if (metric_ == RealMetric::kSquared) bias_[i] = -0.5F * square;
    }
  }
  void pack() { scores_.pack(pointers_, factor_, panel_.data(), rows_.stride); }

  // Has the memory asked for the share i of n of the next panel: a product of 2,400 multiply-adds
  // hides what some rows take to come.
  void ask_ahead(std::size_t panel, std::size_t i, std::size_t n) const {
    if ((panel + 1) * kPanelRows >= items()) return;
    const std::size_t size_of_next = size(panel + 1);
    for (std::size_t r = size_of_next * i / n; r < size_of_next * (i + 1) / n; ++r) {
      ask_for_lines(rows_.address(row((panel + 1) * kPanelRows + r)), rows_.row_bytes());
    }
  }

  // Scores of the packed panel, kGroup x 64 at most: part by part, each of which stays in the
  // first-level cache while all the queries pass over it. They are group `group` of `groups`.
  void multiply(const float* const* queries, std::size_t count, float* scores, std::size_t panel,
                std::size_t group, std::size_t groups) const {
    float* out[kGroup];
    for (std::size_t first = 0; first < kPanelRows; first += kPanelColumns) {
      ask_ahead(panel, 4 * group + first / kPanelColumns, 4 * groups);
      for (std::size_t q = 0; q < count; ++q) {
        out[q] = scores + q * kPanelRows + first;
        std::copy_n(bias_ + first, kPanelColumns, out[q]);
      }
      const float* const* lines = lines_.data() + first / kPanelColumns * rows_.stride;
      floats_.multiply(queries, 1, lines, rows_.dim, out, count, kPanelColumns, true);
    }
  }
  // Scores of the gathered rows for one query.
  void dots(const float* query, float* scores) const {
    floats_.dots(query, pointers_, kPanelRows, scores, rows_.stride);
    for (std::size_t i = 0; i < kPanelRows; ++i) scores[i] = scores[i] * factor_[i] + bias_[i];
  }

 private:
  const StoredVectors& rows_;
  const std::vector<std::uint32_t>* chosen_;
  RealMetric metric_;
  const FloatKernels& floats_;
  const ScoreKernels& scores_;
  AlignedFloats panel_, widened_;
  std::vector<const float*> lines_;
  const float* pointers_[kPanelRows];
  float factor_[kPanelRows], bias_[kPanelRows];
};

// Queries padded to the stride of the rows.
struct PaddedQueries {
  AlignedFloats values;
  std::vector<const float*> rows;
  std::vector<double> lengths;

  PaddedQueries(const VectorsView& queries, std::size_t stride) : values(queries.rows * stride) {
    for (std::size_t q = 0; q < queries.rows; ++q) {
      float* row = values.data() + q * stride;
      std::copy_n(queries.row(q), queries.dim, row);
      rows.push_back(row);
      lengths.push_back(std::sqrt(exact_dot(row, row, stride)));
    }
  }
};

// What a score may be off by, twice: by rounding of the sum, of the factors, and of the distance.
float margin_of(const StoredVectors& rows, RealMetric metric, double query, double longest) {
  const double terms = static_cast<double>(rows.stride) + 32.0;
  double size = query * (metric == RealMetric::kCosine ? 1.0 : longest);
  if (metric == RealMetric::kSquared) size += longest * longest + query * query;
  return static_cast<float>(2.0 * terms * 0x1p-24 * size);
}

// The least score that a row within `radius` can have.
float bound_for(float radius, RealMetric metric, double query, float margin) {
  double least = 0.0;
  if (metric == RealMetric::kCosine) least = (1.0 - radius) * query;
  if (metric == RealMetric::kInner) least = -static_cast<double>(radius);
  if (metric == RealMetric::kSquared) least = 0.5 * (query * query - radius);
  return std::max(static_cast<float>(least) - margin, kLowest);
}

struct Work {
  const StoredVectors& rows;
  const PaddedQueries& queries;
  const std::vector<std::uint32_t>* chosen;
  const Filter& filter;
  const RealOptions& options;

  bool by_rows(std::size_t count) const { return count < kFewQueries; }
  // The rows of a panel that pass.
  std::uint64_t passing(const Panels& panels, std::size_t panel) const {
    const std::size_t size = panels.size(panel);
    const std::uint64_t there = size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
    return chosen ? there : there & filter.word(panel);
  }
};

void push_scores(const float* scores, std::uint64_t passing, const Panels& panels,
                 std::size_t panel, const ScoreKernels& kernels, Candidates& found) {
  std::uint64_t left = kernels.mask_from(scores, found.bound()) & passing;
  for (; left != 0; left &= left - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(left));
    if (scores[i] >= found.bound()) found.push(scores[i], panels.row(panel * kPanelRows + i));
  }
}

// Queries [first, first + found.size()) against panels of the range.
void scan_panels(const Work& work, std::size_t first, TileRange range,
                 std::vector<Candidates>& found, Stopper& stopper, std::size_t thread) {
  const ScoreKernels& kernels = *work.options.kernels.scores;
  Panels panels(work.rows, work.chosen, work.options.metric, work.options.kernels);
  AlignedFloats scores(kGroup * kPanelRows);
  for (std::size_t panel = range.first; panel < range.last; ++panel) {
    const std::uint64_t passing = work.passing(panels, panel);
    if (passing == 0) continue;
    if (panel % 16 == 0 && stopper.stop(thread)) return;
    panels.gather(panel);
    if (work.by_rows(found.size())) {
      for (std::size_t q = 0; q < found.size(); ++q) {
        panels.dots(work.queries.rows[first + q], scores.data());
        push_scores(scores.data(), passing, panels, panel, kernels, found[q]);
      }
      continue;
    }
    panels.pack();
    for (std::size_t q = 0; q < found.size(); q += kGroup) {
      const std::size_t count = std::min(kGroup, found.size() - q);
      panels.multiply(work.queries.rows.data() + first + q, count, scores.data(), panel, q / kGroup,
                      (found.size() + kGroup - 1) / kGroup);
      for (std::size_t i = 0; i < count; ++i) {
        push_scores(scores.data() + i * kPanelRows, passing, panels, panel, kernels, found[q + i]);
      }
    }
  }
}

// Finds the candidates of all queries: make(q) gives an empty one, done(q, segment, candidates) is
// called on any thread.
template <class Make, class Done>
void find_candidates(const Work& work, const Pieces& pieces, Make&& make, Done&& done) {
  Stopper stopper(work.options.poll);
  parallel_for(work.options.threads, pieces.count(), [&](std::size_t piece, std::size_t thread) {
    const std::size_t first = pieces.first_query(piece), last = first + pieces.rows(piece);
    std::vector<Candidates> found;
    for (std::size_t q = first; q < last; ++q) found.push_back(make(q));
    scan_panels(work, first, pieces.range(piece), found, stopper, thread);
    for (std::size_t q = first; q < last; ++q) {
      done(q, pieces.segment(piece), found[q - first].take());
    }
  });
}

double longest_of(const StoredVectors& rows) {
  if (rows.rows == 0) return 0.0;
  return std::sqrt(static_cast<double>(*std::max_element(rows.squares, rows.squares + rows.rows)));
}

// Candidates of each query, of all segments, and what scan they came from.
std::vector<std::vector<Scored>> candidates_of(const StoredVectors& rows,
                                               const PaddedQueries& padded, std::size_t k,
                                               const float* radius, const Filter& filter,
                                               const RealOptions& options) {
  std::vector<std::uint32_t> chosen;
  if (filter.sparse(rows.rows)) chosen = filter.rows(rows.rows);
  const Work work{rows, padded, filter.sparse(rows.rows) ? &chosen : nullptr, filter, options};
  const std::size_t queries = padded.rows.size();
  const std::size_t items = work.chosen ? chosen.size() : rows.rows;
  const Pieces pieces(queries, kBlockQueries, Panels::count(items), kSegmentPanels,
                      options.threads);
  const std::size_t segments = pieces.segments;
  const double longest = longest_of(rows);
  std::vector<std::vector<Scored>> parts(queries * segments);
  find_candidates(
      work, pieces,
      [&](std::size_t q) {
        const float margin = margin_of(rows, options.metric, padded.lengths[q], longest);
        if (!radius) return Candidates(k, kLowest, margin);
        return Candidates(0, bound_for(*radius, options.metric, padded.lengths[q], margin), margin);
      },
      [&](std::size_t q, std::size_t s, std::vector<Scored>& found) {
        parts[q * segments + s] = std::move(found);
      });
  std::vector<std::vector<Scored>> all(queries);
  for (std::size_t q = 0; q < queries; ++q) {
    Candidates merged(k, kLowest, margin_of(rows, options.metric, padded.lengths[q], longest));
    for (std::size_t s = 0; s < segments; ++s) {
      for (const Scored& x : parts[q * segments + s]) {
        if (x.score >= merged.bound()) merged.push(x.score, x.row);
      }
    }
    all[q] = std::move(merged.take());
  }
  return all;
}

RealNeighbor measured(ExactDistance& distance, std::size_t row, const RealOptions& options) {
  return {distance(row), options.ranks ? options.ranks[row] : static_cast<std::uint32_t>(row)};
}

}  // namespace

void squared_lengths(const StoredVectors& rows, std::size_t threads, const Poll& poll,
                     float* squares) {
  constexpr std::size_t kRows = 4096;
  parallel_for(
      threads, (rows.rows + kRows - 1) / kRows,
      [&](std::size_t block, std::size_t /*thread*/) {
        std::vector<float> scratch(rows.stride);
        for (std::size_t i = block * kRows; i < std::min(rows.rows, (block + 1) * kRows); ++i) {
          const float* row = rows.floats(i, *kernels().scores, scratch.data());
          const double scale = rows.scale(i);
          squares[i] = static_cast<float>(scale * scale * exact_dot(row, row, rows.stride));
        }
      },
      poll);
}

void real_search(const StoredVectors& rows, const VectorsView& queries, std::size_t k,
                 const Filter& filter, const RealOptions& options, std::int64_t* ids,
                 float* distances) {
  require(k <= filter.passing(rows.rows), "`k` must be at most ", filter.passing(rows.rows),
          ", got ", k);
  if (k == 0 || queries.rows == 0) return;
  const PaddedQueries padded(queries, rows.stride);
  const auto found = candidates_of(rows, padded, k, nullptr, filter, options);
  parallel_for(
      options.threads, queries.rows,
      [&](std::size_t q, std::size_t /*thread*/) {
        ExactDistance distance(rows, options.metric, *options.kernels.scores);
        distance.start(queries.row(q));
        std::vector<RealNeighbor> nearest;
        for (const Scored& x : found[q]) nearest.push_back(measured(distance, x.row, options));
        std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(k),
                          nearest.end());
        for (std::size_t i = 0; i < k; ++i) {
          ids[q * k + i] = nearest[i].id;
          distances[q * k + i] = nearest[i].distance;
        }
      },
      options.poll);
}

std::vector<std::vector<RealNeighbor>> real_range_search(const StoredVectors& rows,
                                                         const VectorsView& queries, float radius,
                                                         const Filter& filter,
                                                         const RealOptions& options) {
  std::vector<std::vector<RealNeighbor>> answers(queries.rows);
  if (queries.rows == 0 || filter.passing(rows.rows) == 0) return answers;
  const PaddedQueries padded(queries, rows.stride);
  const auto found = candidates_of(rows, padded, 0, &radius, filter, options);
  parallel_for(
      options.threads, queries.rows,
      [&](std::size_t q, std::size_t /*thread*/) {
        ExactDistance distance(rows, options.metric, *options.kernels.scores);
        distance.start(queries.row(q));
        for (const Scored& x : found[q]) {
          const RealNeighbor one = measured(distance, x.row, options);
          if (one.distance <= radius) answers[q].push_back(one);
        }
        std::sort(answers[q].begin(), answers[q].end());
      },
      options.poll);
  return answers;
}

void real_rerank(const StoredVectors& rows, const VectorsView& queries, const std::int64_t* listed,
                 std::size_t size, std::size_t k, const RealOptions& options, std::int64_t* ids,
                 float* distances) {
  constexpr std::size_t kAhead = 8;
  parallel_for(
      options.threads, queries.rows,
      [&](std::size_t q, std::size_t /*thread*/) {
        ExactDistance distance(rows, options.metric, *options.kernels.scores);
        distance.start(queries.row(q));
        const std::int64_t* list = listed + q * size;
        std::vector<RealNeighbor> found;
        for (std::size_t i = 0; i < size && list[i] >= 0; ++i) {
          if (i + kAhead < size && list[i + kAhead] >= 0) {
            ask_for_lines(rows.address(static_cast<std::size_t>(list[i + kAhead])),
                          rows.row_bytes());
          }
          found.push_back(measured(distance, static_cast<std::size_t>(list[i]), options));
        }
        const std::size_t best = std::min(k, found.size());
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(best),
                          found.end());
        for (std::size_t i = 0; i < k; ++i) {
          ids[q * k + i] = i < best ? static_cast<std::int64_t>(found[i].id) : -1;
          distances[q * k + i] = i < best ? found[i].distance : 0.0F;
        }
      },
      options.poll);
}

}  // namespace bitsense
