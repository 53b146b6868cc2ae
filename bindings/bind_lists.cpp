// Inverted lists, and those of codes.
#include <pybind11/stl.h>

#include "answers.hpp"
#include "register.hpp"
#include "search/clusters.hpp"
#include "search/code_lists.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace {

using Bytes = Array<std::uint8_t>;
using Rows = Array<std::uint32_t>;

// What lists hold is checked once, by lists_check.
bitsense::InvertedLists lists_view(const Array<std::uint32_t>& starts,
                                   const Array<std::uint32_t>& rows, std::size_t count) {
  require_dimensions(starts, 1, "starts");
  require_dimensions(rows, 1, "rows");
  bitsense::require(static_cast<std::size_t>(starts.size()) == count + 1, "`starts` must have ",
                    count + 1, " items, got ", starts.size());
  return {count, starts.data(), rows.data()};
}

// Starts and rows of the lists of labelled rows.
py::tuple inverted_lists(const Array<std::int64_t>& labels, std::size_t count) {
  const auto each = span_of(labels, "labels");
  bitsense::require(each.size() < UINT32_MAX, "`labels` must have fewer than ", UINT32_MAX,
                    " items, got ", each.size());
  for (const std::int64_t label : each) {
    bitsense::require(label >= 0 && label < static_cast<std::int64_t>(count),
                      "`labels` must be 0 or more and below ", count, ", got ", label);
  }
  auto starts = make_array<std::uint32_t>({count + 1});
  auto rows = make_array<std::uint32_t>({each.size()});
  bitsense::fill_lists(each, count, starts.mutable_data(), rows.mutable_data());
  return py::make_tuple(starts, rows);
}

void check(const Rows& starts, const Rows& rows) {
  bitsense::require(starts.size() >= 1, "`starts` must not be empty");
  const auto lists = lists_view(starts, rows, static_cast<std::size_t>(starts.size()) - 1);
  bitsense::check_lists(lists, static_cast<std::size_t>(rows.size()));
}

Bytes cluster_codes(const Bytes& codes, std::size_t bits, std::size_t centers, std::size_t sample,
                    std::size_t iterations, std::size_t threads) {
  const auto base = codes_view(codes, bits, "codes");
  bitsense::require(centers >= 1 && centers <= base.rows, "`centers` must be 1 to ", base.rows,
                    ", got ", centers);
  auto made = make_array<std::uint8_t>({centers, base.bytes()});
  auto* out = made.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::cluster_codes(base, {centers, sample, iterations, threads, poll}, out);
  }
  return made;
}

py::tuple search(const Bytes& centers, const Rows& starts, const Rows& rows, const Bytes& codes,
                 const Bytes& queries, std::size_t bits, std::size_t k, std::size_t probes,
                 const Bitmap& bitmap, const Ranks& ranks, std::size_t threads,
                 const Level& level) {
  const auto middle = codes_view(centers, bits, "centers");
  const bitsense::ListedCodes listed{middle, lists_view(starts, rows, middle.rows),
                                     codes_view(codes, bits, "codes")};
  bitsense::require(static_cast<std::size_t>(rows.size()) == listed.codes.rows, "`rows` must have ",
                    listed.codes.rows, " items, got ", rows.size());
  const auto asked = codes_view(queries, bits, "queries");
  const auto filter = filter_of(bitmap, listed.codes.rows);
  const auto poll = bitsense::Poll(python_poll());
  const bitsense::HammingOptions options{*kernels_at(level).codes, threads, poll,
                                         ranks_of(ranks, listed.codes.rows)};
  k = std::min(k, filter.passing(listed.codes.rows));
  return answers<std::int32_t>(asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::listed_search(listed, asked, k, probes, filter, options, ids, distances);
  });
}

}  // namespace

void register_lists(py::module_& m) {
  m.def("inverted_lists", &inverted_lists, "labels"_a.noconvert(), "count"_a);
  m.def("lists_check", &check, "starts"_a.noconvert(), "rows"_a.noconvert());
  m.def("cluster_codes", &cluster_codes, "codes"_a.noconvert(), "bits"_a, "centers"_a, "sample"_a,
        "iterations"_a, "threads"_a = 1);
  m.def("lists_search", &search, "centers"_a.noconvert(), "starts"_a.noconvert(),
        "rows"_a.noconvert(), "codes"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a,
        "probes"_a, "bitmap"_a.noconvert() = py::none(), "ranks"_a.noconvert() = py::none(),
        "threads"_a = 1, "level"_a = py::none());
}
