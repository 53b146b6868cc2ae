// Inverted lists, and those of codes.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "answers.hpp"
#include "register.hpp"
#include "search/clusters.hpp"
#include "search/code_lists.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lists_bindings {

using Bytes = Array<std::uint8_t>;
using Rows = Array<std::uint32_t>;

// Centers, starts, rows, planes, radii and spread. What they hold is checked once, by laying them.
using ListArrays = std::tuple<Bytes, Rows, Rows, Bytes, Array<std::uint16_t>, Rows>;

bitsense::InvertedLists lists_view(const Rows& starts, const Rows& rows, std::size_t count) {
  const auto begins = span_of(starts, "starts");
  const auto listed = span_of(rows, "rows");
  bitsense::require(begins.size() == count + 1, "`starts` must have ", count + 1, " items, got ",
                    begins.size());
  return {count, begins.data(), listed.data()};
}

// Starts and rows of the lists of labelled rows.
py::tuple inverted_lists(const Array<std::int64_t>& labels, const Array<std::int32_t>& distances,
                         std::size_t count) {
  const auto each = span_of(labels, "labels");
  const auto apart = span_of(distances, "distances");
  bitsense::require(each.size() < UINT32_MAX, "`labels` must have fewer than ", UINT32_MAX,
                    " items, got ", each.size());
  bitsense::require(apart.size() == each.size(), "`distances` must have ", each.size(),
                    " items, got ", apart.size());
  for (const std::int64_t label : each) {
    bitsense::require(label >= 0 && label < static_cast<std::int64_t>(count),
                      "`labels` must be 0 or more and below ", count, ", got ", label);
  }
  auto starts = make_array<std::uint32_t>({count + 1});
  auto rows = make_array<std::uint32_t>({each.size()});
  auto *begins = starts.mutable_data(), *listed = rows.mutable_data();
  {
    py::gil_scoped_release release;
    bitsense::fill_lists(each, apart, count, begins, listed);
  }
  return py::make_tuple(starts, rows);
}

// Planes, radii and spread of the rows of lists.
py::tuple lay_lists(const Bytes& codes, const Bytes& centers, const Rows& starts, const Rows& rows,
                    std::size_t bits, std::size_t threads) {
  const auto base = codes_view(codes, bits, "codes");
  const auto middle = codes_view(centers, bits, "centers");
  const auto lists = lists_view(starts, rows, middle.rows);
  const auto covered = static_cast<std::size_t>(rows.size());
  bitsense::require(covered <= base.rows, "`rows` must have at most ", base.rows, " items, got ",
                    covered);
  const std::size_t tiles = bitsense::listed_tiles(covered, middle.rows);
  auto planes = make_array<std::uint8_t>({tiles, base.bytes(), bitsense::kTileCodes});
  auto radii = make_array<std::uint16_t>({tiles});
  auto spread = make_array<std::uint32_t>({bits + 1});
  auto* laid = planes.mutable_data();
  auto* reach = radii.mutable_data();
  auto* counts = spread.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::check_lists(lists, covered);
    const bitsense::CodesView listed{base.row(0), covered, bits};
    const bitsense::HammingOptions options{*bitsense::kernels().codes, threads, poll};
    bitsense::lay_lists(listed, middle, lists, options, laid, reach);
    bitsense::measure_spread(listed, middle, options.kernels, counts);
  }
  return py::make_tuple(planes, radii, spread);
}

