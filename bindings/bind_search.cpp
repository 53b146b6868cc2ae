// Exact Hamming search and the second stage.
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "kernels/code_kernels.hpp"
#include "kernels/dispatch.hpp"
#include "register.hpp"
#include "search/hamming.hpp"
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
  m.def("read_words", &read_words, "data"_a.noconvert());
}
