// Hamming distances of packed codes, a tile of 64 codes at a time.
//
// Codes stay in memory as core/codes.hpp lays them, row after row, so that they can be a NumPy
// array or a mapped file. One query is compared with the rows directly. For many queries a tile is
// first laid in planes, in a scratch that stays in the cache, so that codes and not the parts of
// one code lie side by side and no sum runs across a register:
//
//   rows    code 0: b0 b1 b2 ...         planes    b0 of codes 0..63
//           code 1: b0 b1 b2 ...                   b1 of codes 0..63
//
// A prepared query means something only to the level that made it. The form of the planes is that
// of Andre, Kermarrec and Le Scouarnec, "Cache locality is not enough" (VLDB 2015): the bits of a
// nibble that differ from the query's are looked up in a register, where those of a byte are not
// counted by an instruction.
//
// The scans only say whether a tile holds any code within a bound; in a search for the nearest that
// is rare, and the caller then asks for the distances of that tile. All results are whole numbers
// and equal at every level. No pointer need be aligned.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

constexpr std::size_t kTileCodes = 64;
constexpr std::size_t kMaxCodeBits = 65535;  // a distance fits 16 bits

struct CodeKernels {
  // Bytes of a laid tile and of a prepared query, for codes of `bytes` bytes.
  std::size_t (*tile_bytes)(std::size_t bytes);
  std::size_t (*query_bytes)(std::size_t bytes);

  // Lays `rows` <= 64 codes that start at `codes` in planes, byte b of code i at tile[64 * b + i];
  // the missing codes of a tile are zero, and what follows the last plane is overwritten.
  void (*lay_tile)(const std::uint8_t* codes, std::size_t rows, std::size_t bytes,
                   std::uint8_t* tile);

  // Prepares queries that follow each other, query_bytes each.
  void (*prepare_queries)(const std::uint8_t* codes, std::size_t queries, std::size_t bytes,
                          std::uint8_t* prepared);

  // Sets hit[q] to 1 if any of the 64 codes of the tile may be within bounds[q] of query q, else to
  // 0. "May be": there can be a false 1, of codes of at most 32 bytes only where one is within 4 /
  // 3 of the bound, and never a false 0. The queries are some of those that were prepared together,
  // from an even one on.
  void (*scan_tile)(const std::uint8_t* tile, const std::uint8_t* prepared, std::size_t queries,
                    std::size_t bytes, const std::uint16_t* bounds, std::uint8_t* hit);

  // The 64 distances of one prepared query to a laid tile.
  void (*tile_distances)(const std::uint8_t* tile, const std::uint8_t* prepared, std::size_t bytes,
                         std::uint16_t* distances);

  // Fewer queries than this are compared with the rows sooner than with planes (measured). It is 0
  // for codes that are not whole 64-bit words, for which there is no scan_rows.
  std::size_t (*rows_below)(std::size_t bytes);

  // The number of the first of `tiles` tiles of 64 rows that holds a code within `bound` of the
  // query, or `tiles`. Codes are of `words` 64-bit words.
  std::size_t (*scan_rows)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t tiles,
                           std::size_t words, std::uint32_t bound);

  // The distances of one query to `rows` codes of `bytes` bytes.
  void (*row_distances)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t rows,
                        std::size_t bytes, std::uint16_t* distances);

  // Bit i is set where distances[i] <= bound, i < 64.
  std::uint64_t (*mask_within)(const std::uint16_t* distances, std::uint16_t bound);

  // The exclusive or of `words` 64-bit words: as fast as this machine reads, the limit of any scan.
  std::uint64_t (*read)(const std::uint8_t* data, std::size_t words);
};

}  // namespace bitsense
