// One pass over a run of codes for a few queries: every exact search is this scan with a sink.
//
// A sink has, for each query q of the scan,
//   limit(q)           only distances below it are wanted; it may fall as pairs arrive
//   push(q, d, id)     a wanted pair; for one q the ids ascend
//
// With few queries each is compared with the rows as they lie. Otherwise a panel of tiles that fits
// the cache is laid in planes once and shared by all queries (kernels/code_kernels.hpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/codes.hpp"
#include "core/parallel.hpp"
#include "core/prefetch.hpp"
#include "kernels/code_kernels.hpp"
#include "search/filter.hpp"
#include "search/pieces.hpp"

namespace bitsense {

// Lets the calling thread's Poll stop the other threads too.
class Stopper {
 public:
  explicit Stopper(const Poll& poll) : poll_(poll) {}

  // True if the scan has to end. On thread 0 it throws what the poll throws.
  bool stop(std::size_t thread) {
    if (thread != 0 || !poll_) return stopped_.load(std::memory_order_relaxed);
    try {
      poll_();
    } catch (...) {
      stopped_.store(true);
      throw;
    }
    return false;
  }

 private:
  const Poll& poll_;
  std::atomic<bool> stopped_{false};
};

constexpr std::size_t tiles_of(std::size_t rows) { return (rows + kTileCodes - 1) / kTileCodes; }

// The largest distance below a limit; 0 where there is none, which a push then refuses.
constexpr std::uint16_t bound_below(std::uint32_t limit) {
  return static_cast<std::uint16_t>(limit == 0 ? 0 : limit - 1);
}

// Calls take(i) for each i below flags.size() whose flag is 1 and not 0. There are flags for whole
// words of eight.
template <class Take>
void for_each_flag(std::span<const std::uint8_t> flags, Take&& take) {
  for (std::size_t i = 0; i < flags.size(); i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, flags.data() + i, sizeof eight);
    for (; eight != 0; eight &= eight - 1) {
      take(i + static_cast<std::size_t>(std::countr_zero(eight)) / 8);
    }
  }
}

// Memory that scans may use one after the other.
struct ScanScratch {
  std::vector<std::uint8_t> prepared, panel;
};

template <class Sink>
class Scan {
 public:
  Scan(const CodeKernels& kernels, const CodesView& codes, const Filter& filter, Sink& sink,
       ScanScratch& scratch)
      : kernels_(kernels), codes_(codes), filter_(filter), sink_(sink), scratch_(scratch) {}

  // Scans the tiles for all the queries. `thread` is the thread's number, for the stopper.
  void run(const CodesView& queries, TileRange tiles, Stopper& stopper, std::size_t thread) {
    const bool by_rows = queries.rows < kernels_.rows_below(codes_.bytes());
    // One query reads everything once, so its panels only set how often the stopper is asked.
    const std::size_t panel_bytes = queries.rows == 1 && by_rows ? kRunBytes : kPanelBytes;
    const std::size_t step = std::max<std::size_t>(1, panel_bytes / (codes_.bytes() * kTileCodes));
    if (!by_rows) prepare(queries, step);
    for (std::size_t t = tiles.first; t < tiles.last; t += step) {
      const TileRange panel{t, std::min(t + step, tiles.last)};
      if (stopper.stop(thread)) return;
      if (by_rows) {
        for (std::size_t q = 0; q < queries.rows; ++q) scan_rows(q, queries.row(q), panel);
      } else {
        scan_planes(queries.rows, panel);
      }
    }
  }

 private:
  static constexpr std::size_t kRunBytes = 1 << 21;
  static constexpr std::size_t kPanelBytes = 1 << 15;  // two thirds of a first-level cache
  static constexpr std::size_t kGroup = 16;  // queries whose prepared form stays in the cache

  std::size_t rows_of(std::size_t tile) const {
    return std::min(kTileCodes, codes_.rows - tile * kTileCodes);
  }

