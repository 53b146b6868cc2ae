// Attribute filters: each test of a column gives a new bitmap, which is joined with others in
// place.
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "answers.hpp"
#include "kernels/dispatch.hpp"
#include "register.hpp"
#include "search/attributes.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace filters_bindings {

using Words = Array<std::uint64_t>;
using Codes = Array<std::int32_t>;
using Table = Array<std::uint8_t>;

// A new bitmap of `rows` rows; test(run, words) fills it without the GIL.
template <class Test>
Words bitmap(std::size_t rows, std::size_t threads, const Level& level, Test&& test) {
  auto words = make_array<std::uint64_t>({(rows + 63) / 64});
  auto* data = words.mutable_data();
  const auto& kernels = *kernels_at(level).filters;
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    std::fill_n(data, (rows + 63) / 64, std::uint64_t{0});
    test(bitsense::FilterRun{kernels, threads, poll}, data);
  }
  return words;
}

template <class T>
Words ranges(const Array<T>& values, const Array<T>& lows, const Array<T>& highs,
             std::size_t threads, const Level& level) {
  const auto column = span_of(values, "values");
  const auto low = span_of(lows, "lows");
  const auto high = span_of(highs, "highs");
  bitsense::require(low.size() == high.size(), "`highs` must have ", low.size(), " items, got ",
                    high.size());
  std::vector<bitsense::Interval<T>> intervals;
  for (std::size_t i = 0; i < low.size(); ++i) intervals.push_back({low[i], high[i]});
  return bitmap(column.size(), threads, level, [&](const auto& run, auto* words) {
    bitsense::add_ranges(column, std::span<const bitsense::Interval<T>>(intervals), run, words);
  });
}

template <class T>
Words members(const Array<T>& values, const Array<T>& wanted, std::size_t threads,
              const Level& level) {
  const auto column = span_of(values, "values");
  const auto some = span_of(wanted, "wanted");
  return bitmap(column.size(), threads, level, [&](const auto& run, auto* words) {
    bitsense::add_members(column, some, run, words);
  });
}

Words lookup(const Codes& codes, const Table& table, std::size_t threads, const Level& level) {
  const auto column = span_of(codes, "codes");
  const auto entries = span_of(table, "table");
  return bitmap(column.size(), threads, level, [&](const auto& run, auto* words) {
    bitsense::add_lookup(column, entries, run, words);
  });
}

Words tagged(const Array<std::int64_t>& offsets, const Codes& codes, const Table& table,
             std::size_t least, std::size_t threads, const Level& level) {
  const bitsense::TagRows tags{span_of(offsets, "offsets"), span_of(codes, "codes")};
  const auto entries = span_of(table, "table");
  bitsense::require(!tags.offsets.empty(), "`offsets` must have at least one entry, got none");
  return bitmap(tags.offsets.size() - 1, threads, level, [&](const auto& run, auto* words) {
    bitsense::add_tagged(tags, entries, least, run, words);
  });
}

std::span<std::uint64_t> written(Words& words) {
  require_dimensions(words, 1, "words");
  return {words.mutable_data(), static_cast<std::size_t>(words.size())};
}

template <auto Join>
void join(Words& words, const Words& other) {
  const auto into = written(words);
  const auto with = span_of(other, "other");
  bitsense::require(with.size() == into.size(), "`other` must have ", into.size(), " words, got ",
                    with.size());
  py::gil_scoped_release release;
  Join(into, with.data());
}

void negate(Words& words, std::size_t rows) {
  const auto into = written(words);
  bitsense::require(into.size() == (rows + 63) / 64, "`words` must have ", (rows + 63) / 64,
                    " words, got ", into.size());
  py::gil_scoped_release release;
  bitsense::bitmap_not(into, rows);
}

std::size_t count(const Words& words) {
  const auto all = span_of(words, "words");
  py::gil_scoped_release release;
  return bitsense::bitmap_count(all);
}

template <class T>
void register_ranges(py::module_& m) {
  m.def("filter_ranges", &ranges<T>, "values"_a.noconvert(), "lows"_a.noconvert(),
        "highs"_a.noconvert(), "threads"_a = 1, "level"_a = py::none());
}

template <class T>
void register_members(py::module_& m) {
  m.def("filter_members", &members<T>, "values"_a.noconvert(), "wanted"_a.noconvert(),
        "threads"_a = 1, "level"_a = py::none());
}

}  // namespace filters_bindings

void register_filters(py::module_& m) {
  using namespace filters_bindings;
  register_ranges<std::int64_t>(m);
  register_ranges<double>(m);
  register_ranges<std::int32_t>(m);
  register_ranges<std::int8_t>(m);
  register_members<std::int64_t>(m);
  register_members<double>(m);
  m.def("filter_lookup", &lookup, "codes"_a.noconvert(), "table"_a.noconvert(), "threads"_a = 1,
        "level"_a = py::none());
  m.def("filter_tagged", &tagged, "offsets"_a.noconvert(), "codes"_a.noconvert(),
        "table"_a.noconvert(), "least"_a, "threads"_a = 1, "level"_a = py::none());
  m.def("bitmap_and", &join<bitsense::bitmap_and>, "words"_a.noconvert(), "other"_a.noconvert());
  m.def("bitmap_or", &join<bitsense::bitmap_or>, "words"_a.noconvert(), "other"_a.noconvert());
  m.def("bitmap_not", &negate, "words"_a.noconvert(), "rows"_a);
  m.def("bitmap_count", &count, "words"_a.noconvert());
}
