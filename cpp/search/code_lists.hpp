// Approximate nearest codes: an exact scan of the lists whose centers are nearest to a query.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/hamming.hpp"
#include "search/lists.hpp"

namespace bitsense {

struct ListedCodes {
  CodesView centers;
  InvertedLists lists;
  CodesView codes;  // of the places
};

// As hamming_search of the listed codes, ids being those of the rows, but only of those in the
// `probes` lists whose centers are nearest to the query; of more lists where those do not hold k
// rows that pass the filter.
void listed_search(const ListedCodes& listed, const CodesView& queries, std::size_t k,
                   std::size_t probes, const Filter& filter, const HammingOptions& options,
                   std::int64_t* ids, std::int32_t* distances);

}  // namespace bitsense
