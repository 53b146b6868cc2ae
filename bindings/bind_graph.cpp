// Graphs of neighbours and byte records.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "answers.hpp"
#include "core/large_pages.hpp"
#include "kernels/graph_kernels.hpp"
#include "register.hpp"
#include "search/graph.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace graph_bindings {

using bitsense::require;
using Bytes = Array<std::uint8_t>;
using Records = Array<std::int8_t>;
using Rows = Array<std::uint32_t>;

const bitsense::GraphKernels& graph_kernels(const Level& level) { return *kernels_at(level).graph; }

bitsense::CodesView codes_of(const Bytes& codes, std::size_t bits, const char* name) {
  require(bits >= 1 && bits <= 65535, "`bits` must be 1 to 65535, got ", bits);
  return codes_view(codes, bits, name);
}

bitsense::RecordsView records_of(const Records& records, const char* name) {
  require_dimensions(records, 2, name);
  const auto stride = static_cast<std::size_t>(records.shape(1));
  require(
      stride >= bitsense::kByteQuantum && stride % bitsense::kByteQuantum == 0 && stride <= 65536,
      "`", name, "` must have a multiple of ", bitsense::kByteQuantum,
      " columns, at most 65536, got ", stride);
  return {records.data(), static_cast<std::size_t>(records.shape(0)), stride};
}

bitsense::Metric metric_of(bool euclidean) {
  return euclidean ? bitsense::Metric::kEuclidean : bitsense::Metric::kInnerProduct;
}

// The arrays of a graph, whose values are not looked at.
bitsense::GraphView graph_of(const Rows& neighbors, const Rows& entries, const Rows& copies) {
  require_dimensions(neighbors, 2, "neighbors");
  require_dimensions(entries, 1, "entries");
  require_dimensions(copies, 1, "copies");
  const auto rows = static_cast<std::size_t>(neighbors.shape(0));
  require(copies.size() == 0 || static_cast<std::size_t>(copies.size()) == rows,
          "`copies` must have no items or ", rows, ", got ", copies.size());
  return {neighbors.data(),
          rows,
          static_cast<std::size_t>(neighbors.shape(1)),
          entries.data(),
          static_cast<std::size_t>(entries.size()),
          copies.size() == 0 ? nullptr : copies.data()};
}

// The same, and what they hold can be followed.
bitsense::GraphView checked_graph(const Rows& neighbors, const Rows& entries, const Rows& copies) {
  const auto graph = graph_of(neighbors, entries, copies);
  bitsense::check_graph(graph);
  return graph;
}

// A matrix that begins with a cache line and lies in large pages.
template <class T>
Array<T> large_matrix(std::size_t rows, std::size_t columns) {
  using Owner = std::shared_ptr<T[]>;
  auto owner = std::make_unique<Owner>(bitsense::large_array<T>(rows * columns));
  T* data = owner->get();
  const py::capsule base(owner.get(), [](void* p) { delete static_cast<Owner*>(p); });
  owner.release();
  return Array<T>({rows, columns}, data, base);
}

// make(run, neighbors) builds the graph of so many rows.
template <class Make>
py::tuple build(std::size_t rows, std::size_t degree, std::size_t threads, const Level& level,
                const Make& make) {
  bitsense::check_degree(degree);
  auto neighbors = large_matrix<std::uint32_t>(rows, degree);
  auto* data = neighbors.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  const bitsense::GraphRun run{graph_kernels(level), threads, poll};
  bitsense::GraphParts parts;
  {
    py::gil_scoped_release release;
    parts = make(run, data);
  }
  return py::make_tuple(neighbors, copied(parts.entries), copied(parts.copies));
}

py::tuple build_of_codes(const Bytes& codes, std::size_t bits, const bitsense::GraphView& old,
                         const bitsense::GraphOptions& options, std::size_t threads,
                         const Level& level) {
  const auto items = codes_of(codes, bits, "codes");
  return build(items.rows, options.degree, threads, level, [&](const auto& run, auto* neighbors) {
    return bitsense::build_graph(items, old, options, run, neighbors);
  });
}