  // All 64 distances may be read; those of absent codes are ignored.
  void push_tile(std::size_t q, std::size_t tile, const std::uint16_t* distances) {
    if (sink_.limit(q) == 0) return;
    const auto bound = static_cast<std::uint16_t>(sink_.limit(q) - 1);
    std::uint64_t left = filter_.word(tile) & kernels_.mask_within(distances, bound);
    const std::size_t rows = rows_of(tile);
    if (rows < kTileCodes) left &= (std::uint64_t{1} << rows) - 1;
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (distances[i] < sink_.limit(q)) sink_.push(q, distances[i], tile * kTileCodes + i);
    }
  }

  void push_rows(std::size_t q, const std::uint8_t* query, std::size_t tile) {
    std::uint16_t distances[kTileCodes] = {};
    kernels_.row_distances(query, codes_.row(tile * kTileCodes), rows_of(tile), codes_.bytes(),
                           distances);
    push_tile(q, tile, distances);
  }

  void scan_rows(std::size_t q, const std::uint8_t* query, TileRange panel) {
    const std::size_t full = std::min(panel.last, codes_.rows / kTileCodes);
    std::size_t t = panel.first;
    while (t < full && sink_.limit(q) != 0) {
      if (filter_.word(t) == 0) {
        ++t;
        continue;
      }
      const std::size_t run = filter_.active() ? 1 : full - t;
      const std::size_t hit = kernels_.scan_rows(query, codes_.row(t * kTileCodes), run,
                                                 codes_.bytes() / 8, sink_.limit(q) - 1);
      t += hit;
      if (hit < run) push_rows(q, query, t++);
    }
    if (full < panel.last && filter_.word(full) != 0) push_rows(q, query, full);
  }

  void prepare(const CodesView& queries, std::size_t step) {
    const std::size_t bytes = kernels_.query_bytes(codes_.bytes());
    grow(scratch_.prepared, bytes * queries.rows);
    kernels_.prepare_queries(queries.row(0), queries.rows, codes_.bytes(),
                             scratch_.prepared.data());
    grow(scratch_.panel, kernels_.tile_bytes(codes_.bytes()) * step);
  }
  static void grow(std::vector<std::uint8_t>& memory, std::size_t bytes) {
    if (memory.size() < bytes) memory.resize(bytes);
  }

  void scan_planes(std::size_t queries, TileRange panel) {
    const std::size_t tile_bytes = kernels_.tile_bytes(codes_.bytes());
    const std::size_t step = panel.last - panel.first;
    for (std::size_t t = panel.first; t < panel.last; ++t) {
      if (filter_.word(t) == 0) continue;
      kernels_.lay_tile(codes_.row(t * kTileCodes), rows_of(t), codes_.bytes(),
                        scratch_.panel.data() + (t - panel.first) * tile_bytes);
    }
    for (std::size_t q = 0; q < queries; q += kGroup) {
      Group group{q, std::min(queries, q + kGroup), {}};
      for (std::size_t i = q; i < group.last; ++i) set_bound(group, i);
      for (std::size_t t = panel.first; t < panel.last; ++t) {
        if (q == 0) ask_for_tile(t + step);
        if (filter_.word(t) == 0) continue;
        scan_group(group, t, scratch_.panel.data() + (t - panel.first) * tile_bytes);
      }
    }
  }

  // Queries [first, last), and the distances up to which they want pairs.
  struct Group {
    std::size_t first, last;
    std::uint16_t bounds[kGroup];
  };

  void set_bound(Group& group, std::size_t q) const {
    group.bounds[q - group.first] = bound_below(sink_.limit(q));
  }

  // Has the memory asked for a tile of the next panel, while this one is computed with.
  void ask_for_tile(std::size_t t) const {
    if ((t + 1) * kTileCodes > codes_.rows) return;
    ask_for_lines(codes_.row(t * kTileCodes), kTileCodes * codes_.bytes());
  }

  void scan_group(Group& group, std::size_t t, const std::uint8_t* tile) {
    const std::size_t bytes = kernels_.query_bytes(codes_.bytes());
    std::uint8_t hit[kGroup] = {};
    kernels_.scan_tile(tile, scratch_.prepared.data() + group.first * bytes,
                       group.last - group.first, codes_.bytes(), group.bounds, hit);
    for_each_flag({hit, kGroup}, [&](std::size_t i) {
      const std::size_t q = group.first + i;
      std::uint16_t distances[kTileCodes];
      kernels_.tile_distances(tile, scratch_.prepared.data() + q * bytes, codes_.bytes(),
                              distances);
      push_tile(q, t, distances);
      set_bound(group, q);
    });
  }

  const CodeKernels& kernels_;
  const CodesView& codes_;
  const Filter& filter_;
  Sink& sink_;
  ScanScratch& scratch_;
};

}  // namespace bitsense
