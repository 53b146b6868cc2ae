#include "search/graph.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/errors.hpp"
#include "search/graph_build.hpp"
#include "search/graph_spaces.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kLongestEntries = 32;

void check_rows(const std::uint32_t* rows, std::size_t count, std::size_t below, const char* name) {
  for (std::size_t i = 0; i < count; ++i) {
    require(rows[i] < below, "`", name, "` must hold rows below ", below, ", got ", rows[i]);
  }
}

void check_build(std::size_t rows, const GraphView& old, const GraphOptions& options) {
  require(rows <= kMaxGraphRows, "a graph must have at most ", kMaxGraphRows, " rows, got ", rows);
  check_degree(options.degree);
  require(options.ef >= 1, "`ef_construction` must be at least 1, got ", options.ef);
  require(options.alpha >= 1.0F && options.alpha <= 16.0F, "`alpha` must be 1 to 16, got ",
          options.alpha);
  require(old.rows <= rows, "`neighbors` must have at most ", rows, " rows, got ", old.rows);
}

template <class Space>
GraphParts build(const Space& space, const GraphView& old, const GraphOptions& options,
                 const GraphRun& run, std::uint32_t* neighbors) {
  check_build(space.rows(), old, options);
  if (space.rows() == 0) return {};
  return GraphBuilder<Space>(space, options, run).build(old, neighbors);
}

// The longest rows, longest first.
std::vector<std::uint32_t> longest(const RecordsView& items) {
  std::vector<std::uint32_t> rows(items.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  const std::size_t count = std::min(kLongestEntries, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      const float x = items.norm(a), y = items.norm(b);
                      return x > y || (x == y && a < b);
                    });
  rows.resize(count);
  return rows;
}

// Writes the rows of `first`, then those of `second` that are new, then kNoRow.
void join_lists(const std::uint32_t* first, std::size_t first_size, const std::uint32_t* second,
                std::size_t second_size, std::uint32_t* out) {
  std::uint32_t* end = std::copy(first, std::find(first, first + first_size, kNoRow), out);
  for (std::size_t i = 0; i < second_size && second[i] != kNoRow; ++i) {
    if (std::find(out, end, second[i]) == end) *end++ = second[i];
  }
  std::fill(end, out + first_size + second_size, kNoRow);
}

GraphParts build_for_products(const RecordsView& items, const GraphView& old,
                              const GraphOptions& options, const GraphRun& run,
                              std::uint32_t* neighbors) {
  GraphOptions by_product = options, by_distance = options;
  by_product.degree = std::max<std::size_t>(options.degree / 4, 1);
  by_distance.degree = options.degree - by_product.degree;
  std::vector<std::uint32_t> products(items.rows * by_product.degree);
  GraphBuilder(RecordSpace(run.kernels, items, Metric::kInnerProduct), by_product, run)
      .link(old, products.data());
  std::vector<std::uint32_t> near(items.rows * by_distance.degree);
  GraphParts parts =
      GraphBuilder(RecordSpace(run.kernels, items, Metric::kEuclidean), by_distance, run)
          .build(old, near.data());
  for (std::size_t i = 0; i < items.rows; ++i) {
    join_lists(products.data() + i * by_product.degree, by_product.degree,
               near.data() + i * by_distance.degree, by_distance.degree,
               neighbors + i * options.degree);
  }
  std::vector<std::uint32_t> entries = longest(items);
  for (const std::uint32_t row : parts.entries) {
    if (std::find(entries.begin(), entries.end(), row) == entries.end()) entries.push_back(row);
  }
  parts.entries = std::move(entries);
  return parts;
}

}  // namespace

void check_degree(std::size_t degree) {
  require(degree >= 2 && degree <= kMaxDegree, "`degree` must be 2 to ", kMaxDegree, ", got ",
          degree);
}

void check_graph(const GraphView& graph) {
  require(graph.rows <= kMaxGraphRows, "`neighbors` must have at most ", kMaxGraphRows,
          " rows, got ", graph.rows);
  require(graph.degree <= kMaxDegree, "`neighbors` must have at most ", kMaxDegree,
          " columns, got ", graph.degree);
  for (std::size_t i = 0; i < graph.rows * graph.degree; ++i) {
    const std::uint32_t row = graph.neighbors[i];
    require(row < graph.rows || row == kNoRow, "`neighbors` must hold rows below ", graph.rows,
            ", got ", row);
  }
  check_rows(graph.entries, graph.entry_count, graph.rows, "entries");
  require(graph.entry_count <= graph.rows, "`entries` must have at most ", graph.rows,
          " items, got ", graph.entry_count);
  for (std::size_t i = 0; graph.copies != nullptr && i < graph.rows; ++i) {
    const std::uint32_t next = graph.copies[i];
    require(next == kNoRow || (next > i && next < graph.rows), "`copies` must hold, at ", i,
            ", a row of ", i + 1, " to ", graph.rows, ", got ", next);
  }
}

GraphParts build_graph(const CodesView& items, const GraphView& old, const GraphOptions& options,
                       const GraphRun& run, std::uint32_t* neighbors) {
  return build(CodeSpace(run.kernels, items), old, options, run, neighbors);
}

GraphParts build_graph(const RecordsView& items, Metric metric, const GraphView& old,
                       const GraphOptions& options, const GraphRun& run, std::uint32_t* neighbors) {
  if (metric == Metric::kInnerProduct) {
    check_build(items.rows, old, options);
    return build_for_products(items, old, options, run, neighbors);
  }
  return build(RecordSpace(run.kernels, items, Metric::kEuclidean), old, options, run, neighbors);
}

}  // namespace bitsense
