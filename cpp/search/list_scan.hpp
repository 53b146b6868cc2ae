// Scans of lists of codes for some queries.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/prefetch.hpp"
#include "search/code_lists.hpp"
#include "search/scan.hpp"

namespace bitsense {

// Some queries, and how far they are from all centers.
class ListQueries {
 public:
  ListQueries(const CodesView& centers, const CodesView& queries, const CodeKernels& kernels)
      : centers_(centers.rows),
        codes_(queries),
        distances_(std::make_unique_for_overwrite<std::uint16_t[]>(centers.rows * queries.rows)),
        places_(centers.bits + 2) {
    for (std::size_t q = 0; q < count(); ++q) {
      kernels.row_distances(queries.row(q), centers.row(0), centers_, centers.bytes(),
                            distances_.get() + q * centers_);
    }
  }

  std::size_t count() const { return codes_.rows; }
  const std::uint8_t* code(std::size_t query) const { return codes_.row(query); }

  // From all centers.
  std::span<const std::uint16_t> distances(std::size_t query) const {
    return {distances_.get() + query * centers_, centers_};
  }

  // The distances of all queries from the first center, from the second, ...
  std::vector<std::uint16_t> by_center() const {
    std::vector<std::uint16_t> turned(centers_ * count());
    for (std::size_t q = 0; q < count(); ++q) {
      for (std::size_t c = 0; c < centers_; ++c) turned[c * count() + q] = distances(q)[c];
    }
    return turned;
  }

  // Writes the first `count` centers in order of (distance, number). By counting: a search that has
  // most of the items as its answer has nothing to pass over.
  void nearest(std::size_t query, std::size_t count, std::uint32_t* nearest) {
    const auto apart = distances(query);
    std::fill(places_.begin(), places_.end(), 0U);
    for (const std::uint16_t distance : apart) ++places_[distance + std::size_t{1}];
    std::size_t last = 1;  // no distance of it or more is among the first
    for (; last < places_.size() && places_[last - 1] < count; ++last) {
      places_[last] += places_[last - 1];
    }
    for (std::size_t c = 0; c < centers_; ++c) {
      if (apart[c] + std::size_t{1} >= last) continue;
      const std::size_t place = places_[apart[c]]++;
      if (place < count) nearest[place] = static_cast<std::uint32_t>(c);
    }
  }

 private:
  std::size_t centers_;
  CodesView codes_;
  std::unique_ptr<std::uint16_t[]> distances_;
  std::vector<std::uint32_t> places_;  // how many are nearer than each distance
};

// How many of a list's tiles, the first, may hold codes nearer than `limit` to a query that is
// `apart` from the list's center. Few are counted sooner than a loop that ends early is
// mispredicted.
inline std::size_t tiles_within(const ListedCodes& listed, std::size_t list, std::uint32_t apart,
                                std::uint32_t limit) {
  constexpr std::size_t kFew = 32;
  const std::span radii(listed.radii + listed.first_tile(list), listed.tiles(list));
  const auto within = [&](std::uint16_t radius) { return radius + limit > apart; };
  const auto last = radii.size() <= kFew
                        ? radii.begin() + std::count_if(radii.begin(), radii.end(), within)
                        : std::partition_point(radii.begin(), radii.end(), within);
  return static_cast<std::size_t>(last - radii.begin());
}

// Queries against one list after the other.
template <class Sink>
class ListScan {
 public:
  ListScan(const ListedCodes& listed, const ListQueries& queries, const Filter& filter,
           const CodeKernels& kernels, Sink& sink)
      : listed_(listed),
        queries_(queries),
        filter_(filter),
        kernels_(kernels),
        sink_(sink),
        query_bytes_(kernels.query_bytes(listed.centers.bytes())) {}

  // Hands over what the queries of these numbers want of a list.
  void whole(std::size_t list, std::span<const std::uint32_t> visitors) {
    list_ = list;
    visitors_.assign(visitors.begin(), visitors.end());
    ends_.assign(visitors.size(), listed_.tiles(list));
    if (listed_.tiles(list) != 0) scan();
  }

  // The same, of queries that are `apart`, by their numbers, from the list's center: only of the
  // tiles that may hold something.
  void within(std::size_t list, std::span<const std::uint32_t> candidates,
              const std::uint16_t* apart) {
    list_ = list;
    choose_visitors(candidates, apart);
    if (!visitors_.empty()) scan();
  }

 private:
  static constexpr std::size_t kGroup = 16;  // visitors whose prepared form stays in the cache
  static constexpr std::size_t kAhead = 4;   // tiles that are asked for before they are scanned

  std::size_t bytes() const { return listed_.centers.bytes(); }

  const std::uint32_t* rows_of(std::size_t t) const {
    return listed_.lists.rows + listed_.lists.first(list_) + t * kTileCodes;
  }

  void ask_for_tile(std::size_t t) const {
    ask_for_lines(listed_.tile(listed_.first_tile(list_) + t), kTileCodes * bytes());
  }

