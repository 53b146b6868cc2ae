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
using Radii = Array<std::uint16_t>;

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
  bitsense::fill_lists(each, apart, count, starts.mutable_data(), rows.mutable_data());
  return py::make_tuple(starts, rows);
}

// Planes, radii and spread of the rows of lists.
py::tuple lay_lists(const Bytes& codes, const Bytes& centers, const Rows& starts, const Rows& rows,
                    std::size_t bits) {
  const auto base = codes_view(codes, bits, "codes");
  const auto middle = codes_view(centers, bits, "centers");
  const auto lists = lists_view(starts, rows, middle.rows);
  const auto covered = static_cast<std::size_t>(rows.size());
  bitsense::require(covered <= base.rows, "`rows` must have at most ", base.rows, " items, got ",
                    covered);
  bitsense::check_lists(lists, covered);
  const std::size_t tiles = bitsense::listed_tiles(covered, middle.rows);
  auto planes = make_array<std::uint8_t>({tiles, base.bytes(), bitsense::kTileCodes});
  auto radii = make_array<std::uint16_t>({tiles});
  const bitsense::CodesView listed{base.row(0), covered, bits};
  bitsense::check_order(listed, middle, lists, *bitsense::kernels().codes);
  bitsense::lay_lists(listed, middle, lists, *bitsense::kernels().codes, planes.mutable_data(),
                      radii.mutable_data());
  auto spread = make_array<std::uint32_t>({bits + 1});
  bitsense::measure_spread(listed, middle, *bitsense::kernels().codes, spread.mutable_data());
  return py::make_tuple(planes, radii, spread);
}

// What lists hold has been checked, by laying them again.
bitsense::ListedCodes listed_view(const Bytes& centers, const Rows& starts, const Rows& rows,
                                  const Bytes& planes, const Radii& radii, const Rows& spread,
                                  std::size_t bits) {
  const auto middle = codes_view(centers, bits, "centers");
  const auto lists = lists_view(starts, rows, middle.rows);
  bitsense::require(lists.starts[lists.count] == static_cast<std::size_t>(rows.size()),
                    "`starts` must end with ", rows.size(), ", got ", lists.starts[lists.count]);
  const auto tiles = bitsense::listed_tiles(static_cast<std::size_t>(rows.size()), middle.rows);
  const bool right = planes.ndim() == 3 && static_cast<std::size_t>(planes.shape(0)) == tiles &&
                     static_cast<std::size_t>(planes.shape(1)) == middle.bytes() &&
                     planes.shape(2) == bitsense::kTileCodes;
  bitsense::require(right, "`planes` must have shape (", tiles, ", ", middle.bytes(), ", ",
                    bitsense::kTileCodes, ")");
  bitsense::require(radii.ndim() == 1 && static_cast<std::size_t>(radii.size()) == tiles,
                    "`radii` must have shape (", tiles, ",)");
  const bool spreads = spread.ndim() == 1 && static_cast<std::size_t>(spread.size()) == bits + 1;
  bitsense::require(spreads, "`spread` must have shape (", bits + 1, ",)");
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

  Request(const Bytes& centers, const Rows& starts, const Rows& rows, const Bytes& planes,
          const Radii& radii, const Rows& spread, const Bytes& queries, std::size_t bits,
          const Bitmap& bitmap, const Ranks& ranks, std::size_t threads, const Level& level)
      : listed(listed_view(centers, starts, rows, planes, radii, spread, bits)),
        asked(codes_view(queries, bits, "queries")),
        filter(filter_of(bitmap, listed.rows())),
        poll(python_poll()),
        options{*kernels_at(level).codes, threads, poll, ranks_of(ranks, listed.rows())} {}
  Request(const Request&) = delete;

  // How many neighbours there are of the k wanted.
  std::size_t at_most(std::size_t k) const { return std::min(k, filter.passing(listed.rows())); }
};

py::tuple search(const Bytes& centers, const Rows& starts, const Rows& rows, const Bytes& planes,
                 const Radii& radii, const Rows& spread, const Bytes& queries, std::size_t bits,
                 std::size_t k, std::optional<std::size_t> probes, const Bitmap& bitmap,
                 const Ranks& ranks, std::size_t threads, const Level& level) {
  const Request of(centers, starts, rows, planes, radii, spread, queries, bits, bitmap, ranks,
                   threads, level);
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

py::tuple range_search(const Bytes& centers, const Rows& starts, const Rows& rows,
                       const Bytes& planes, const Radii& radii, const Rows& spread,
                       const Bytes& queries, std::size_t bits, std::size_t radius,
                       const Bitmap& bitmap, const Ranks& ranks, std::size_t threads,
                       const Level& level) {
  const Request of(centers, starts, rows, planes, radii, spread, queries, bits, bitmap, ranks,
                   threads, level);
  return answer_lists<std::int32_t>(
      [&] {
        return bitsense::pruned_range_search(of.listed, of.asked, radius, of.filter, of.options);
      },
      split_neighbor);
}

double scanned_share(const Bytes& centers, const Rows& starts, const Rows& rows,
                     const Bytes& planes, const Radii& radii, const Rows& spread,
                     const Bytes& codes, std::size_t bits, std::size_t k, std::size_t threads) {
  const auto listed = listed_view(centers, starts, rows, planes, radii, spread, bits);
  const auto base = codes_view(codes, bits, "codes");
  bitsense::require(listed.rows() >= 1 && listed.rows() <= base.rows, "`rows` must have 1 to ",
                    base.rows, " items, got ", listed.rows());
  const auto poll = bitsense::Poll(python_poll());
  const bitsense::HammingOptions options{*bitsense::kernels().codes, threads, poll};
  py::gil_scoped_release release;
  return bitsense::scanned_share(listed, {base.row(0), listed.rows(), bits}, k, options);
}

}  // namespace

void register_lists(py::module_& m) {
  m.def("inverted_lists", &inverted_lists, "labels"_a.noconvert(), "distances"_a.noconvert(),
        "count"_a);
  m.def("lay_lists", &lay_lists, "codes"_a.noconvert(), "centers"_a.noconvert(),
        "starts"_a.noconvert(), "rows"_a.noconvert(), "bits"_a);
  m.def("cluster_codes", &cluster_codes, "codes"_a.noconvert(), "bits"_a, "centers"_a, "sample"_a,
        "iterations"_a, "threads"_a = 1);
  m.def("lists_search", &search, "centers"_a.noconvert(), "starts"_a.noconvert(),
        "rows"_a.noconvert(), "planes"_a.noconvert(), "radii"_a.noconvert(), "spread"_a.noconvert(),
        "queries"_a.noconvert(), "bits"_a, "k"_a, "probes"_a, "bitmap"_a.noconvert() = py::none(),
        "ranks"_a.noconvert() = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("lists_range_search", &range_search, "centers"_a.noconvert(), "starts"_a.noconvert(),
        "rows"_a.noconvert(), "planes"_a.noconvert(), "radii"_a.noconvert(), "spread"_a.noconvert(),
        "queries"_a.noconvert(), "bits"_a, "radius"_a, "bitmap"_a.noconvert() = py::none(),
        "ranks"_a.noconvert() = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("lists_scanned_share", &scanned_share, "centers"_a.noconvert(), "starts"_a.noconvert(),
        "rows"_a.noconvert(), "planes"_a.noconvert(), "radii"_a.noconvert(), "spread"_a.noconvert(),
        "codes"_a.noconvert(), "bits"_a, "k"_a, "threads"_a = 1);
}
