#include "search/real.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/errors.hpp"
#include "core/prefetch.hpp"
#include "search/candidates.hpp"
#include "search/panels.hpp"
#include "search/scan.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 504;  // share the packing of a panel
constexpr std::size_t kSegmentPanels = 32;  // fewer are scanned sooner than a thread starts
constexpr std::size_t kFewQueries = 4;      // fewer are compared with the rows as they lie
constexpr std::size_t kMostByteDim = std::size_t{1} << 16;  // the sums of bytes fit 32 bits
constexpr float kLowest = std::numeric_limits<float>::lowest();

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

PaddedQueries padded_for(const StoredVectors& rows, const VectorsView& queries,
                         const RealOptions& options) {
  const bool with_bytes = options.kernels.scores->multiply_bytes != nullptr &&
                          rows.dim < kMostByteDim && queries.rows >= kFewQueries;
  return {queries, rows.stride, with_bytes};
}

struct Work {
  const StoredVectors& rows;
  const PaddedQueries& queries;
  const std::vector<std::uint32_t>* chosen;
  const Filter& filter;
  const RealOptions& options;
  double longest;  // of the rows

  bool by_rows(std::size_t count) const { return count < kFewQueries; }
  // Are the products of queries [first, last) so large and so small that bytes give them?
  bool by_bytes(std::size_t first, std::size_t last) const {
    if (by_rows(last - first) || queries.bytes.empty()) return false;
    const double row = options.metric == RealMetric::kCosine ? 1.0 : longest;
    return std::all_of(queries.lengths.begin() + static_cast<std::ptrdiff_t>(first),
                       queries.lengths.begin() + static_cast<std::ptrdiff_t>(last),
                       [&](double query) { return query * row > 1e-25 && query * row < 1e30; });
  }
  // The rows of a panel that pass.
  std::uint64_t passing(const Panels& panels, std::size_t panel) const {
    const std::size_t size = panels.size(panel);
    const std::uint64_t there = size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
    return chosen ? there : there & filter.word(panel);
  }
};

// One run over panels for queries [first, first + found.size()).
class PanelScan {
 public:
  PanelScan(const Work& work, std::size_t first, std::vector<Candidates>& found)
      : work_(work),
        kernels_(*work.options.kernels.scores),
        first_(first),
        found_(found),
        panels_(work.rows, work.chosen, work.options.metric, work.options.kernels),
        scores_(kPanelQueries * kPanelRows),
        may_by_bytes_(work.by_bytes(first, first + found.size())),
        by_bytes_(may_by_bytes_) {}

  void run(TileRange range, Stopper& stopper, std::size_t thread) {
    for (std::size_t panel = range.first; panel < range.last; ++panel) {
      passing_ = work_.passing(panels_, panel);
      if (passing_ == 0) continue;
      if (panel % 16 == 0 && stopper.stop(thread)) return;
      panels_.gather(panel);
      if (work_.by_rows(found_.size())) {
        compare_rows(panel);
      } else if (by_bytes_) {
        compare_bytes(panel);
      } else {
        compare_floats(panel);
      }
      if (may_by_bytes_) choose_again();
    }
  }

 private:
  // Bytes pay while they leave fewer than one row in kWorth open. That is seen every kTried panels,
  // and fewer rows are open as better answers are found.
  static constexpr std::size_t kTried = 64, kAgain = 16 * kTried, kWorth = 12;

  std::size_t groups() const { return (found_.size() + kPanelQueries - 1) / kPanelQueries; }

  void compare_rows(std::size_t panel) {
    for (std::size_t q = 0; q < found_.size(); ++q) {
      panels_.dots(work_.queries.rows[first_ + q], scores_.data());
      push(q, panel, scores_.data());
    }
  }

  void compare_floats(std::size_t panel) {
    panels_.pack();
    for (std::size_t q = 0; q < found_.size(); q += kPanelQueries) {
      const std::size_t count = std::min(kPanelQueries, found_.size() - q);
      panels_.multiply(work_.queries.rows.data() + first_ + q, count, scores_.data(), panel,
                       q / kPanelQueries, groups());
      for (std::size_t i = 0; i < count; ++i) {
        push(q + i, panel, scores_.data() + i * kPanelRows);
      }
    }
  }

