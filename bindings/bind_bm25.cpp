// BM25: an inverted index that documents are added to and searched in.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "answers.hpp"
#include "register.hpp"
#include "search/bm25.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace bm25_bindings {

using bitsense::Bm25;
using Ids = Array<std::uint32_t>;
using Sizes = Array<std::uint64_t>;

template <class T>
std::vector<T> vector_of(const Array<T>& array, const char* name) {
  const auto span = span_of(array, name);
  return {span.begin(), span.end()};
}

bitsense::TermLists term_lists(const Ids& ids, const Sizes& offsets) {
  const bitsense::TermLists lists{span_of(ids, "ids"), span_of(offsets, "offsets")};
  bitsense::require(!lists.offsets.empty() && lists.offsets.front() == 0 &&
                        std::is_sorted(lists.offsets.begin(), lists.offsets.end()) &&
                        lists.offsets.back() == lists.ids.size(),
                    "`offsets` must rise from 0 to the number of ids, ", lists.ids.size());
  for (const std::uint32_t id : lists.ids)
    bitsense::require(id < UINT32_MAX, "`ids` must be below 2^32 - 1, got ", id);
  return lists;
}

std::unique_ptr<Bm25> from_arrays(double k1, double b, const Sizes& offsets, const Ids& rows,
                                  const Ids& counts, const Ids& lengths) {
  bitsense::Postings postings{vector_of(offsets, "offsets"), vector_of(rows, "rows"),
                              vector_of(counts, "counts")};
  auto tokens = vector_of(lengths, "lengths");
  py::gil_scoped_release release;
  return std::make_unique<Bm25>(bitsense::Bm25Options{k1, b}, std::move(postings),
                                std::move(tokens));
}

// A copy with more documents: whoever searches the old one is not disturbed.
std::unique_ptr<Bm25> added(const Bm25& self, const Ids& ids, const Sizes& offsets,
                            const Ids& lengths) {
  const auto documents = term_lists(ids, offsets);
  const auto tokens = span_of(lengths, "lengths");
  py::gil_scoped_release release;
  auto larger = std::make_unique<Bm25>(self);
  larger->add(documents, tokens);
  return larger;
}

py::tuple search(const Bm25& self, const Ids& ids, const Sizes& offsets, std::size_t k,
                 const Bitmap& bitmap, std::size_t threads) {
  const auto queries = term_lists(ids, offsets);
  const bitsense::Filter filter = filter_of(bitmap, self.documents());
  k = std::min(k, filter.passing(self.documents()));
  const auto poll = bitsense::Poll(python_poll());
  return answers<float>(queries.size(), k, [&](auto* rows, auto* scores) {
    self.search(queries, k, filter, threads, poll, rows, scores);
  });
}

py::tuple to_arrays(const Bm25& self) {
  const auto postings = [&] {
    py::gil_scoped_release release;
    return self.postings();
  }();
  return py::make_tuple(copied(postings.offsets), copied(postings.rows), copied(postings.counts),
                        copied(self.lengths()));
}

}  // namespace bm25_bindings

void register_bm25(py::module_& m) {
  using namespace bm25_bindings;
  py::class_<Bm25>(m, "Bm25")
      .def(py::init([](double k1, double b) {
             return std::make_unique<Bm25>(bitsense::Bm25Options{k1, b});
           }),
           "k1"_a, "b"_a)
      .def_static("from_arrays", &from_arrays, "k1"_a, "b"_a, "offsets"_a.noconvert(),
                  "rows"_a.noconvert(), "counts"_a.noconvert(), "lengths"_a.noconvert())
      .def("added", &added, "ids"_a.noconvert(), "offsets"_a.noconvert(), "lengths"_a.noconvert())
      .def("search", &search, "ids"_a.noconvert(), "offsets"_a.noconvert(), "k"_a,
           "bitmap"_a = py::none(), "threads"_a = 1)
      .def("to_arrays", &to_arrays)
      .def("__len__", &Bm25::documents);
}
