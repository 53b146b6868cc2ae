// Multi-index hashing: exact search of codes that looks at few of them (Norouzi, Punjani and Fleet,
// "Fast exact search in Hamming space with multi-index hashing", PAMI 2014).
//
// Codes are cut into m substrings, and each has a table from its values to rows. Codes within r of
// a query lie within r / m of it in at least one substring (more exactly: with r = m b + a, within
// b in one of the first a + 1 substrings or within b - 1 in another), so looking up those few
// values finds them all. A pair is reported by the first lookup that meets it, which its substring
// distances tell; nothing is remembered.
//
// Answers are those of search/hamming.hpp. A query for which a scan costs less, because the radius
// is large or its buckets are full, is answered by that scan. Rows behind those in the tables are
// scanned.
#pragma once

#include <cstddef>
#include <cstdint>

#include "search/hamming.hpp"

namespace bitsense {

// How many substrings suit `rows` codes: about as long as it takes to tell the rows apart.
std::size_t default_substrings(std::size_t bits, std::size_t rows);

// The tables, one after the other: bucket b of table j holds rows[j * items + i] for i from
// offsets[j * (buckets + 1) + b] to that of b + 1, ascending.
struct MultiTables {
  std::size_t substrings;
  std::size_t bucket_bits;
  std::size_t items;
  const std::uint32_t* offsets;
  const std::uint32_t* rows;

  std::size_t buckets() const { return std::size_t{1} << bucket_bits; }
};

// log2 of the number of buckets of a table of `items` rows.
std::size_t bucket_bits_for(std::size_t bits, std::size_t substrings, std::size_t items);

// Fills the arrays of the tables, of substrings * (buckets + 1) and substrings * items elements.
void build_multi_tables(const CodesView& codes, std::size_t substrings, std::size_t bucket_bits,
                        std::size_t threads, const Poll& poll, std::uint32_t* offsets,
                        std::uint32_t* rows);

// Throws std::invalid_argument unless the arrays, of those sizes, are such tables: offsets that
// ascend from 0 to items, rows below items.
void check_multi_tables(const MultiTables& tables);

// As hamming_search and hamming_range_search; the tables are of the first tables.items codes.
void multi_search(const CodesView& codes, const MultiTables& tables, const CodesView& queries,
                  std::size_t k, const Filter& filter, const HammingOptions& options,
                  std::int64_t* ids, std::int32_t* distances);
Lists multi_range_search(const CodesView& codes, const MultiTables& tables,
                         const CodesView& queries, std::size_t radius, const Filter& filter,
                         const HammingOptions& options);

}  // namespace bitsense
