#include "search/code_lists.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "core/errors.hpp"
#include "search/scan.hpp"
#include "search/top_k.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kMostQueries = 1024;       // that share the laying of a list
constexpr std::size_t kBlockNumbers = 1U << 20;  // pairs or counts that they may hold

// Rows of one list, found for some of the queries of a block.
class ListSink {
 public:
  ListSink(std::vector<TopK>& nearest, std::span<const std::uint32_t> visitors,
           const std::uint32_t* rows, const std::uint32_t* ranks)
      : nearest_(nearest), visitors_(visitors), rows_(rows), ranks_(ranks) {}
  std::uint32_t limit(std::size_t q) const { return nearest_[visitors_[q]].limit(); }
  void push(std::size_t q, std::uint32_t distance, std::size_t place) {
    const std::uint32_t row = rows_[place];
    nearest_[visitors_[q]].push(distance, ranks_ ? ranks_[row] : row);
  }

 private:
  std::vector<TopK>& nearest_;
  std::span<const std::uint32_t> visitors_;
  const std::uint32_t* rows_;
  const std::uint32_t* ranks_;
};

// The centers nearest to a query, by counting: a search that has most of the items as its answer
// has nothing to pass over.
class NearestCenters {
 public:
  NearestCenters(const CodesView& centers, const CodeKernels& kernels)
      : centers_(centers), kernels_(kernels), distances_(centers.rows), places_(centers.bits + 2) {}

  // Writes the first `count` centers in order of (distance, number).
  void find(const std::uint8_t* query, std::size_t count, std::uint32_t* nearest) {
    kernels_.row_distances(query, centers_.row(0), centers_.rows, centers_.bytes(),
                           distances_.data());
    std::fill(places_.begin(), places_.end(), 0U);
    for (const std::uint16_t distance : distances_) ++places_[distance + std::size_t{1}];
    std::size_t last = 1;  // no distance of it or more is among the first
    for (; last < places_.size() && places_[last - 1] < count; ++last) {
      places_[last] += places_[last - 1];
    }
    for (std::size_t c = 0; c < centers_.rows; ++c) {
      if (distances_[c] + std::size_t{1} >= last) continue;
      const std::size_t place = places_[distances_[c]]++;
      if (place < count) nearest[place] = static_cast<std::uint32_t>(c);
    }
  }

 private:
  const CodesView& centers_;
  const CodeKernels& kernels_;
  std::vector<std::uint16_t> distances_;
  std::vector<std::uint32_t> places_;  // how many are nearer than each distance
};

// The queries of a block against the lists nearest to each.
class Block {
 public:
  Block(const ListedCodes& listed, const Filter& filter, const HammingOptions& options)
      : listed_(listed), filter_(filter), options_(options) {}

  // Leaves what was found in `nearest`, one for each of `asked`. The nearest list of each comes
  // first: what is found there leaves little to find in the others.
  void run(const CodesView& queries, std::span<const std::uint32_t> asked, std::size_t probes,
           std::vector<TopK>& nearest, Stopper& stopper, std::size_t thread) {
    ChosenLists chosen(asked.size(), probes);
    NearestCenters centers(listed_.centers, options_.kernels);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      centers.find(queries.row(asked[i]), probes, chosen.of(i));
    }
    const std::size_t lists = listed_.lists.count;
    visit(queries, asked, Visits(chosen, 0, 1, lists), nearest, stopper, thread);
    visit(queries, asked, Visits(chosen, 1, probes, lists), nearest, stopper, thread);
  }

 private:
  void visit(const CodesView& queries, std::span<const std::uint32_t> asked, const Visits& visits,
             std::vector<TopK>& nearest, Stopper& stopper, std::size_t thread) {
    for (std::size_t list = 0; list < listed_.lists.count; ++list) {
      const auto visitors = visits.of(list);
      const std::size_t first = listed_.lists.first(list), last = listed_.lists.last(list);
      if (visitors.empty() || first == last) continue;
      if (stopper.stop(thread)) return;
      gathered_.resize(visitors.size() * queries.bytes());
      for (std::size_t v = 0; v < visitors.size(); ++v) {
        std::copy_n(queries.row(asked[visitors[v]]), queries.bytes(),
                    gathered_.data() + v * queries.bytes());
      }
      const CodesView codes{listed_.codes.row(first), last - first, queries.bits};
      const Filter filter = filter_of(first, last);
      ListSink sink(nearest, visitors, listed_.lists.rows + first, options_.ranks);
      Scan scan(options_.kernels, codes, filter, sink, scratch_);
      scan.run({gathered_.data(), visitors.size(), queries.bits}, {0, tiles_of(codes.rows)},
               stopper, thread);
    }
  }

  // Which of some places hold rows that pass.
  Filter filter_of(std::size_t first, std::size_t last) {
    if (!filter_.active()) return {};
    words_.assign(tiles_of(last - first), 0);
    for (std::size_t p = first; p < last; ++p) {
      const std::size_t i = p - first;
      if (filter_.passes(listed_.lists.rows[p])) words_[i / 64] |= std::uint64_t{1} << i % 64;
    }
    return {words_.data(), last - first};
  }

  const ListedCodes& listed_;
  const Filter& filter_;
  const HammingOptions& options_;
  ScanScratch scratch_;
  std::vector<std::uint8_t> gathered_;
  std::vector<std::uint64_t> words_;
};

}  // namespace

void listed_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   std::size_t probes, const Filter& filter, const HammingOptions& options,
                   std::int64_t* ids, std::int32_t* distances) {
  require_same_bits(listed.codes, queries);
  const std::size_t passing = filter.passing(listed.codes.rows), lists = listed.lists.count;
  require(k <= passing, "`k` must be at most ", passing, ", got ", k);
  require(probes >= 1, "`probes` must be at least 1, got ", probes);
  if (k == 0 || queries.rows == 0) return;
  std::vector<std::uint32_t> left(queries.rows);
  std::iota(left.begin(), left.end(), 0U);
  const std::size_t of_each = std::max(k, queries.bits / 2);
  const std::size_t most = std::clamp<std::size_t>(kBlockNumbers / of_each, 1, kMostQueries);
  Stopper stopper(options.poll);
  for (std::size_t count = std::min(probes, lists); !left.empty();
       count = std::min(2 * count, lists)) {
    const std::size_t share = (left.size() + options.threads - 1) / options.threads;
    const std::size_t block = std::min(most, share);
    std::vector<char> lacking(queries.rows);
    parallel_for(
        options.threads, (left.size() + block - 1) / block, [&](std::size_t b, std::size_t thread) {
          const auto asked = std::span<const std::uint32_t>(left).subspan(
              b * block, std::min(block, left.size() - b * block));
          std::vector<TopK> nearest(asked.size(), {k, queries.bits, false});
          Block(listed, filter, options).run(queries, asked, count, nearest, stopper, thread);
          for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto found = nearest[i].take();
            lacking[asked[i]] = found.size() < k;
            write_neighbors(found, k, ids + asked[i] * k, distances + asked[i] * k);
          }
        });
    if (count == lists) break;
    std::erase_if(left, [&](std::uint32_t q) { return lacking[q] == 0; });
  }
}

}  // namespace bitsense
