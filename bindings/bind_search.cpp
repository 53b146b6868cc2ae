// Exact Hamming search and the second stage.
#include <pybind11/stl.h>

#include <bit>
#include <optional>

#include "answers.hpp"
#include "kernels/code_kernels.hpp"
#include "register.hpp"
#include "search/hamming.hpp"
#include "search/multi_index.hpp"
#include "search/pairs.hpp"
#include "search/rerank.hpp"
#include "search/substrings.hpp"
#include "search/top_k.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace search_bindings {

using Bytes = Array<std::uint8_t>;
using Rows = Array<std::uint32_t>;

// How the calls below take what all searches share.
struct Request {
  bitsense::CodesView base, asked;
  bitsense::Filter filter;
  bitsense::Poll poll;
  bitsense::HammingOptions options;

  Request(const Bytes& codes, const Bytes& queries, std::size_t bits, const Bitmap& bitmap,
          const Ranks& ranks, std::size_t threads, const Level& level)
      : base(codes_view(codes, bits, "codes")),
        asked(codes_view(queries, bits, "queries")),
        filter(filter_of(bitmap, base.rows)),
        poll(python_poll()),
        options{*kernels_at(level).codes, threads, poll, ranks_of(ranks, base.rows)} {}
  Request(const Request&) = delete;
};

py::tuple search(const Bytes& codes, const Bytes& queries, std::size_t bits, std::size_t k,
                 const Bitmap& bitmap, std::size_t threads, const Level& level,
                 const Ranks& ranks) {
  const Request request(codes, queries, bits, bitmap, ranks, threads, level);
  k = std::min(k, request.filter.passing(request.base.rows));
  return answers<std::int32_t>(request.asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::hamming_search(request.base, request.asked, k, request.filter, request.options, ids,
                             distances);
  });
}

py::tuple range_search(const Bytes& codes, const Bytes& queries, std::size_t bits,
                       std::size_t radius, const Bitmap& bitmap, std::size_t threads,
                       const Level& level, const Ranks& ranks) {
  const Request request(codes, queries, bits, bitmap, ranks, threads, level);
  return answer_lists<std::int32_t>(
      [&] {
        return bitsense::hamming_range_search(request.base, request.asked, radius, request.filter,
                                              request.options);
      },
      split_neighbor);
}

void require_substrings(std::size_t bits, std::size_t substrings) {
  const std::size_t least = (bits + bitsense::kMaxSubstringBits - 1) / bitsense::kMaxSubstringBits;
  bitsense::require(substrings >= least && substrings >= 1 && substrings <= bits,
                    "`substrings` must be ", least, " to ", bits, ", got ", substrings);
}

bitsense::MultiTables tables_view(const Rows& offsets, const Rows& rows) {
  require_dimensions(offsets, 2, "offsets");
  require_dimensions(rows, 2, "rows");
  const auto buckets = static_cast<std::size_t>(offsets.shape(1)) - 1;
  bitsense::require(std::has_single_bit(buckets), "`offsets` must have 2^n + 1 columns, got ",
                    offsets.shape(1));
  bitsense::require(offsets.shape(0) == rows.shape(0) && rows.shape(0) > 0, "`rows` must have ",
                    offsets.shape(0), " tables, got ", rows.shape(0));
  return {static_cast<std::size_t>(rows.shape(0)),
          static_cast<std::size_t>(std::bit_width(buckets)) - 1,
          static_cast<std::size_t>(rows.shape(1)), offsets.data(), rows.data()};
}

bitsense::MultiTables tables_for(const Request& request, const Rows& offsets, const Rows& rows) {
  const auto tables = tables_view(offsets, rows);
  bitsense::require(tables.items <= request.base.rows, "`rows` must have at most ",
                    request.base.rows, " columns, got ", tables.items);
  require_substrings(request.base.bits, tables.substrings);
  return tables;
}

py::tuple multi_build(const Bytes& codes, std::size_t bits, std::optional<std::size_t> substrings,
                      std::size_t threads) {
  const auto base = codes_view(codes, bits, "codes");
  const std::size_t count =
      substrings ? *substrings : bitsense::default_substrings(bits, base.rows);
  require_substrings(bits, count);
  const std::size_t bucket_bits = bitsense::bucket_bits_for(bits, count, base.rows);
  auto offsets = make_array<std::uint32_t>({count, (std::size_t{1} << bucket_bits) + 1});
  auto rows = make_array<std::uint32_t>({count, base.rows});
  auto* offsets_data = offsets.mutable_data();
  auto* rows_data = rows.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::build_multi_tables(base, count, bucket_bits, threads, poll, offsets_data, rows_data);
  }
  return py::make_tuple(offsets, rows);
}

py::tuple multi_search(const Bytes& codes, const Rows& offsets, const Rows& rows,
                       const Bytes& queries, std::size_t bits, std::size_t k, const Bitmap& bitmap,
                       std::size_t threads, const Level& level, const Ranks& ranks) {
  const Request request(codes, queries, bits, bitmap, ranks, threads, level);
  const auto tables = tables_for(request, offsets, rows);
  k = std::min(k, request.filter.passing(request.base.rows));
  return answers<std::int32_t>(request.asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::multi_search(request.base, tables, request.asked, k, request.filter, request.options,
                           ids, distances);
  });
}