py::tuple build_of_bytes(const Records& records, bool euclidean, const bitsense::GraphView& old,
                         const bitsense::GraphOptions& options, std::size_t threads,
                         const Level& level) {
  const auto items = records_of(records, "records");
  return build(items.rows, options.degree, threads, level, [&](const auto& run, auto* neighbors) {
    return bitsense::build_graph(items, metric_of(euclidean), old, options, run, neighbors);
  });
}

py::tuple build_codes(const Bytes& codes, std::size_t bits, std::size_t degree,
                      std::size_t ef_construction, float alpha, std::uint64_t seed,
                      std::size_t threads, const Level& level) {
  return build_of_codes(codes, bits, {}, {degree, ef_construction, alpha, seed}, threads, level);
}

py::tuple build_bytes(const Records& records, bool euclidean, std::size_t degree,
                      std::size_t ef_construction, float alpha, std::uint64_t seed,
                      std::size_t threads, const Level& level) {
  return build_of_bytes(records, euclidean, {}, {degree, ef_construction, alpha, seed}, threads,
                        level);
}

py::tuple extend_codes(const Rows& neighbors, const Rows& entries, const Rows& copies,
                       const Bytes& codes, std::size_t bits, std::size_t ef_construction,
                       float alpha, std::uint64_t seed, std::size_t threads, const Level& level) {
  const auto old = checked_graph(neighbors, entries, copies);
  return build_of_codes(codes, bits, old, {old.degree, ef_construction, alpha, seed}, threads,
                        level);
}

py::tuple extend_bytes(const Rows& neighbors, const Rows& entries, const Rows& copies,
                       const Records& records, bool euclidean, std::size_t ef_construction,
                       float alpha, std::uint64_t seed, std::size_t threads, const Level& level) {
  const auto old = checked_graph(neighbors, entries, copies);
  return build_of_bytes(records, euclidean, old, {old.degree, ef_construction, alpha, seed},
                        threads, level);
}

py::tuple search_codes(const Rows& neighbors, const Rows& entries, const Rows& copies,
                       const Bytes& codes, const Bytes& queries, std::size_t bits, std::size_t k,
                       std::size_t ef, const Bitmap& bitmap, std::size_t threads,
                       const Level& level) {
  const auto graph = graph_of(neighbors, entries, copies);
  const auto items = codes_of(codes, bits, "codes");
  const auto asked = codes_of(queries, bits, "queries");
  const auto filter = filter_of(bitmap, items.rows);
  k = std::min(k, filter.passing(items.rows));
  const auto poll = bitsense::Poll(python_poll());
  return answers<std::int32_t>(asked.rows, k, [&](auto* rows, auto* distances) {
    bitsense::search_graph(graph, items, asked, k, ef, filter,
                           {graph_kernels(level), threads, poll}, rows, distances);
  });
}

py::tuple search_bytes(const Rows& neighbors, const Rows& entries, const Rows& copies,
                       const Records& records, const Records& queries, bool euclidean,
                       std::size_t k, std::size_t ef, const Bitmap& bitmap, std::size_t threads,
                       const Level& level) {
  const auto graph = graph_of(neighbors, entries, copies);
  const auto items = records_of(records, "records");
  const auto asked = records_of(queries, "queries");
  const auto filter = filter_of(bitmap, items.rows);
  k = std::min(k, filter.passing(items.rows));
  const auto poll = bitsense::Poll(python_poll());
  return answers<float>(asked.rows, k, [&](auto* rows, auto* distances) {
    bitsense::search_graph(graph, items, asked, metric_of(euclidean), k, ef, filter,
                           {graph_kernels(level), threads, poll}, rows, distances);
  });
}

void check(const Rows& neighbors, const Rows& entries, const Rows& copies) {
  const auto graph = graph_of(neighbors, entries, copies);
  py::gil_scoped_release release;
  bitsense::check_graph(graph);
}

Records quantise(const Array<float>& vectors, std::size_t threads) {
  const auto view = vectors_view(vectors, "vectors");
  auto records = large_matrix<std::int8_t>(view.rows, bitsense::record_stride(view.dim));
  auto* data = records.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::quantise_rows(view, threads, poll, data);
  }
  return records;
}