  void compare_bytes(std::size_t panel) {
    panels_.pack_bytes();
    for (std::size_t q = 0; q < found_.size(); q += kPanelQueries) {
      const std::size_t count = std::min(kPanelQueries, found_.size() - q);
      panels_.multiply_bytes(work_.queries, first_ + q, count, scores_.data(), panel,
                             q / kPanelQueries, groups());
      for (std::size_t i = 0; i < count; ++i) {
        multiply_some(q + i, panel, scores_.data() + i * kPanelRows);
      }
    }
  }

  void choose_again() {
    ++seen_;
    if (by_bytes_ && seen_ % kTried == 0) {
      const bool filled = seen_ > kTried;  // the first panels fill the lists
      by_bytes_ = !filled || multiplied_ * kWorth < kTried * kPanelRows * found_.size();
      multiplied_ = 0;
    } else if (seen_ % kAgain == 0) {
      by_bytes_ = true;
    }
  }

  // Pushes the passing rows of the panel that may be answers of query q.
  void push(std::size_t q, std::size_t panel, const float* scores) {
    Candidates& found = found_[q];
    std::uint64_t left = passing_ & kernels_.mask_from(scores, found.bound());
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (scores[i] >= found.bound()) found.push(scores[i], panels_.row(panel * kPanelRows + i));
    }
  }

  // The same for scores of bytes: products of floats are made where the bytes leave it open.
  void multiply_some(std::size_t q, std::size_t panel, const float* scores) {
    Candidates& found = found_[q];
    const float error = panels_.byte_error(work_.queries, first_ + q);
    std::uint64_t left = passing_ & kernels_.mask_from(scores, found.bound() - error);
    std::size_t open[kPanelRows], count = 0;
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (scores[i] >= found.bound() - panels_.byte_error(work_.queries, first_ + q, i)) {
        open[count++] = i;
      }
    }
    if (count == 0) return;
    float products[kPanelRows];
    panels_.dots(work_.queries.rows[first_ + q], open, count, products);
    for (std::size_t i = 0; i < count; ++i) {
      if (products[i] >= found.bound()) {
        found.push(products[i], panels_.row(panel * kPanelRows + open[i]));
      }
    }
    multiplied_ += count;
  }

  const Work& work_;
  const ScoreKernels& kernels_;
  std::size_t first_;
  std::vector<Candidates>& found_;
  Panels panels_;
  AlignedFloats scores_;
  bool may_by_bytes_, by_bytes_;
  std::uint64_t passing_ = 0;
  std::size_t seen_ = 0, multiplied_ = 0;  // panels, rows that bytes left open
};

// Finds the candidates of all queries: make(q) gives an empty one, done(q, segment, candidates) is
// called on any thread.
template <class Make, class Done>
void find_candidates(const Work& work, const Pieces& pieces, Make&& make, Done&& done) {
  Stopper stopper(work.options.poll);
  parallel_for(work.options.threads, pieces.count(), [&](std::size_t piece, std::size_t thread) {
    const std::size_t first = pieces.first_query(piece), last = first + pieces.rows(piece);
    std::vector<Candidates> found;
    for (std::size_t q = first; q < last; ++q) found.push_back(make(q));
    PanelScan(work, first, found).run(pieces.range(piece), stopper, thread);
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
  const double longest = longest_of(rows);
  const Work work{rows,   padded,  filter.sparse(rows.rows) ? &chosen : nullptr,
                  filter, options, longest};
  const std::size_t queries = padded.rows.size();
  const std::size_t items = work.chosen ? chosen.size() : rows.rows;
  const Pieces pieces(queries, kBlockQueries, Panels::count(items), kSegmentPanels,
                      options.threads);
  const std::size_t segments = pieces.segments;
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
  const PaddedQueries padded = padded_for(rows, queries, options);
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
  const PaddedQueries padded = padded_for(rows, queries, options);
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