  // Notes who has to look at which tiles, [0, ends_[v]), those with most tiles first.
  void choose_visitors(std::span<const std::uint32_t> candidates, const std::uint16_t* apart) {
    const std::size_t tiles = listed_.tiles(list_);
    wanted_.resize(candidates.size());
    places_.assign(tiles + 1, 0);  // how many want more tiles than each number
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::uint32_t q = candidates[i];
      wanted_[i] = tiles_within(listed_, list_, apart[q], sink_.limit(q));
      ++places_[wanted_[i]];
    }
    std::size_t visitors = 0;
    for (std::size_t t = tiles; t >= 1; --t) {
      const std::size_t with_these = places_[t];
      places_[t] = static_cast<std::uint32_t>(visitors);
      visitors += with_these;
    }
    visitors_.resize(visitors);
    ends_.resize(visitors);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (wanted_[i] == 0) continue;
      const std::size_t v = places_[wanted_[i]]++;
      visitors_[v] = candidates[i];
      ends_[v] = wanted_[i];
    }
  }

  void scan() {
    for (std::size_t t = 0; t < std::min(kAhead, ends_[0]); ++t) ask_for_tile(t);
    codes_.resize(bytes() * visitors_.size());
    for (std::size_t v = 0; v < visitors_.size(); ++v) {
      std::copy_n(queries_.code(visitors_[v]), bytes(), codes_.data() + v * bytes());
    }
    prepared_.resize(std::max(prepared_.size(), query_bytes_ * visitors_.size()));
    kernels_.prepare_queries(codes_.data(), visitors_.size(), bytes(), prepared_.data());
    for (std::size_t v = 0; v < visitors_.size(); v += kGroup) scan_group(v);
  }

  void scan_group(std::size_t first) {
    const std::size_t most = std::min(visitors_.size() - first, kGroup);
    std::uint16_t bounds[kGroup];
    for (std::size_t i = 0; i < most; ++i) bounds[i] = bound(first + i);
    std::size_t count = most;
    for (std::size_t t = 0; t < ends_[first]; ++t) {
      if (first == 0 && t + kAhead < ends_[0]) ask_for_tile(t + kAhead);
      while (ends_[first + count - 1] <= t) --count;
      scan_tile(first, std::min(most, rounded(count)), t, bounds);
    }
  }

  // Eight at a time are sooner scanned than five.
  static std::size_t rounded(std::size_t count) {
    return count % 8 > 4 ? (count + 7) / 8 * 8 : count;
  }

  std::uint16_t bound(std::size_t v) const { return bound_below(sink_.limit(visitors_[v])); }

  void scan_tile(std::size_t first, std::size_t count, std::size_t t, std::uint16_t* bounds) {
    const std::uint8_t* tile = listed_.tile(listed_.first_tile(list_) + t);
    const std::uint8_t* prepared = prepared_.data() + first * query_bytes_;
    std::uint8_t hit[kGroup] = {};
    kernels_.scan_tile(tile, prepared, count, bytes(), bounds, hit);
    for_each_flag({hit, kGroup}, [&](std::size_t i) {
      ask_for_lines(rows_of(t), kTileCodes * sizeof(std::uint32_t));
      std::uint16_t distances[kTileCodes];
      kernels_.tile_distances(tile, prepared + i * query_bytes_, bytes(), distances);
      push(first + i, t, distances);
      bounds[i] = bound(first + i);
    });
  }

  void push(std::size_t v, std::size_t t, const std::uint16_t* distances) {
    const std::size_t first = listed_.lists.first(list_) + t * kTileCodes;
    const std::size_t rows = std::min(listed_.lists.last(list_) - first, kTileCodes);
    const std::uint64_t all = ~std::uint64_t{0} >> (kTileCodes - rows);
    const std::uint32_t* row = rows_of(t);
    const std::uint32_t q = visitors_[v];
    std::uint64_t left = all & kernels_.mask_within(distances, bound(v));
    if (!filter_.active() && count_of(left) > sink_.most())
      left = nearest_of(all, distances, bound(v));
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (distances[i] < sink_.limit(q) && filter_.passes(row[i])) {
        sink_.push(q, distances[i], row[i]);
      }
    }
  }

  static std::size_t count_of(std::uint64_t mask) {
    return static_cast<std::size_t>(std::popcount(mask));
  }

  // Which codes of a tile are nearest: as many as are wanted, and those as far as the last of them.
  // More than so many are within the bound.
  std::uint64_t nearest_of(std::uint64_t all, const std::uint16_t* distances,
                           std::uint16_t bound) const {
    std::uint16_t least = 0;
    while (least < bound) {
      const auto middle = static_cast<std::uint16_t>(least + (bound - least) / 2);
      if (count_of(all & kernels_.mask_within(distances, middle)) >= sink_.most()) {
        bound = middle;
      } else {
        least = static_cast<std::uint16_t>(middle + 1);
      }
    }
    return all & kernels_.mask_within(distances, bound);
  }

  const ListedCodes& listed_;
  const ListQueries& queries_;
  const Filter& filter_;
  const CodeKernels& kernels_;
  Sink& sink_;
  std::size_t query_bytes_;
  std::size_t list_ = 0;
  std::vector<std::uint32_t> visitors_, places_;
  std::vector<std::size_t> wanted_, ends_;
  std::vector<std::uint8_t> codes_, prepared_;
};

}  // namespace bitsense