Rows code_distances(const std::string& level, const Bytes& query, const Bytes& codes,
                    const Rows& rows) {
  const auto items = codes_of(codes, static_cast<std::size_t>(codes.shape(1)) * 8, "codes");
  require(query.size() == codes.shape(1), "`query` must have ", codes.shape(1), " bytes, got ",
          query.size());
  for (py::ssize_t i = 0; i < rows.size(); ++i) {
    require(rows.data()[i] < items.rows, "`rows` must be below ", items.rows);
  }
  const auto count = static_cast<std::size_t>(rows.size());
  auto out = make_array<std::uint32_t>({count});
  graph_kernels(level).code_distances(query.data(), items.data, items.bytes(), rows.data(), count,
                                      out.mutable_data());
  return out;
}

Array<std::int32_t> byte_dots(const std::string& level, const Records& query,
                              const Records& records, const Rows& rows) {
  const auto items = records_of(records, "records");
  require(query.size() == records.shape(1), "`query` must have ", records.shape(1), " items, got ",
          query.size());
  for (py::ssize_t i = 0; i < rows.size(); ++i) {
    require(rows.data()[i] < items.rows, "`rows` must be below ", items.rows);
  }
  const auto count = static_cast<std::size_t>(rows.size());
  auto out = make_array<std::int32_t>({count});
  graph_kernels(level).byte_dots(query.data(), items.data, items.stride, rows.data(), count,
                                 out.mutable_data());
  return out;
}

}  // namespace graph_bindings

void register_graph(py::module_& m) {
  using namespace graph_bindings;
  m.def("graph_build_codes", &build_codes, "codes"_a.noconvert(), "bits"_a, "degree"_a = 32,
        "ef_construction"_a = 100, "alpha"_a = 1.1F, "seed"_a = 0, "threads"_a = 1,
        "level"_a = py::none());
  m.def("graph_build_bytes", &build_bytes, "records"_a.noconvert(), "euclidean"_a, "degree"_a = 32,
        "ef_construction"_a = 100, "alpha"_a = 1.1F, "seed"_a = 0, "threads"_a = 1,
        "level"_a = py::none());
  m.def("graph_extend_codes", &extend_codes, "neighbors"_a.noconvert(), "entries"_a.noconvert(),
        "copies"_a.noconvert(), "codes"_a.noconvert(), "bits"_a, "ef_construction"_a = 100,
        "alpha"_a = 1.1F, "seed"_a = 0, "threads"_a = 1, "level"_a = py::none());
  m.def("graph_extend_bytes", &extend_bytes, "neighbors"_a.noconvert(), "entries"_a.noconvert(),
        "copies"_a.noconvert(), "records"_a.noconvert(), "euclidean"_a, "ef_construction"_a = 100,
        "alpha"_a = 1.1F, "seed"_a = 0, "threads"_a = 1, "level"_a = py::none());
  m.def("graph_search_codes", &search_codes, "neighbors"_a.noconvert(), "entries"_a.noconvert(),
        "copies"_a.noconvert(), "codes"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a,
        "ef"_a, "bitmap"_a = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("graph_search_bytes", &search_bytes, "neighbors"_a.noconvert(), "entries"_a.noconvert(),
        "copies"_a.noconvert(), "records"_a.noconvert(), "queries"_a.noconvert(), "euclidean"_a,
        "k"_a, "ef"_a, "bitmap"_a = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("graph_check", &check, "neighbors"_a.noconvert(), "entries"_a.noconvert(),
        "copies"_a.noconvert());
  m.def("quantise_rows", &quantise, "vectors"_a.noconvert(), "threads"_a = 1);
  m.def("kernel_code_distances", &code_distances, "level"_a, "query"_a.noconvert(),
        "codes"_a.noconvert(), "rows"_a.noconvert());
  m.def("kernel_byte_dots", &byte_dots, "level"_a, "query"_a.noconvert(), "records"_a.noconvert(),
        "rows"_a.noconvert());
}
