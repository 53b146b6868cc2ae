// Exact searches of code_lists.hpp.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/errors.hpp"
#include "search/code_lists.hpp"
#include "search/code_sinks.hpp"
#include "search/list_scan.hpp"
#include "search/pieces.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 256;       // that share a pass over the lists
constexpr std::size_t kBlockNumbers = 1U << 20;  // pairs or distances that they may hold
constexpr std::size_t kFirstLists = 8;           // the nearest, which are looked at first
constexpr std::size_t kListsAPoll = 16;          // lists between two questions to the stopper
constexpr std::size_t kSampledQueries = 64;      // that scanned_share asks

// Fewer are scanned sooner than a thread starts.
constexpr std::size_t kSegmentRows = 1U << 16;

// Lists [first, last).
struct ListRange {
  std::size_t first, last;
};

// The queries of a block, and what is known of them when the scan of all lists begins.
template <class Sink>
class Block {
 public:
  Block(const ListedCodes& listed, const CodesView& queries, const Filter& filter,
        const HammingOptions& options, Sink sink)
      : listed_(listed),
        filter_(filter),
        kernels_(options.kernels),
        queries_(listed.centers, queries, options.kernels),
        apart_(queries_.by_center()),
        sink_(std::move(sink)) {}

  // Looks at the nearest list of each query, then at the next ones: what is found in them leaves
  // little to find in the others.
  void begin(Stopper& stopper, std::size_t thread) {
    const std::size_t lists = listed_.lists.count, count = std::min(kFirstLists, lists);
    std::vector<std::uint32_t> nearest(count);
    std::vector<Visit> first, next, all;
    for (std::uint32_t q = 0; q < queries_.count(); ++q) {
      queries_.nearest(q, count, nearest.data());
      first.push_back({q, nearest[0]});
      for (std::size_t i = 1; i < count; ++i) next.push_back({q, nearest[i]});
    }
    all = first;
    all.insert(all.end(), next.begin(), next.end());
    looked_at_.emplace(all, lists);
    ListScan scan(listed_, queries_, filter_, kernels_, sink_);
    for (const auto* visits : {&first, &next}) {
      const Visits sorted(*visits, lists);
      for (std::size_t list = 0; list < lists; ++list) {
        if (sorted.of(list).empty()) continue;
        if (list % kListsAPoll == 0 && stopper.stop(thread)) return;
        scan.within(list, sorted.of(list), apart_.data() + list * queries_.count());
      }
    }
  }

  // What of the lists in a range, beyond those looked at, may be wanted, in a sink that begins with
  // what was found.
  Sink rest(ListRange range, Stopper& stopper, std::size_t thread) const {
    Sink sink = sink_;
    ListScan scan(listed_, queries_, filter_, kernels_, sink);
    const std::size_t queries = queries_.count();
    std::vector<std::uint32_t> limits(queries), candidates;
    std::vector<std::uint8_t> may((queries + 7) / 8 * 8);
    for (std::size_t q = 0; q < queries; ++q) limits[q] = sink.limit(q);
    for (std::size_t list = range.first; list < range.last; ++list) {
      if (list % kListsAPoll == 0 && stopper.stop(thread)) break;
      if (listed_.tiles(list) == 0) continue;
      const std::uint32_t radius = listed_.radii[listed_.first_tile(list)];
      const std::uint16_t* apart = apart_.data() + list * queries;
      for (std::size_t q = 0; q < queries; ++q) may[q] = radius + limits[q] > apart[q];
      if (looked_at_) {
        for (const std::uint32_t q : looked_at_->of(list)) may[q] = 0;
      }
      candidates.clear();
      for_each_flag(may,
                    [&](std::size_t q) { candidates.push_back(static_cast<std::uint32_t>(q)); });
      if (candidates.empty()) continue;
      scan.within(list, candidates, apart);
      for (const std::uint32_t q : candidates) limits[q] = sink.limit(q);
    }
    return sink;
  }

 private:
  const ListedCodes& listed_;
  const Filter& filter_;
  const CodeKernels& kernels_;
  ListQueries queries_;
  std::vector<std::uint16_t> apart_;  // of each center, by queries
  Sink sink_;
  std::optional<Visits> looked_at_;
};

