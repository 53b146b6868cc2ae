// Graphs of neighbours: the same bytes from any number of threads and at every level, recall
// against comparing everything, filters, copies, extension, arrays that name rows that do not
// exist.
#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "check.hpp"
#include "kernels/dispatch.hpp"
#include "search/graph.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBits = 64;
constexpr std::size_t kDegree = 16;

// Codes around a few centres, with some copies.
std::vector<std::uint8_t> clustered(std::size_t rows, std::uint64_t seed) {
  const auto centres = random_bytes(20 * 8, 1);
  std::vector<std::uint8_t> codes(rows * 8);
  Rng rng(stream(seed));
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t centre = rng.below(20);
    std::copy_n(centres.begin() + static_cast<long>(centre * 8), 8,
                codes.begin() + static_cast<long>(i * 8));
    for (std::uint32_t flips = rng.below(12); flips-- > 0;) {
      const std::uint32_t bit = rng.below(64);
      codes[i * 8 + bit / 8] = static_cast<std::uint8_t>(codes[i * 8 + bit / 8] ^ 1U << bit % 8);
    }
  }
  return codes;
}

struct Graph {
  std::vector<std::uint32_t> neighbors;
  GraphParts parts;
  std::size_t rows = 0;

  GraphView view() const {
    return {neighbors.data(),
            rows,
            kDegree,
            parts.entries.data(),
            parts.entries.size(),
            parts.copies.empty() ? nullptr : parts.copies.data()};
  }
  bool operator==(const Graph& other) const {
    return neighbors == other.neighbors && parts.entries == other.parts.entries &&
           parts.copies == other.parts.copies;
  }
};

template <class Items>
Graph built(const Items& items, std::size_t threads, const GraphKernels& kernel,
            const GraphView& old = {}, Metric metric = Metric::kEuclidean) {
  const Poll poll;
  GraphOptions options;
  options.degree = kDegree;
  options.ef = 50;
  Graph graph;
  graph.rows = items.rows;
  graph.neighbors.resize(items.rows * kDegree);
  const GraphRun run{kernel, threads, poll};
  auto* neighbors = graph.neighbors.data();
  if constexpr (std::is_same_v<Items, CodesView>) {
    graph.parts = build_graph(items, old, options, run, neighbors);
  } else {
    graph.parts = build_graph(items, metric, old, options, run, neighbors);
  }
  check_graph(graph.view());
  return graph;
}

CodesView view_of(const std::vector<std::uint8_t>& codes) {
  return {codes.data(), codes.size() / 8, kBits};
}

std::vector<std::int32_t> nearest(const CodesView& codes, const std::uint8_t* query, std::size_t k,
                                  const Filter& filter) {
  std::vector<std::int32_t> distances;
  for (std::size_t i = 0; i < codes.rows; ++i) {
    if ((filter.word(i / 64) >> (i % 64) & 1) == 0) continue;
    int distance = 0;
    for (std::size_t j = 0; j < codes.bytes(); ++j)
      distance += std::popcount(static_cast<unsigned>(query[j] ^ codes.row(i)[j]));
    distances.push_back(distance);
  }
  std::sort(distances.begin(), distances.end());
  distances.resize(k);
  return distances;
}

// The part of the k nearest that a search finds, equal distances being as good.
double recall(const Graph& graph, const CodesView& codes, const CodesView& queries,
              const Filter& filter, std::size_t threads) {
  constexpr std::size_t kNearest = 10;
  const Poll poll;
  std::vector<std::int64_t> rows(queries.rows * kNearest);
  std::vector<std::int32_t> distances(queries.rows * kNearest);
  search_graph(graph.view(), codes, queries, kNearest, 60, filter,
               {*kernels().graph, threads, poll}, rows.data(), distances.data());
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    const auto expected = nearest(codes, queries.row(q), kNearest, filter);
    std::set<std::int64_t> different;
    for (std::size_t i = q * kNearest; i < (q + 1) * kNearest; ++i) {
      const auto row = static_cast<std::size_t>(rows[i]);
      BITSENSE_CHECK((filter.word(row / 64) >> (row % 64) & 1) != 0);
      different.insert(rows[i]);
      if (distances[i] <= expected.back()) ++found;
    }
    BITSENSE_CHECK(different.size() == kNearest);
  }
  return static_cast<double>(found) / static_cast<double>(queries.rows * kNearest);
}

void threads_and_levels_change_nothing() {
  const auto codes = clustered(3000, 2);
  const Graph once = built(view_of(codes), 1, *kernels().graph);
  for (const Kernels& level : available_kernels())
    for (const std::size_t threads : {1U, 2U, 3U})
      BITSENSE_CHECK(built(view_of(codes), threads, *level.graph) == once);
}

void a_search_finds_the_nearest() {
  const auto codes = clustered(4000, 3);
  const auto queries = clustered(100, 4);
  const Graph graph = built(view_of(codes), 2, *kernels().graph);
  std::vector<std::uint64_t> some((4000 + 63) / 64);
  for (std::size_t i = 2; i < 4000; i += 7) some[i / 64] |= std::uint64_t{1} << (i % 64);
  const Filter filter(some.data(), 4000);
  for (const std::size_t threads : {1U, 3U}) {
    BITSENSE_CHECK(recall(graph, view_of(codes), view_of(queries), {}, threads) > 0.95);
    BITSENSE_CHECK(recall(graph, view_of(codes), view_of(queries), filter, threads) > 0.95);
  }
}

