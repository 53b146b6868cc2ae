#include "search/real.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/errors.hpp"
#include "core/prefetch.hpp"
#include "search/panel_scan.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 504;  // share the packing of a panel
constexpr std::size_t kSegmentPanels = 32;  // fewer are scanned sooner than a thread starts
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
  const bool with_bytes = options.kernels.scores->pack_bytes != nullptr &&
                          rows.dim < kMostByteDim && queries.rows >= kFewQueries;
  return {queries, rows.stride, with_bytes};
}

// Finds the candidates of all queries: make(q) gives an empty one, done(q, segment, candidates) is
// called on any thread.
template <class Make, class Done>
void find_candidates(const PanelWork& work, const Pieces& pieces, Make&& make, Done&& done) {
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
std::vector<std::vector<Scored>> candidates_of(const StoredVectors& rows, const VectorsView& asked,
                                               std::size_t k, const float* radius,
                                               const Filter& filter, const RealOptions& options) {
  const PaddedQueries padded = padded_for(rows, asked, options);
  std::vector<std::uint32_t> chosen;
  if (filter.sparse(rows.rows)) chosen = filter.rows(rows.rows);
  // Only metrics other than the cosine depend on it.
  const double longest = options.metric == RealMetric::kCosine ? 1.0 : longest_of(rows);
  std::optional<SketchedQueries> sketched;
  if (options.sketches && !filter.sparse(rows.rows)) {
    sketched.emplace(*options.sketches, options.metric, asked, longest, options.threads,
                     options.poll);
  }
  const PanelWork work{rows,   padded,  filter.sparse(rows.rows) ? &chosen : nullptr,
                       filter, options, sketched ? &*sketched : nullptr,
                       longest};
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
  const auto found = candidates_of(rows, queries, k, nullptr, filter, options);
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
  const auto found = candidates_of(rows, queries, 0, &radius, filter, options);
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