// Runs blocks of queries against segments of the lists and hands each query's pairs, of one segment
// after the other and some of them twice, to done(query, lists of the segments).
template <class MakeSink, class Done>
void run_pieces(const ListedCodes& listed, const CodesView& queries, std::size_t of_each,
                bool nearest_first, const Filter& filter, const HammingOptions& options,
                MakeSink&& make_sink, Done&& done) {
  const std::size_t lists = listed.lists.count;
  const std::size_t most = kBlockNumbers / std::max({of_each, lists, std::size_t{1}});
  const std::size_t per_segment =
      std::max<std::size_t>(1, kSegmentRows * lists / std::max<std::size_t>(1, listed.rows()));
  const Pieces pieces(queries.rows, std::clamp<std::size_t>(most, 1, kBlockQueries), lists,
                      per_segment, options.threads);
  Stopper stopper(options.poll);
  using Sink = decltype(make_sink(std::size_t{1}));
  std::vector<std::unique_ptr<Block<Sink>>> blocks(pieces.blocks);
  const auto begin = [&](std::size_t b, std::size_t thread) {
    const std::size_t first = b * pieces.block;
    const CodesView some{queries.row(first), std::min(pieces.block, queries.rows - first),
                         queries.bits};
    blocks[b] = std::make_unique<Block<Sink>>(listed, some, filter, options, make_sink(some.rows));
    if (nearest_first) blocks[b]->begin(stopper, thread);
  };
  if (pieces.segments > 1) parallel_for(options.threads, pieces.blocks, begin);
  Lists found(queries.rows * pieces.segments);
  parallel_for(options.threads, pieces.count(), [&](std::size_t piece, std::size_t thread) {
    const std::size_t b = piece / pieces.segments, first = pieces.first_query(piece);
    if (pieces.segments == 1) begin(b, thread);
    const TileRange range = pieces.range(piece);
    auto sink = blocks[b]->rest({range.first, range.last}, stopper, thread);
    if (pieces.segments == 1) blocks[b].reset();
    for (std::size_t q = 0; q < pieces.rows(piece); ++q) {
      found[(first + q) * pieces.segments + pieces.segment(piece)] = sink.take(q);
    }
  });
  for (std::size_t q = 0; q < queries.rows; ++q) {
    auto all = merge_segments(found, q * pieces.segments, pieces.segments);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    done(q, std::move(all));
  }
}

}  // namespace

void pruned_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   const Filter& filter, const HammingOptions& options, std::int64_t* ids,
                   std::int32_t* distances) {
  require_same_bits(listed.centers, queries);
  const std::size_t passing = filter.passing(listed.rows());
  require(k <= passing, "`k` must be at most ", passing, ", got ", k);
  if (k == 0 || queries.rows == 0) return;
  run_pieces(
      listed, queries, k, true, filter, options,
      [&](std::size_t rows) { return NearestSink(rows, k, queries.bits, options.ranks, false); },
      [&](std::size_t q, const std::vector<Neighbor>& found) {
        write_neighbors(found, k, ids + q * k, distances + q * k);
      });
}

Lists pruned_range_search(const ListedCodes& listed, const CodesView& queries, std::size_t radius,
                          const Filter& filter, const HammingOptions& options) {
  require_same_bits(listed.centers, queries);
  Lists answer(queries.rows);
  if (queries.rows == 0 || filter.passing(listed.rows()) == 0) return answer;
  run_pieces(
      listed, queries, 0, false, filter, options,
      [&](std::size_t rows) { return RangeSink(rows, radius, queries.bits, options.ranks); },
      [&](std::size_t q, std::vector<Neighbor> found) { answer[q] = std::move(found); });
  return answer;
}

double scanned_share(const ListedCodes& listed, const CodesView& codes, std::size_t k,
                     const HammingOptions& options) {
  const std::size_t rows = codes.rows, bytes = codes.bytes();
  const std::size_t asked = std::min(kSampledQueries, rows), found = std::min(k + 1, rows);
  std::vector<std::uint8_t> sample(asked * bytes);
  for (std::size_t i = 0; i < asked; ++i) {
    std::copy_n(codes.row(i * rows / asked), bytes, sample.data() + i * bytes);
  }
  const CodesView queries{sample.data(), asked, codes.bits};
  std::vector<std::int64_t> ids(asked * found);
  std::vector<std::int32_t> distances(asked * found);
  pruned_search(listed, queries, found, {}, options, ids.data(), distances.data());
  const ListQueries far(listed.centers, queries, options.kernels);
  std::size_t scanned = 0, all = 0;
  for (std::size_t list = 0; list < listed.lists.count; ++list) {
    all += asked * listed.tiles(list);
    for (std::size_t q = 0; q < asked; ++q) {
      const std::int32_t last = distances[(q + 1) * found - 1];
      scanned +=
          tiles_within(listed, list, far.distances(q)[list], static_cast<std::uint32_t>(last) + 1);
    }
  }
  return static_cast<double>(scanned) / static_cast<double>(all);
}

}  // namespace bitsense
