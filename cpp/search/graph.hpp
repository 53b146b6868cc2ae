// Approximate search of nearest rows by a graph of neighbours, for packed codes and for byte
// records.
//
// A graph is plain arrays, so it can be saved, mapped and searched by many threads without a lock:
//
//   neighbors  uint32, rows x degree: the rows near a row, nearest first, then kNoRow
//   entries    uint32: rows of which every search first compares all, to begin with the nearest
//   copies     uint32, rows, or empty: the next larger row with the same bytes, or kNoRow
//
// Of rows with the same bytes only the first is part of the walk; the others follow from `copies`.
// Otherwise they would be each other's only neighbours.
//
// The graph is built by inserting rows in growing batches (prefix doubling: Manohar et al.,
// ParlayANN, PPoPP 2024): each row of a batch searches the graph as it was before the batch, keeps
// neighbours by the rule of relative neighbourhoods with slack alpha (Subramanya et al., DiskANN,
// NeurIPS 2019), and then the edges are reversed. Nothing depends on the threads or on the level of
// the inner loops.
//
// Under the inner product of rows of unlike lengths most answers are few long rows, which are near
// to nothing. There a quarter of a row's neighbours are those of a graph built by the product
// (ip-NSW: Morozov and Babenko, NeurIPS 2018), which leads to them but reaches few other rows; the
// rest, and the way to every row, are those of distances. Walks may begin at the longest rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/codes.hpp"
#include "core/parallel.hpp"
#include "kernels/graph_kernels.hpp"
#include "search/filter.hpp"
#include "search/records.hpp"

namespace bitsense {

constexpr std::uint32_t kNoRow = 0xffffffff;
constexpr std::size_t kMaxGraphRows = std::size_t{1} << 31;
constexpr std::size_t kMaxDegree = 512;

struct GraphView {
  const std::uint32_t* neighbors;
  std::size_t rows, degree;
  const std::uint32_t* entries;
  std::size_t entry_count;
  const std::uint32_t* copies;  // nullptr where there are none

  const std::uint32_t* row(std::size_t i) const noexcept { return neighbors + i * degree; }
};

void check_degree(std::size_t degree);  // throws std::invalid_argument

// Throws std::invalid_argument unless every row that the arrays name exists and `copies` ascends: a
// search of such a graph reads nothing out of bounds and ends, whatever else the arrays hold.
void check_graph(const GraphView& graph);

struct GraphOptions {
  std::size_t degree = 32;
  std::size_t ef = 100;  // pairs that the search for a row's neighbours keeps
  float alpha = 1.1F;    // at least 1; more keeps more and longer edges
  std::uint64_t seed = 0;
  std::size_t threads = 1;
};

struct GraphRun {
  const GraphKernels& kernels;
  std::size_t threads;
  const Poll& poll;
};

// The parts of a new graph whose sizes the caller cannot know.
struct GraphParts {
  std::vector<std::uint32_t> entries;
  std::vector<std::uint32_t> copies;
};

// Builds a graph of all items into neighbors, items.rows x options.degree. If `old` has rows, it is
// a graph of the first of the items, to which the others are added; the bytes then depend on where
// the items were cut.
GraphParts build_graph(const CodesView& items, const GraphView& old, const GraphOptions& options,
                       const GraphRun& run, std::uint32_t* neighbors);
GraphParts build_graph(const RecordsView& items, Metric metric, const GraphView& old,
                       const GraphOptions& options, const GraphRun& run, std::uint32_t* neighbors);

// Writes the k nearest rows found of each query that pass the filter, by (distance, row), queries x
// k. Each query keeps max(ef, k) pairs on its walk. k is at most the number of rows that pass; a
// query whose walk finds fewer compares all of them.
void search_graph(const GraphView& graph, const CodesView& items, const CodesView& queries,
                  std::size_t k, std::size_t ef, const Filter& filter, const GraphRun& run,
                  std::int64_t* rows, std::int32_t* distances);
void search_graph(const GraphView& graph, const RecordsView& items, const RecordsView& queries,
                  Metric metric, std::size_t k, std::size_t ef, const Filter& filter,
                  const GraphRun& run, std::int64_t* rows, float* distances);

}  // namespace bitsense
