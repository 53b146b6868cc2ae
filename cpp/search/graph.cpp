#include "search/graph.hpp"

#include "core/errors.hpp"
#include "search/graph_build.hpp"
#include "search/graph_spaces.hpp"

namespace bitsense {

namespace {

void check_rows(const std::uint32_t* rows, std::size_t count, std::size_t below, const char* name) {
  for (std::size_t i = 0; i < count; ++i) {
    require(rows[i] < below, "`", name, "` must hold rows below ", below, ", got ", rows[i]);
  }
}

template <class Space>
GraphParts build(const Space& space, const GraphView& old, const GraphOptions& options,
                 const GraphRun& run, std::uint32_t* neighbors) {
  require(space.rows() <= kMaxGraphRows, "a graph must have at most ", kMaxGraphRows, " rows, got ",
          space.rows());
  check_degree(options.degree);
  require(options.ef >= 1, "`ef_construction` must be at least 1, got ", options.ef);
  require(options.alpha >= 1.0F && options.alpha <= 16.0F, "`alpha` must be 1 to 16, got ",
          options.alpha);
  require(old.rows <= space.rows(), "`neighbors` must have at most ", space.rows(), " rows, got ",
          old.rows);
  if (space.rows() == 0) return {};
  return GraphBuilder<Space>(space, options, run).build(old, neighbors);
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

GraphParts build_graph(const RecordsView& items, const GraphView& old, const GraphOptions& options,
                       const GraphRun& run, std::uint32_t* neighbors) {
  return build(RecordSpace(run.kernels, items, Metric::kEuclidean), old, options, run, neighbors);
}

}  // namespace bitsense