void an_extended_graph_finds_old_and_new() {
  const auto codes = clustered(3000, 5);
  const auto queries = clustered(100, 6);
  const CodesView first{codes.data(), 1000, kBits};
  const Graph old = built(first, 1, *kernels().graph);
  const Graph all = built(view_of(codes), 2, *kernels().graph, old.view());
  BITSENSE_CHECK(recall(all, view_of(codes), view_of(queries), {}, 1) > 0.95);
}

void records_are_built_and_searched() {
  constexpr std::size_t kDim = 21;
  const Poll poll;
  const auto vectors = random_floats(1500 * kDim, 7);
  std::vector<std::int8_t> data(1500 * record_stride(kDim));
  quantise_rows({vectors.data(), 1500, kDim}, 3, poll, data.data());
  const RecordsView records{data.data(), 1500, record_stride(kDim)};
  const Graph once = built(records, 1, *kernels().graph);
  for (const Kernels& level : available_kernels())
    BITSENSE_CHECK(built(records, 3, *level.graph) == once);
  std::vector<std::int64_t> rows(1500);
  std::vector<float> distances(1500);
  search_graph(once.view(), records, records, Metric::kEuclidean, 1, 20, {},
               {*kernels().graph, 2, poll}, rows.data(), distances.data());
  std::size_t found = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) found += rows[i] == static_cast<std::int64_t>(i);
  BITSENSE_CHECK(found > 1450);
}

// Most answers are few long rows, which no other is near to.
void products_of_unlike_rows_are_found() {
  constexpr std::size_t kDim = 16, kRows = 1500, kQueries = 100;
  auto vectors = random_floats(kRows * kDim, 3);
  for (std::size_t i = 0; i < kRows; ++i) {
    const float length = i % 50 == 0 ? 6.0F : 1.0F;
    for (std::size_t x = 0; x < kDim; ++x) vectors[i * kDim + x] *= length;
  }
  const Poll poll;
  std::vector<std::int8_t> data(kRows * record_stride(kDim));
  quantise_rows({vectors.data(), kRows, kDim}, 1, poll, data.data());
  const RecordsView records{data.data(), kRows, record_stride(kDim)};
  const auto queries = random_floats(kQueries * kDim, 4);
  std::vector<std::int8_t> asked_data(kQueries * record_stride(kDim));
  quantise_rows({queries.data(), kQueries, kDim}, 1, poll, asked_data.data());
  const RecordsView asked{asked_data.data(), kQueries, record_stride(kDim)};
  const Graph old = built(RecordsView{data.data(), 500, record_stride(kDim)}, 1, *kernels().graph,
                          {}, Metric::kInnerProduct);
  for (const GraphView& begin : {GraphView{}, old.view()}) {
    const Graph graph = built(records, 1, *kernels().graph, begin, Metric::kInnerProduct);
    for (const Kernels& level : available_kernels()) {
      BITSENSE_CHECK(built(records, 3, *level.graph, begin, Metric::kInnerProduct) == graph);
    }
    std::vector<std::int64_t> rows(kQueries), best(kQueries);
    std::vector<float> products(kQueries);
    const auto search = [&](std::size_t ef, std::int64_t* found) {
      search_graph(graph.view(), records, asked, Metric::kInnerProduct, 1, ef, {},
                   {*kernels().graph, 1, poll}, found, products.data());
    };
    search(20, rows.data());
    search(kRows, best.data());
    std::size_t found = 0;
    for (std::size_t q = 0; q < kQueries; ++q) found += rows[q] == best[q] ? 1 : 0;
    BITSENSE_CHECK(found > 95);
  }
}

void corrupt_arrays_are_refused() {
  const auto codes = clustered(200, 8);
  const Graph graph = built(view_of(codes), 1, *kernels().graph);
  Graph wrong = graph;
  wrong.neighbors[17] = 200;
  BITSENSE_CHECK(error_of<std::invalid_argument>([&] { check_graph(wrong.view()); }) ==
                 "`neighbors` must hold rows below 200, got 200");
  wrong = graph;
  wrong.parts.entries[0] = kNoRow;
  error_of<std::invalid_argument>([&] { check_graph(wrong.view()); });
  wrong = graph;
  wrong.parts.copies.assign(200, kNoRow);
  wrong.parts.copies[5] = 5;
  error_of<std::invalid_argument>([&] { check_graph(wrong.view()); });
  wrong = graph;  // harmless, if useless: every row is still found
  std::fill(wrong.neighbors.begin(), wrong.neighbors.end(), kNoRow);
  BITSENSE_CHECK(recall(wrong, view_of(codes), view_of(codes), {}, 1) > 0.0);
}

void a_poll_that_throws_stops_building_and_search() {
  const auto codes = clustered(2000, 9);
  const Poll stop = [] { require(false, "stop"); };
  std::vector<std::uint32_t> neighbors(2000 * kDegree);
  GraphOptions options;
  options.degree = kDegree;
  const GraphRun run{*kernels().graph, 2, stop};
  BITSENSE_CHECK(error_of<std::invalid_argument>([&] {
                   build_graph(view_of(codes), {}, options, run, neighbors.data());
                 }) == "stop");
}

}  // namespace

void graph_tests(Suite& test) {
  test("threads and levels change nothing", threads_and_levels_change_nothing);
  test("a search finds the nearest", a_search_finds_the_nearest);
  test("an extended graph finds old and new", an_extended_graph_finds_old_and_new);
  test("records are built and searched", records_are_built_and_searched);
  test("products of unlike rows are found", products_of_unlike_rows_are_found);
  test("corrupt arrays are refused", corrupt_arrays_are_refused);
  test("a poll that throws stops", a_poll_that_throws_stops_building_and_search);
}

}  // namespace bitsense
