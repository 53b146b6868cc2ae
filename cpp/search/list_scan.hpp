// Scans of lists of codes for some queries.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/prefetch.hpp"
#include "search/code_lists.hpp"
#include "search/scan.hpp"

namespace bitsense {

// Some queries: prepared, and how far they are from all centers.
class ListQueries {
 public:
  ListQueries(const CodesView& centers, const CodesView& queries, const CodeKernels& kernels)
      : centers_(centers.rows),
        count_(queries.rows),
        distances_(centers.rows * queries.rows),
        prepared_(kernels.query_bytes(queries.bytes()) * queries.rows),
        places_(centers.bits + 2) {
    std::vector<std::uint16_t> apart(centers_);
    for (std::size_t q = 0; q < count_; ++q) {
      kernels.row_distances(queries.row(q), centers.row(0), centers_, centers.bytes(),
                            apart.data());
      for (std::size_t c = 0; c < centers_; ++c) distances_[c * count_ + q] = apart[c];
    }
    kernels.prepare_queries(queries.row(0), count_, queries.bytes(), prepared_.data());
  }

  std::size_t count() const { return count_; }
  const std::uint8_t* prepared() const { return prepared_.data(); }

  // How far the queries are from a center.
  const std::uint16_t* distances_of(std::size_t center) const {
    return distances_.data() + center * count_;
  }

  // Writes the first `count` centers in order of (distance, number). By counting: a search that has
  // most of the items as its answer has nothing to pass over.
  void nearest(std::size_t query, std::size_t count, std::uint32_t* nearest) {
    const auto apart = [&](std::size_t c) { return distances_[c * count_ + query]; };
    std::fill(places_.begin(), places_.end(), 0U);
    for (std::size_t c = 0; c < centers_; ++c) ++places_[apart(c) + std::size_t{1}];
    std::size_t last = 1;  // no distance of it or more is among the first
    for (; last < places_.size() && places_[last - 1] < count; ++last) {
      places_[last] += places_[last - 1];
    }
    for (std::size_t c = 0; c < centers_; ++c) {
      if (apart(c) + std::size_t{1} >= last) continue;
      const std::size_t place = places_[apart(c)]++;
      if (place < count) nearest[place] = static_cast<std::uint32_t>(c);
    }
  }

 private:
  std::size_t centers_, count_;
  std::vector<std::uint16_t> distances_;
  std::vector<std::uint8_t> prepared_;
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
  void run(std::size_t list, std::span<const std::uint32_t> candidates) {
    if (choose_visitors(list, candidates) == 0) return;
    list_ = list;
    for (std::size_t t = 0; t < std::min(kAhead, ends_[0]); ++t) ask_for_tile(t);
    prepared_.resize(query_bytes_ * visitors_.size());
    kernels_.prepare_again(queries_.prepared(), visitors_.data(), visitors_.size(), bytes(),
                           prepared_.data());
    for (std::size_t v = 0; v < visitors_.size(); v += kGroup) scan_group(v);
  }

 private:
  static constexpr std::size_t kGroup = 16;  // visitors whose prepared form stays in the cache

  static constexpr std::size_t kAhead = 4;  // tiles that are asked for before they are scanned

  std::size_t bytes() const { return listed_.centers.bytes(); }

  void ask_for_tile(std::size_t t) const {
    ask_for_lines(listed_.tile(listed_.first_tile(list_) + t), kTileCodes * bytes());
  }

  // Notes who has to look at which tiles, [0, ends_[v]), those with most tiles first.
  std::size_t choose_visitors(std::size_t list, std::span<const std::uint32_t> candidates) {
    const std::size_t tiles = listed_.tiles(list);
    wanted_.resize(candidates.size());
    places_.assign(tiles + 1, 0);  // how many want more tiles than each number
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::uint32_t q = candidates[i];
      wanted_[i] = tiles_within(listed_, list, queries_.distances_of(list)[q], sink_.limit(q));
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
    return visitors;
  }

  void scan_group(std::size_t first) {
    const std::size_t most = std::min(visitors_.size() - first, kGroup);
    std::uint16_t bounds[kGroup];
    for (std::size_t i = 0; i < most; ++i) bounds[i] = bound(first + i);
    std::size_t count = most;
    for (std::size_t t = 0; t < ends_[first]; ++t) {
      if (first == 0 && t + kAhead < ends_[0]) ask_for_tile(t + kAhead);
      while (ends_[first + count - 1] <= t) --count;
      scan_tile(first, std::min(most, whole(count)), t, bounds);
    }
  }

  // Eight at a time are sooner scanned than five one after the other.
  static std::size_t whole(std::size_t count) {
    return count % 8 > 4 ? (count + 7) / 8 * 8 : count;
  }

  std::uint16_t bound(std::size_t v) const {
    const std::uint32_t limit = sink_.limit(visitors_[v]);
    return static_cast<std::uint16_t>(limit == 0 ? 0 : limit - 1);
  }

  void scan_tile(std::size_t first, std::size_t count, std::size_t t, std::uint16_t* bounds) {
    const std::uint8_t* planes = listed_.tile(listed_.first_tile(list_) + t);
    laid_.resize(kernels_.tile_bytes(bytes()));
    const std::uint8_t* tile = kernels_.tile_of_planes(planes, bytes(), laid_.data());
    const std::uint8_t* prepared = prepared_.data() + first * query_bytes_;
    std::uint8_t hit[kGroup] = {};
    kernels_.scan_tile(tile, prepared, count, bytes(), bounds, hit);
    for (std::size_t i = 0; i < count; i += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, hit + i, sizeof eight);
      for (; eight != 0; eight &= eight - 1) {  // a hit is 1
        const std::size_t v = i + static_cast<std::size_t>(std::countr_zero(eight)) / 8;
        std::uint16_t distances[kTileCodes];
        kernels_.tile_distances(tile, prepared + v * query_bytes_, bytes(), distances);
        push(first + v, t, distances);
        bounds[v] = bound(first + v);
      }
    }
  }

  void push(std::size_t v, std::size_t t, const std::uint16_t* distances) {
    const std::size_t first = listed_.lists.first(list_) + t * kTileCodes;
    const std::size_t rows = std::min(listed_.lists.last(list_) - first, kTileCodes);
    const std::uint32_t* row = listed_.lists.rows + first;
    const std::uint32_t q = visitors_[v];
    std::uint64_t left =
        kernels_.mask_within(distances, bound(v)) & ~std::uint64_t{0} >> (kTileCodes - rows);
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (distances[i] < sink_.limit(q) && filter_.passes(row[i]))
        sink_.push(q, distances[i], row[i]);
    }
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
  std::vector<std::uint8_t> prepared_, laid_;
};

}  // namespace bitsense