py::tuple multi_range_search(const Bytes& codes, const Rows& offsets, const Rows& rows,
                             const Bytes& queries, std::size_t bits, std::size_t radius,
                             const Bitmap& bitmap, std::size_t threads, const Level& level,
                             const Ranks& ranks) {
  const Request request(codes, queries, bits, bitmap, ranks, threads, level);
  const auto tables = tables_for(request, offsets, rows);
  return answer_lists<std::int32_t>(
      [&] {
        return bitsense::multi_range_search(request.base, tables, request.asked, radius,
                                            request.filter, request.options);
      },
      split_neighbor);
}

void multi_check(const Rows& offsets, const Rows& rows) {
  const auto tables = tables_view(offsets, rows);
  py::gil_scoped_release release;
  bitsense::check_multi_tables(tables);
}

void join_pairs(bitsense::Groups& groups, const Array<std::int64_t>& first,
                const Array<std::int64_t>& second) {
  bitsense::require(first.size() == second.size(), "`second` must have ", first.size(),
                    " items, got ", second.size());
  const auto items = static_cast<std::int64_t>(groups.items());
  const auto *a = first.data(), *b = second.data();
  for (py::ssize_t i = 0; i < first.size(); ++i) {
    bitsense::require(0 <= a[i] && a[i] < items && 0 <= b[i] && b[i] < items,
                      "pairs must be of items below ", items, ", got ", a[i], " and ", b[i]);
    groups.join(static_cast<std::uint32_t>(a[i]), static_cast<std::uint32_t>(b[i]));
  }
}

Array<std::int64_t> leaders(bitsense::Groups& groups) {
  auto result = make_array<std::int64_t>({groups.items()});
  auto* out = result.mutable_data();
  for (std::size_t i = 0; i < groups.items(); ++i) {
    out[i] = groups.root_of(static_cast<std::uint32_t>(i));
  }
  return result;
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
    bitsense::hamming_distances(asked, base, {*kernels_at(level).codes, threads, poll}, data);
  }
  return result;
}

bitsense::Shortlist shortlist_view(const Array<std::int64_t>& shortlist, std::size_t queries) {
  require_dimensions(shortlist, 2, "shortlist");
  const auto rows = static_cast<std::size_t>(shortlist.shape(0));
  bitsense::require(rows == queries, "`shortlist` must have ", queries, " rows, got ", rows);
  return {shortlist.data(), rows, static_cast<std::size_t>(shortlist.shape(1))};
}

py::tuple rerank_cosine(const Array<float>& queries, const Array<float>& vectors,
                        const Array<std::int64_t>& shortlist, std::size_t k, std::size_t threads) {
  const auto asked = vectors_view(queries, "query_vectors");
  const auto items = vectors_view(vectors, "vectors");
  const auto listed = shortlist_view(shortlist, asked.rows);
  const auto poll = bitsense::Poll(python_poll());
  return answers<float>(asked.rows, k, [&](auto* ids, auto* scores) {
    bitsense::rerank_cosine(asked, items, listed, k, threads, poll, ids, scores);
  });
}

py::tuple rerank_asymmetric(const Array<float>& queries, const Bytes& codes, std::size_t bits,
                            const Array<std::int64_t>& shortlist, std::size_t k,
                            std::size_t threads) {
  const auto asked = vectors_view(queries, "query_vectors");
  const auto items = codes_view(codes, bits, "codes");
  const auto listed = shortlist_view(shortlist, asked.rows);
  const auto poll = bitsense::Poll(python_poll());
  return answers<float>(asked.rows, k, [&](auto* ids, auto* scores) {
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

}  // namespace search_bindings

void register_search(py::module_& m) {
  using namespace search_bindings;
  m.def("hamming_search", &search, "codes"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a,
        "bitmap"_a = py::none(), "threads"_a = 1, "level"_a = py::none(), "ranks"_a = py::none());
  m.def("hamming_range_search", &range_search, "codes"_a.noconvert(), "queries"_a.noconvert(),
        "bits"_a, "radius"_a, "bitmap"_a = py::none(), "threads"_a = 1, "level"_a = py::none(),
        "ranks"_a = py::none());
  m.def("multi_build", &multi_build, "codes"_a.noconvert(), "bits"_a, "substrings"_a = py::none(),
        "threads"_a = 1);
  py::class_<bitsense::Groups>(m, "Groups")
      .def(py::init<std::size_t>(), "items"_a)
      .def("join", &join_pairs, "first"_a.noconvert(), "second"_a.noconvert())
      .def("leaders", &leaders);
  m.def("multi_check", &multi_check, "offsets"_a.noconvert(), "rows"_a.noconvert());
  m.def("multi_search", &multi_search, "codes"_a.noconvert(), "offsets"_a.noconvert(),
        "rows"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "k"_a, "bitmap"_a = py::none(),
        "threads"_a = 1, "level"_a = py::none(), "ranks"_a = py::none());
  m.def("multi_range_search", &multi_range_search, "codes"_a.noconvert(), "offsets"_a.noconvert(),
        "rows"_a.noconvert(), "queries"_a.noconvert(), "bits"_a, "radius"_a,
        "bitmap"_a = py::none(), "threads"_a = 1, "level"_a = py::none(), "ranks"_a = py::none());
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
