// Exact Hamming search and the second stage.
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "kernels/code_kernels.hpp"
#include "kernels/dispatch.hpp"
#include "register.hpp"
#include "search/hamming.hpp"
#include "search/rerank.hpp"
#include "search/top_k.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using Bytes = Array<std::uint8_t>;
using Level = std::optional<std::string>;
using Mask = std::optional<Array<bool>>;

const bitsense::CodeKernels& code_kernels(const Level& level) {
  return *(level ? bitsense::kernels(*level) : bitsense::kernels()).codes;
}

bitsense::Filter filter_of(const Mask& mask, std::size_t items) {
  if (!mask) return {};
  require_dimensions(*mask, 1, "mask");
  const auto length = static_cast<std::size_t>(mask->shape(0));
  bitsense::require(length == items, "`mask` must have ", items, " items, got ", length);
  return {mask->data(), items};
}

py::tuple search(const Bytes& codes, const Bytes& queries, std::size_t bits, std::size_t k,
                 const Mask& mask, std::size_t threads, const Level& level) {
  const auto base = codes_view(codes, bits, "codes");
  const auto asked = codes_view(queries, bits, "queries");
  const auto filter = filter_of(mask, base.rows);
  k = std::min(k, filter.passing(base.rows));
  auto ids = make_array<std::int64_t>({asked.rows, k});
  auto distances = make_array<std::int32_t>({asked.rows, k});
  auto* ids_data = ids.mutable_data();
  auto* distances_data = distances.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::hamming_search(base, asked, k, filter, {code_kernels(level), threads, poll}, ids_data,
                             distances_data);
  }
  return py::make_tuple(ids, distances);
}

py::tuple range_search(const Bytes& codes, const Bytes& queries, std::size_t bits,
                       std::size_t radius, const Mask& mask, std::size_t threads,
                       const Level& level) {
  const auto base = codes_view(codes, bits, "codes");
  const auto asked = codes_view(queries, bits, "queries");
  const auto filter = filter_of(mask, base.rows);
  const auto poll = bitsense::Poll(python_poll());
  bitsense::RangeAnswer answer;
  {
    py::gil_scoped_release release;
    answer = bitsense::hamming_range_search(base, asked, radius, filter,
                                            {code_kernels(level), threads, poll});
  }
  auto offsets = make_array<std::int64_t>({asked.rows + 1});
  auto* offset = offsets.mutable_data();
  offset[0] = 0;
  for (std::size_t q = 0; q < asked.rows; ++q) {
    offset[q + 1] = offset[q] + static_cast<std::int64_t>(answer.neighbors[q].size());
  }
  const auto total = static_cast<std::size_t>(offset[asked.rows]);
  auto ids = make_array<std::int64_t>({total});
  auto distances = make_array<std::int32_t>({total});
  auto* id = ids.mutable_data();
  auto* distance = distances.mutable_data();
  for (const auto& neighbors : answer.neighbors) {
    for (const bitsense::Neighbor x : neighbors) {
      *id++ = static_cast<std::int64_t>(bitsense::neighbor_id(x));
      *distance++ = static_cast<std::int32_t>(bitsense::neighbor_distance(x));
    }
  }
  return py::make_tuple(offsets, ids, distances);
}

Array<std::uint16_t> distances(const Bytes& queries, const Bytes& codes, std::size_t bits,
                               std::size_t threads, const Level& level) {
  const auto asked = codes_view(queries, bits, "queries");
  const auto base = codes_view(codes, bits, "codes");
  auto result = make_array<std::uint16_t>({asked.rows, base.rows});
  auto* data = result.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::hamming_distances(asked, base, {code_kernels(level), threads, poll}, data);
  }
  return result;
}

bitsense::Shortlist shortlist_view(const Array<std::int64_t>& shortlist, std::size_t queries) {
  require_dimensions(shortlist, 2, "shortlist");
  const auto rows = static_cast<std::size_t>(shortlist.shape(0));
  bitsense::require(rows == queries, "`shortlist` must have ", queries, " rows, got ", rows);
  return {shortlist.data(), rows, static_cast<std::size_t>(shortlist.shape(1))};
}

// Allocates the answers of a second stage, runs it without the GIL and returns them.
template <class Run>
py::tuple ranked(std::size_t queries, std::size_t k, Run&& run) {
  auto ids = make_array<std::int64_t>({queries, k});
  auto scores = make_array<float>({queries, k});
  auto* ids_data = ids.mutable_data();
  auto* scores_data = scores.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    run(poll, ids_data, scores_data);
  }
  return py::make_tuple(ids, scores);
}

py::tuple rerank_cosine(const Array<float>& queries, const Array<float>& vectors,
                        const Array<std::int64_t>& shortlist, std::size_t k, std::size_t threads) {
  const auto asked = vectors_view(queries, "query_vectors");
  const auto items = vectors_view(vectors, "vectors");
  const auto listed = shortlist_view(shortlist, asked.rows);
  return ranked(asked.rows, k, [&](const bitsense::Poll& poll, auto* ids, auto* scores) {
    bitsense::rerank_cosine(asked, items, listed, k, threads, poll, ids, scores);
  });
}

py::tuple rerank_asymmetric(const Array<float>& queries, const Bytes& codes, std::size_t bits,
                            const Array<std::int64_t>& shortlist, std::size_t k,
                            std::size_t threads) {
  const auto asked = vectors_view(queries, "query_vectors");
  const auto items = codes_view(codes, bits, "codes");
  const auto listed = shortlist_view(shortlist, asked.rows);
  return ranked(asked.rows, k, [&](const bitsense::Poll& poll, auto* ids, auto* scores) {
    bitsense::rerank_asymmetric(asked, items, listed, k, threads, poll, ids, scores);
  });
}

Array<float> asymmetric_scores(const Array<float>& queries, const Bytes& codes, std::size_t bits,
                               std::size_t threads) {
  const auto asked = vectors_view(queries, "query_vectors");
  const auto items = codes_view(codes, bits, "codes");
  auto scores = make_array<float>({asked.rows, items.rows});
  auto* data = scores.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::asymmetric_scores(asked, items, threads, poll, data);
  }
  return scores;
}

// The exclusive or of the 64-bit words of an array: what it costs to read it.
std::uint64_t read_words(const Bytes& data) {
  const auto words = static_cast<std::size_t>(data.size()) / 8;
  py::gil_scoped_release release;
  return bitsense::kernels().codes->read(data.data(), words);
}

}  // namespace

void register_search(py::module_& m) {
  m.def("hamming_search", &search, "codes"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a,
        "mask"_a = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("hamming_range_search", &range_search, "codes"_a.noconvert(), "queries"_a.noconvert(),
        "bits"_a, "radius"_a, "mask"_a = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("hamming_distances", &distances, "queries"_a.noconvert(), "codes"_a.noconvert(), "bits"_a,
        "threads"_a = 1, "level"_a = py::none());
  m.def("rerank_cosine", &rerank_cosine, "query_vectors"_a.noconvert(), "vectors"_a.noconvert(),
        "shortlist"_a.noconvert(), "k"_a, "threads"_a = 1);
  m.def("rerank_asymmetric", &rerank_asymmetric, "query_vectors"_a.noconvert(),
        "codes"_a.noconvert(), "bits"_a, "shortlist"_a.noconvert(), "k"_a, "threads"_a = 1);
  m.def("asymmetric_scores", &asymmetric_scores, "query_vectors"_a.noconvert(),
        "codes"_a.noconvert(), "bits"_a, "threads"_a = 1);
  m.def("read_words", &read_words, "data"_a.noconvert());
}
