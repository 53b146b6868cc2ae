#include "search/code_lists.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "core/errors.hpp"
#include "search/code_sinks.hpp"
#include "search/list_scan.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kMostQueries = 1024;       // that share a pass over the lists
constexpr std::size_t kBlockNumbers = 1U << 20;  // pairs, counts or distances that they may hold
constexpr std::size_t kSpreadCodes = 512;        // that measure_spread looks at

// Some queries of a call, copied together.
class Gathered {
 public:
  Gathered(const CodesView& queries, std::span<const std::uint32_t> asked)
      : codes_(asked.size() * queries.bytes()), rows_(asked.size()), bits_(queries.bits) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      std::copy_n(queries.row(asked[i]), queries.bytes(), codes_.data() + i * queries.bytes());
    }
  }
  CodesView view() const { return {codes_.data(), rows_, bits_}; }

 private:
  std::vector<std::uint8_t> codes_;
  std::size_t rows_, bits_;
};

// How much farther than the nearest center those of `probes` lists are.
std::size_t margin_of(const ListedCodes& listed, std::size_t probes) {
  const std::size_t bits = listed.bits(), lists = listed.lists.count;
  if (probes >= lists) return bits;
  const double wanted = static_cast<double>(probes) / static_cast<double>(lists) *
                        static_cast<double>(listed.spread[bits]);
  const auto* found =
      std::lower_bound(listed.spread, listed.spread + bits, wanted,
                       [](std::uint32_t count, double least) { return count < least; });
  return static_cast<std::size_t>(found - listed.spread);
}

// Leaves in the sink what is in the lists that are at most `margin` farther from each query than
// its nearest. That comes first: what is found there leaves little to find in the others.
void look_at(const ListedCodes& listed, const CodesView& queries, std::size_t margin,
             const Filter& filter, const HammingOptions& options, NearestSink& sink,
             Stopper& stopper, std::size_t thread) {
  const std::size_t lists = listed.lists.count;
  const ListQueries asked(listed.centers, queries, options.kernels);
  std::vector<Visit> first, others;
  std::vector<std::uint8_t> near((lists + 7) / 8 * 8);
  for (std::uint32_t q = 0; q < queries.rows; ++q) {
    const auto apart = asked.distances(q);
    std::uint16_t least = UINT16_MAX;
    for (const std::uint16_t distance : apart) least = std::min(least, distance);
    const std::size_t last = least + margin;
    for (std::size_t c = 0; c < lists; ++c) near[c] = apart[c] <= last;
    const auto nearest =
        static_cast<std::size_t>(std::find(apart.begin(), apart.end(), least) - apart.begin());
    near[nearest] = 0;
    first.push_back({q, static_cast<std::uint32_t>(nearest)});
    for_each_flag(near,
                  [&](std::size_t c) { others.push_back({q, static_cast<std::uint32_t>(c)}); });
  }
  ListScan scan(listed, asked, filter, options.kernels, sink);
  for (const auto* visits : {&first, &others}) {
    const Visits sorted(*visits, lists);
    for (std::size_t list = 0; list < lists; ++list) {
      if (sorted.of(list).empty()) continue;
      if (stopper.stop(thread)) return;
      scan.whole(list, sorted.of(list));
    }
  }
}

}  // namespace

void lay_lists(const CodesView& codes, const CodesView& centers, const InvertedLists& lists,
               const HammingOptions& options, std::uint8_t* planes, std::uint16_t* radii) {
  const std::size_t tiles = listed_tiles(codes.rows, lists.count), bytes = codes.bytes();
  std::fill_n(planes, tiles * bytes * kTileCodes, std::uint8_t{0});
  std::fill_n(radii, tiles, std::uint16_t{0});
  const auto lay = [&](std::size_t list, std::size_t /*thread*/) {
    const std::size_t first = lists.first(list), tile = first / kTileCodes + list;
    std::uint16_t last = UINT16_MAX;
    for (std::size_t p = first; p < lists.last(list); ++p) {
      const std::uint8_t* code = codes.row(lists.rows[p]);
      std::uint16_t distance = 0;
      options.kernels.row_distances(centers.row(list), code, 1, bytes, &distance);
      require(distance <= last,
              "`rows` must hold those farthest from the center first in each list, list ", list,
              " does not");
      last = distance;
      const std::size_t t = tile + (p - first) / kTileCodes, i = (p - first) % kTileCodes;
      if (i == 0) radii[t] = distance;
      for (std::size_t b = 0; b < bytes; ++b) planes[(t * bytes + b) * kTileCodes + i] = code[b];
    }
  };
  parallel_for(options.threads, lists.count, lay, options.poll);
}

void measure_spread(const CodesView& codes, const CodesView& centers, const CodeKernels& kernels,
                    std::uint32_t* spread) {
  const std::size_t countable = UINT32_MAX / std::max<std::size_t>(centers.rows, 1);
  const std::size_t sample = std::min({kSpreadCodes, codes.rows, countable});
  std::vector<std::uint16_t> apart(centers.rows);
  std::fill_n(spread, centers.bits + 1, 0U);
  for (std::size_t i = 0; i < sample; ++i) {
    kernels.row_distances(codes.row(i * codes.rows / sample), centers.row(0), centers.rows,
                          centers.bytes(), apart.data());
    const std::uint16_t least = *std::min_element(apart.begin(), apart.end());
    for (const std::uint16_t distance : apart) ++spread[distance - least];
  }
  std::partial_sum(spread, spread + centers.bits + 1, spread);
}

void listed_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   std::size_t probes, const Filter& filter, const HammingOptions& options,
                   std::int64_t* ids, std::int32_t* distances) {
  require_same_bits(listed.centers, queries);
  const std::size_t passing = filter.passing(listed.rows()), lists = listed.lists.count;
  require(k <= passing, "`k` must be at most ", passing, ", got ", k);
  require(probes >= 1, "`probes` must be at least 1, got ", probes);
  if (k == 0 || queries.rows == 0) return;
  std::vector<std::uint32_t> left(queries.rows);
  std::iota(left.begin(), left.end(), 0U);
  const std::size_t of_each = std::max({k, queries.bits / 2, lists});
  const std::size_t most = std::clamp<std::size_t>(kBlockNumbers / of_each, 1, kMostQueries);
  Stopper stopper(options.poll);
  for (std::size_t count = std::min(probes, lists); !left.empty();
       count = std::min(2 * count, lists)) {
    const std::size_t share = (left.size() + options.threads - 1) / options.threads;
    const std::size_t block = std::min(most, share);
    std::vector<char> lacking(queries.rows);
    parallel_for(options.threads, (left.size() + block - 1) / block,
                 [&](std::size_t b, std::size_t thread) {
                   const auto asked = std::span<const std::uint32_t>(left).subspan(
                       b * block, std::min(block, left.size() - b * block));
                   NearestSink sink(asked.size(), k, queries.bits, options.ranks, false);
                   const Gathered gathered(queries, asked);
                   look_at(listed, gathered.view(), margin_of(listed, count), filter, options, sink,
                           stopper, thread);
                   for (std::size_t i = 0; i < asked.size(); ++i) {
                     const auto found = sink.take(i);
                     lacking[asked[i]] = found.size() < k;
                     write_neighbors(found, k, ids + asked[i] * k, distances + asked[i] * k);
                   }
                 });
    if (count == lists) break;
    std::erase_if(left, [&](std::uint32_t q) { return lacking[q] == 0; });
  }
}

}  // namespace bitsense