bitsense::ListedCodes listed_view(const ListArrays& arrays, std::size_t bits) {
  const auto& [centers, starts, rows, planes, radii, spread] = arrays;
  const auto middle = codes_view(centers, bits, "centers");
  const auto lists = lists_view(starts, rows, middle.rows);
  const auto places = static_cast<std::size_t>(rows.size());
  bitsense::require(lists.starts[lists.count] == places, "`starts` must end with ", places,
                    ", got ", lists.starts[lists.count]);
  require_dimensions(planes, 3, "planes");
  const auto tiles = static_cast<py::ssize_t>(bitsense::listed_tiles(places, middle.rows));
  const bool fits = planes.shape(0) == tiles && planes.shape(2) == bitsense::kTileCodes &&
                    static_cast<std::size_t>(planes.shape(1)) == middle.bytes() &&
                    span_of(radii, "radii").size() == static_cast<std::size_t>(tiles);
  bitsense::require(fits, "`planes` must be ", tiles, " x ", middle.bytes(), " x ",
                    bitsense::kTileCodes, " and `radii` ", tiles, ", got ", planes.shape(0), " x ",
                    planes.shape(1), " x ", planes.shape(2), " and ", radii.size());
  bitsense::require(span_of(spread, "spread").size() == bits + 1, "`spread` must have ", bits + 1,
                    " items, got ", spread.size());
  return {middle, lists, planes.data(), radii.data(), spread.data()};
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

// What searches of lists have in common: the arrays of Python as views.
struct Request {
  bitsense::ListedCodes listed;
  bitsense::CodesView asked;
  bitsense::Filter filter;
  bitsense::Poll poll;
  bitsense::HammingOptions options;

  Request(const ListArrays& lists, const Bytes& queries, std::size_t bits, const Bitmap& bitmap,
          const Ranks& ranks, std::size_t threads, const Level& level)
      : listed(listed_view(lists, bits)),
        asked(codes_view(queries, bits, "queries")),
        filter(filter_of(bitmap, listed.rows())),
        poll(python_poll()),
        options{*kernels_at(level).codes, threads, poll, ranks_of(ranks, listed.rows())} {}
  Request(const Request&) = delete;

  // How many neighbours there are of the k wanted.
  std::size_t at_most(std::size_t k) const { return std::min(k, filter.passing(listed.rows())); }
};

py::tuple search(const ListArrays& lists, const Bytes& queries, std::size_t bits, std::size_t k,
                 std::optional<std::size_t> probes, const Bitmap& bitmap, const Ranks& ranks,
                 std::size_t threads, const Level& level) {
  const Request of(lists, queries, bits, bitmap, ranks, threads, level);
  k = of.at_most(k);
  return answers<std::int32_t>(of.asked.rows, k, [&](auto* ids, auto* distances) {
    if (probes) {
      bitsense::listed_search(of.listed, of.asked, k, *probes, of.filter, of.options, ids,
                              distances);
    } else {
      bitsense::pruned_search(of.listed, of.asked, k, of.filter, of.options, ids, distances);
    }
  });
}

py::tuple range_search(const ListArrays& lists, const Bytes& queries, std::size_t bits,
                       std::size_t radius, const Bitmap& bitmap, const Ranks& ranks,
                       std::size_t threads, const Level& level) {
  const Request of(lists, queries, bits, bitmap, ranks, threads, level);
  return answer_lists<std::int32_t>(
      [&] {
        return bitsense::pruned_range_search(of.listed, of.asked, radius, of.filter, of.options);
      },
      split_neighbor);
}

double scanned_share(const ListArrays& lists, const Bytes& codes, std::size_t bits, std::size_t k,
                     std::size_t threads) {
  const auto listed = listed_view(lists, bits);
  const auto base = codes_view(codes, bits, "codes");
  bitsense::require(listed.rows() >= 1 && listed.rows() <= base.rows, "`rows` must have 1 to ",
                    base.rows, " items, got ", listed.rows());
  const auto poll = bitsense::Poll(python_poll());
  const bitsense::HammingOptions options{*bitsense::kernels().codes, threads, poll};
  py::gil_scoped_release release;
  return bitsense::scanned_share(listed, {base.row(0), listed.rows(), bits}, k, options);
}

}  // namespace lists_bindings

void register_lists(py::module_& m) {
  using namespace lists_bindings;
  m.def("inverted_lists", &inverted_lists, "labels"_a.noconvert(), "distances"_a.noconvert(),
        "count"_a);
  m.def("lay_lists", &lay_lists, "codes"_a.noconvert(), "centers"_a.noconvert(),
        "starts"_a.noconvert(), "rows"_a.noconvert(), "bits"_a, "threads"_a = 1);
  m.def("cluster_codes", &cluster_codes, "codes"_a.noconvert(), "bits"_a, "centers"_a, "sample"_a,
        "iterations"_a, "threads"_a = 1);
  m.def("lists_search", &search, "lists"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a,
        "probes"_a, "bitmap"_a.noconvert() = py::none(), "ranks"_a.noconvert() = py::none(),
        "threads"_a = 1, "level"_a = py::none());
  m.def("lists_range_search", &range_search, "lists"_a.noconvert(), "queries"_a.noconvert(),
        "bits"_a, "radius"_a, "bitmap"_a.noconvert() = py::none(),
        "ranks"_a.noconvert() = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("lists_scanned_share", &scanned_share, "lists"_a.noconvert(), "codes"_a.noconvert(),
        "bits"_a, "k"_a, "threads"_a = 1);
}
