// How a call is cut into pieces for threads: a piece is a block of queries against a segment of the
// items. With fewer blocks than threads the items are cut, else only the queries.
#pragma once

#include <algorithm>
#include <cstddef>

namespace bitsense {

// Half-open range of tiles of 64 items.
struct TileRange {
  std::size_t first, last;
};

struct Pieces {
  std::size_t queries, block, blocks, segments, tiles;

  // `block` queries share the reading of a tile; a segment has at least about `segment` tiles, as
  // fewer are scanned sooner than a thread starts.
  Pieces(std::size_t asked, std::size_t per_block, std::size_t of_items, std::size_t segment,
         std::size_t threads)
      : queries(asked),
        block(per_block),
        blocks((asked + per_block - 1) / per_block),
        segments(1),
        tiles(of_items) {
    const std::size_t wanted = blocks == 0 ? 1 : (threads + blocks - 1) / blocks;
    segments = std::clamp<std::size_t>(wanted, 1, tiles / segment + 1);
  }

  std::size_t count() const { return blocks * segments; }
  std::size_t segment(std::size_t piece) const { return piece % segments; }
  std::size_t first_query(std::size_t piece) const { return piece / segments * block; }
  std::size_t rows(std::size_t piece) const {
    return std::min(block, queries - first_query(piece));
  }
  TileRange range(std::size_t piece) const {
    return {tiles * segment(piece) / segments, tiles * (segment(piece) + 1) / segments};
  }
};

}  // namespace bitsense
