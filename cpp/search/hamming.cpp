#include "search/hamming.hpp"

#include <algorithm>

#include "search/code_sinks.hpp"
#include "search/scan.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 256;         // queries that share the laying of a tile
constexpr std::size_t kBlockNeighbors = 1U << 20;  // pairs that one block may hold

constexpr std::size_t kSegmentTiles = 256;  // fewer are scanned sooner than a thread starts

// With many answers a query, fewer queries to a block.
Pieces pieces_of(const CodesView& codes, const CodesView& queries, std::size_t k,
                 std::size_t threads) {
  const std::size_t most = std::max<std::size_t>(1, kBlockNeighbors / std::max<std::size_t>(k, 1));
  return {queries.rows, std::min(kBlockQueries, most), tiles_of(codes.rows), kSegmentTiles,
          threads};
}

CodesView some_rows(const CodesView& codes, std::size_t first, std::size_t rows) {
  return {codes.row(first), rows, codes.bits};
}

// Runs every piece with a sink of its own and hands each query's sorted pairs to
// done(query, segment, pairs), on any thread.
template <class MakeSink, class Done>
void run_pieces(const CodesView& codes, const CodesView& queries, const Pieces& pieces,
                const Filter& filter, const HammingOptions& options, MakeSink&& make_sink,
                Done&& done) {
  Stopper stopper(options.poll);
  parallel_for(options.threads, pieces.count(), [&](std::size_t piece, std::size_t thread) {
    const std::size_t first = pieces.first_query(piece), rows = pieces.rows(piece);
    auto sink = make_sink(rows);
    ScanScratch scratch;
    Scan scan(options.kernels, codes, filter, sink, scratch);
    scan.run(some_rows(queries, first, rows), pieces.range(piece), stopper, thread);
    for (std::size_t q = 0; q < rows; ++q) done(first + q, pieces.segment(piece), sink.take(q));
  });
}

// The codes that pass a sparse filter, copied together, with the ids of their rows.
struct Survivors {
  std::vector<std::uint8_t> codes;
  std::vector<std::uint32_t> ids;  // ascending, unless there are ranks

  Survivors(const CodesView& from, const Filter& filter, const std::uint32_t* ranks)
      : ids(filter.rows(from.rows)) {
    codes.resize(ids.size() * from.bytes());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::copy_n(from.row(ids[i]), from.bytes(), codes.data() + i * from.bytes());
      if (ranks) ids[i] = ranks[ids[i]];
    }
  }
};

// Searches all codes under the filter or, if it is sparse, the survivors alone:
// search(codes, filter, options).
template <class Search>
void under_filter(const CodesView& codes, const Filter& filter, const HammingOptions& options,
                  Search&& search) {
  if (!filter.sparse(codes.rows)) return search(codes, filter, options);
  const Survivors left(codes, filter, options.ranks);
  HammingOptions named = options;
  named.ranks = left.ids.data();
  search(CodesView{left.codes.data(), left.ids.size(), codes.bits}, Filter(), named);
}

void search_all(const CodesView& codes, const CodesView& queries, std::size_t k,
                const Filter& filter, const HammingOptions& options, std::int64_t* ids,
                std::int32_t* distances) {
  const Pieces pieces = pieces_of(codes, queries, k, options.threads);
  Lists lists(pieces.segments > 1 ? queries.rows * pieces.segments : 0);
  run_pieces(
      codes, queries, pieces, filter, options,
      [&](std::size_t rows) {
        return NearestSink(rows, k, codes.bits, options.ranks, !options.ranks);
      },
      [&](std::size_t q, std::size_t segment, std::vector<Neighbor> found) {
        if (pieces.segments == 1) return write_neighbors(found, k, ids + q * k, distances + q * k);
        lists[q * pieces.segments + segment] = std::move(found);
      });
  if (pieces.segments == 1) return;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    write_neighbors(merge_segments(lists, q * pieces.segments, pieces.segments), k, ids + q * k,
                    distances + q * k);
  }
}

Lists range_search_all(const CodesView& codes, const CodesView& queries, std::size_t radius,
                       const Filter& filter, const HammingOptions& options) {
  Lists answer(queries.rows);
  const Pieces pieces = pieces_of(codes, queries, 0, options.threads);
  Lists lists(queries.rows * pieces.segments);
  run_pieces(
      codes, queries, pieces, filter, options,
      [&](std::size_t rows) { return RangeSink(rows, radius, codes.bits, options.ranks); },
      [&](std::size_t q, std::size_t segment, std::vector<Neighbor> found) {
        lists[q * pieces.segments + segment] = std::move(found);
      });
  for (std::size_t q = 0; q < queries.rows; ++q) {
    answer[q] = merge_segments(lists, q * pieces.segments, pieces.segments);
  }
  return answer;
}

}  // namespace

std::vector<Neighbor> merge_segments(Lists& lists, std::size_t first, std::size_t segments) {
  std::vector<Neighbor> all = std::move(lists[first]);
  for (std::size_t s = 1; s < segments; ++s) {
    const auto middle = static_cast<std::ptrdiff_t>(all.size());
    all.insert(all.end(), lists[first + s].begin(), lists[first + s].end());
    std::inplace_merge(all.begin(), all.begin() + middle, all.end());
  }
  return all;
}

void require_same_bits(const CodesView& codes, const CodesView& queries) {
  require(codes.bits >= 1 && codes.bits <= kMaxCodeBits, "`bits` must be 1 to ", kMaxCodeBits,
          ", got ", codes.bits);
  require(codes.bits == queries.bits, "`queries` must have ", codes.bits, " bits, got ",
          queries.bits);
}

void hamming_search(const CodesView& codes, const CodesView& queries, std::size_t k,
                    const Filter& filter, const HammingOptions& options, std::int64_t* ids,
                    std::int32_t* distances) {
  require_same_bits(codes, queries);
  require(k <= filter.passing(codes.rows), "`k` must be at most ", filter.passing(codes.rows),
          ", got ", k);
  if (k == 0 || queries.rows == 0) return;
  under_filter(codes, filter, options, [&](const auto& some, const auto& left, const auto& named) {
    search_all(some, queries, k, left, named, ids, distances);
  });
}

Lists hamming_range_search(const CodesView& codes, const CodesView& queries, std::size_t radius,
                           const Filter& filter, const HammingOptions& options) {
  require_same_bits(codes, queries);
  Lists answer(queries.rows);
  if (queries.rows == 0 || filter.passing(codes.rows) == 0) return answer;
  under_filter(codes, filter, options, [&](const auto& some, const auto& left, const auto& named) {
    answer = range_search_all(some, queries, radius, left, named);
  });
  return answer;
}

void hamming_distances(const CodesView& queries, const CodesView& codes,
                       const HammingOptions& options, std::uint16_t* distances) {
  require_same_bits(codes, queries);
  constexpr std::size_t kRows = std::size_t{1} << 14;
  const std::size_t runs = (codes.rows + kRows - 1) / kRows;
  parallel_for(
      options.threads, queries.rows * runs,
      [&](std::size_t i, std::size_t /*thread*/) {
        const std::size_t q = i / runs, first = i % runs * kRows;
        const std::size_t rows = std::min(kRows, codes.rows - first);
        options.kernels.row_distances(queries.row(q), codes.row(first), rows, codes.bytes(),
                                      distances + q * codes.rows + first);
      },
      options.poll);
}

}  // namespace bitsense
