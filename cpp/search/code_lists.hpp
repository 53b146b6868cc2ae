// Codes in lists by the nearest of some centers, and searches that scan few of them.
//
// A search may look only at the lists whose centers are nearest to a query, which is approximate.
// Or it is exact, and passes over what the triangle inequality rules out: a code at a distance r
// from its center is at least d - r from a query at a distance d from it (Burkhard and Keller,
// Communications of the ACM 1973). The codes of a list lie in the order of r, largest first, so
// what has to be scanned is its beginning, which goes to where r < d - limit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/hamming.hpp"
#include "search/lists.hpp"

namespace bitsense {

struct ListedCodes {
  CodesView centers;
  InvertedLists lists;
  const std::uint8_t* planes;  // of tiles of 64 places, in each a byte of all codes after the other
  const std::uint16_t* radii;  // of tiles: the distance of the first code from the center
  const std::uint32_t* spread;  // bits + 1 numbers, see measure_spread

  std::size_t rows() const { return lists.starts[lists.count]; }
  std::size_t bits() const { return centers.bits; }

  // A list has tiles of its own, of which the last may not be full. They begin at this one; between
  // two lists a tile may be left over.
  std::size_t first_tile(std::size_t list) const { return lists.first(list) / kTileCodes + list; }
  std::size_t tiles(std::size_t list) const {
    return (lists.last(list) - lists.first(list) + kTileCodes - 1) / kTileCodes;
  }
  const std::uint8_t* tile(std::size_t number) const {
    return planes + number * kTileCodes * centers.bytes();
  }
};

// How many tiles there are.
constexpr std::size_t listed_tiles(std::size_t rows, std::size_t lists) {
  return rows / kTileCodes + lists;
}

// Writes the planes and radii of the rows of lists. What holds no code is 0. Throws
// std::invalid_argument unless in each list the rows farthest from the center come first.
void lay_lists(const CodesView& codes, const CodesView& centers, const InvertedLists& lists,
               const HammingOptions& options, std::uint8_t* planes, std::uint16_t* radii);

// Writes for each distance m how many centers are at most m farther from a code than its nearest
// center, summed over some of the codes.
void measure_spread(const CodesView& codes, const CodesView& centers, const CodeKernels& kernels,
                    std::uint32_t* spread);

// As hamming_search of the listed codes, ids being those of the rows, but only of those in lists
// whose centers are not much farther from the query than its nearest center: by as much as brings
// about `probes` lists to a query, by `spread`. More lists are looked at where those do not hold k
// rows that pass the filter.
void listed_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   std::size_t probes, const Filter& filter, const HammingOptions& options,
                   std::int64_t* ids, std::int32_t* distances);

// hamming_search of the listed codes, ids being those of the rows.
void pruned_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   const Filter& filter, const HammingOptions& options, std::int64_t* ids,
                   std::int32_t* distances);

// hamming_range_search of the listed codes, ids being those of the rows.
Lists pruned_range_search(const ListedCodes& listed, const CodesView& queries, std::size_t radius,
                          const Filter& filter, const HammingOptions& options);

// The share of the tiles that pruned_search has to scan for the k nearest of a code, which is not
// one of them: the mean over some codes. 0 where there are none.
double scanned_share(const ListedCodes& listed, const CodesView& codes, std::size_t k,
                     const HammingOptions& options);

}  // namespace bitsense
