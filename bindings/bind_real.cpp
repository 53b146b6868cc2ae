// Exact and quantised search of real vectors.
#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <optional>
#include <tuple>

#include "answers.hpp"
#include "register.hpp"
#include "search/quantized.hpp"
#include "search/real.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace real_bindings {

using Floats = Array<float>;

bitsense::Storage storage_of(const py::array& data) {
  const char kind = data.dtype().kind();
  const auto size = data.dtype().itemsize();
  if (kind == 'f' && size == 4) return bitsense::Storage::kFloat;
  if (kind == 'f' && size == 2) return bitsense::Storage::kHalf;
  bitsense::require(kind == 'i' && size == 1, "`data` must be float32, float16 or int8, got kind ",
                    kind, " of ", size, " bytes");
  return bitsense::Storage::kByte;
}

const float* per_row(const std::optional<Floats>& values, std::size_t rows, const char* name) {
  bitsense::require(values.has_value(), "`", name, "` must be given");
  require_dimensions(*values, 1, name);
  const auto length = static_cast<std::size_t>(values->shape(0));
  bitsense::require(length == rows, "`", name, "` must have ", rows, " items, got ", length);
  return values->data();
}

// `squares` may be absent only where they are about to be computed.
bitsense::StoredVectors stored_view(const py::array& data, std::size_t dim,
                                    const std::optional<Floats>& scales,
                                    const std::optional<Floats>& squares) {
  bitsense::require(data.ndim() == 2, "`data` must have 2 dimensions, got ", data.ndim());
  bitsense::require((data.flags() & py::array::c_style) != 0, "`data` must be C-contiguous");
  const auto rows = static_cast<std::size_t>(data.shape(0));
  const auto stride = static_cast<std::size_t>(data.shape(1));
  bitsense::require(stride % bitsense::kRowQuantum == 0 && dim <= stride && dim >= 1,
                    "`data` must have ", bitsense::padded(dim), " columns or more, got ", stride);
  bitsense::require(rows < UINT32_MAX, "`data` must have fewer than ", UINT32_MAX, " rows, got ",
                    rows);
  const auto storage = storage_of(data);
  const float* scale =
      storage == bitsense::Storage::kByte ? per_row(scales, rows, "scales") : nullptr;
  const float* square = squares ? per_row(squares, rows, "squares") : nullptr;
  return {data.data(), storage, rows, dim, stride, scale, square};
}

// mean, axes, bytes, terms, and how many rows they cover; None where there are none.
using SketchArrays =
    std::optional<std::tuple<Floats, Floats, Array<std::uint8_t>, Floats, std::size_t>>;

bitsense::SketchAxes axes_of(const Floats& mean, const Floats& axes, std::size_t dim) {
  require_dimensions(mean, 1, "mean");
  const auto view = vectors_view(axes, "axes");
  bitsense::require(static_cast<std::size_t>(mean.size()) == dim && view.rows == dim,
                    "`mean` and `axes` must have ", dim, " rows, got ", mean.size(), " and ",
                    view.rows);
  bitsense::require(
      view.dim >= 1 && view.dim % bitsense::kQuad == 0 && view.dim <= bitsense::kMostSketchAxes,
      "`axes` must have a multiple of ", bitsense::kQuad, " columns, at most ",
      bitsense::kMostSketchAxes, ", got ", view.dim);
  return {mean.data(), view};
}

bitsense::RowSketches sketches_view(const bitsense::SketchAxes& axes,
                                    const Array<std::uint8_t>& bytes, const Floats& terms,
                                    std::size_t covered) {
  require_dimensions(bytes, 2, "bytes");
  require_dimensions(terms, 3, "terms");
  const std::size_t tiles = (covered + bitsense::kPanelRows - 1) / bitsense::kPanelRows;
  const auto columns = static_cast<py::ssize_t>(axes.kept() * bitsense::kPanelRows);
  const bool fits = static_cast<std::size_t>(bytes.shape(0)) == tiles &&
                    bytes.shape(1) == columns && terms.shape(0) == bytes.shape(0) &&
                    terms.shape(1) == bitsense::kSketchTerms &&
                    terms.shape(2) == bitsense::kPanelRows;
  bitsense::require(fits, "`bytes` must be ", tiles, " x ", columns, " and `terms` ", tiles, " x ",
                    static_cast<std::size_t>(bitsense::kSketchTerms), " x 64");
  return {axes, covered, bytes.data(), terms.data()};
}

std::optional<bitsense::RowSketches> sketches_of(const SketchArrays& arrays,
                                                 const bitsense::StoredVectors& rows) {
  if (!arrays) return std::nullopt;
  const auto& [mean, axes, bytes, terms, covered] = *arrays;
  bitsense::require(covered <= rows.rows, "sketches must be of at most ", rows.rows, " rows, got ",
                    covered);
  return sketches_view(axes_of(mean, axes, rows.dim), bytes, terms, covered);
}

void sketch_rows(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                 const Floats& squares, bitsense::RealMetric metric, const Floats& mean,
                 const Floats& axes, std::size_t first, Array<std::uint8_t>& bytes, Floats& terms,
                 std::size_t threads) {
  const auto rows = stored_view(data, dim, scales, squares);
  const auto along = axes_of(mean, axes, dim);
  sketches_view(along, bytes, terms, rows.rows);
  auto* out = bytes.mutable_data();
  auto* numbers = terms.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  py::gil_scoped_release release;
  bitsense::sketch_rows(rows, metric, along, first, threads, poll, out, numbers);
}

struct Request {
  bitsense::StoredVectors rows;
  bitsense::VectorsView asked;
  bitsense::Filter filter;
  bitsense::Poll poll;
  std::optional<bitsense::RowSketches> sketches;
  bitsense::RealOptions options;

  Request(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
          const Floats& squares, const Floats& queries, bitsense::RealMetric metric,
          const Bitmap& bitmap, const Ranks& ranks, std::size_t threads, const Level& level,
          const SketchArrays& sketch_arrays = std::nullopt)
      : rows(stored_view(data, dim, scales, squares)),
        asked(vectors_view(queries, "queries")),
        filter(filter_of(bitmap, rows.rows)),
        poll(python_poll()),
        sketches(sketches_of(sketch_arrays, rows)),
        options{kernels_at(level),
                metric,
                threads,
                poll,
                ranks_of(ranks, rows.rows),
                sketches ? &*sketches : nullptr} {
    bitsense::require(asked.dim == dim, "`queries` must have ", dim, " columns, got ", asked.dim);
  }
  Request(const Request&) = delete;
};

Floats squared_lengths(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                       std::size_t threads) {
  const auto rows = stored_view(data, dim, scales, std::nullopt);
  auto squares = make_array<float>({rows.rows});
  auto* out = squares.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::squared_lengths(rows, threads, poll, out);
  }
  return squares;
}

py::tuple search(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                 const Floats& squares, const Floats& queries, bitsense::RealMetric metric,
                 std::size_t k, const Bitmap& bitmap, const Ranks& ranks, std::size_t threads,
                 const Level& level, const SketchArrays& sketches) {
  const Request request(data, dim, scales, squares, queries, metric, bitmap, ranks, threads, level,
                        sketches);
  k = std::min(k, request.filter.passing(request.rows.rows));
  return answers<float>(request.asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::real_search(request.rows, request.asked, k, request.filter, request.options, ids,
                          distances);
  });
}

py::tuple range_search(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                       const Floats& squares, const Floats& queries, bitsense::RealMetric metric,
                       float radius, const Bitmap& bitmap, const Ranks& ranks, std::size_t threads,
                       const Level& level, const SketchArrays& sketches) {
  const Request request(data, dim, scales, squares, queries, metric, bitmap, ranks, threads, level,
                        sketches);
  return answer_lists<float>(
      [&] {
        return bitsense::real_range_search(request.rows, request.asked, radius, request.filter,
                                           request.options);
      },
      [](const bitsense::RealNeighbor& x) {
        return std::pair<std::int64_t, float>(x.id, x.distance);
      });
}

py::tuple rerank(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                 const Floats& squares, const Floats& queries, bitsense::RealMetric metric,
                 const Array<std::int64_t>& listed, std::size_t k, const Ranks& ranks,
                 std::size_t threads, const Level& level) {
  const Request request(data, dim, scales, squares, queries, metric, std::nullopt, ranks, threads,
                        level);
  require_dimensions(listed, 2, "listed");
  bitsense::require(static_cast<std::size_t>(listed.shape(0)) == request.asked.rows,
                    "`listed` must have ", request.asked.rows, " rows, got ", listed.shape(0));
  const std::int64_t* list = listed.data();
  for (py::ssize_t i = 0; i < listed.size(); ++i) {
    bitsense::require(list[i] < static_cast<std::int64_t>(request.rows.rows),
                      "`listed` must hold rows below ", request.rows.rows, ", got ", list[i]);
  }
  const auto size = static_cast<std::size_t>(listed.shape(1));
  return answers<float>(request.asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::real_rerank(request.rows, request.asked, list, size, k, request.options, ids,
                          distances);
  });
}

bitsense::PartShape shape_of(std::size_t dim, const Floats& centroids) {
  require_dimensions(centroids, 3, "centroids");
  const bitsense::PartShape shape{dim, static_cast<std::size_t>(centroids.shape(2))};
  bitsense::require(shape.width >= 1 &&
                        static_cast<std::size_t>(centroids.size()) == shape.centroids() &&
                        centroids.shape(1) == bitsense::kCentroids,
                    "`centroids` must be parts x 16 x width for ", dim, " dimensions");
  return shape;
}

Floats train_centroids(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                       const Floats& squares, bitsense::RealMetric metric, std::size_t width,
                       std::size_t sample, std::size_t iterations, std::size_t threads) {
  const auto rows = stored_view(data, dim, scales, squares);
  bitsense::require(width >= 1 && width <= dim, "`width` must be 1 to ", dim, ", got ", width);
  const bitsense::PartShape shape{dim, width};
  auto centroids = make_array<float>({shape.parts(), bitsense::kCentroids, width});
  auto* out = centroids.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::train_centroids(rows, metric, shape, sample, iterations, threads, poll, out);
  }
  return centroids;
}

void require_planes(const Array<std::uint8_t>& planes, std::size_t rows, std::size_t bytes) {
  require_dimensions(planes, 3, "planes");
  const std::size_t tiles = (rows + bitsense::kPanelRows - 1) / bitsense::kPanelRows;
  const auto there = static_cast<std::size_t>(planes.shape(0));
  const bool fits = there >= tiles && static_cast<std::size_t>(planes.shape(1)) == bytes &&
                    planes.shape(2) == bitsense::kPanelRows;
  bitsense::require(fits, "`planes` must be ", tiles, " x ", bytes, " x 64, got ", planes.shape(0),
                    " x ", planes.shape(1), " x ", planes.shape(2));
}

void encode_rows(const py::array& data, std::size_t dim, const std::optional<Floats>& scales,
                 const Floats& squares, bitsense::RealMetric metric, const Floats& centroids,
                 std::size_t first, Array<std::uint8_t>& planes, std::size_t threads) {
  const auto rows = stored_view(data, dim, scales, squares);
  const auto shape = shape_of(dim, centroids);
  require_planes(planes, rows.rows, shape.bytes());
  auto* out = planes.mutable_data();
  const auto* points = centroids.data();
  const auto poll = bitsense::Poll(python_poll());
  py::gil_scoped_release release;
  bitsense::encode_rows(rows, metric, shape, points, first, threads, poll, out);
}

py::tuple quantized_search(const py::array& data, std::size_t dim,
                           const std::optional<Floats>& scales, const Floats& squares,
                           const Floats& centroids, const Array<std::uint8_t>& planes,
                           const Floats& queries, bitsense::RealMetric metric, std::size_t k,
                           std::size_t shortlist, const Bitmap& bitmap, const Ranks& ranks,
                           std::size_t threads, const Level& level) {
  const Request request(data, dim, scales, squares, queries, metric, bitmap, ranks, threads, level);
  const auto shape = shape_of(dim, centroids);
  require_planes(planes, request.rows.rows, shape.bytes());
  const bitsense::QuantizedRows codes{shape, centroids.data(), planes.data()};
  k = std::min(k, request.filter.passing(request.rows.rows));
  return answers<float>(request.asked.rows, k, [&](auto* ids, auto* distances) {
    bitsense::quantized_search(request.rows, codes, request.asked, k, std::max(shortlist, k),
                               request.filter, request.options, ids, distances);
  });
}

}  // namespace real_bindings

void register_real(py::module_& m) {
  using namespace real_bindings;
  py::native_enum<bitsense::RealMetric>(m, "Metric", "enum.Enum")
      .value("cosine", bitsense::RealMetric::kCosine)
      .value("ip", bitsense::RealMetric::kInner)
      .value("l2", bitsense::RealMetric::kSquared)
      .finalize();
  m.def("squared_lengths", &squared_lengths, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "threads"_a = 1);
  m.def("real_search", &search, "data"_a, "dim"_a, "scales"_a.noconvert(), "squares"_a.noconvert(),
        "queries"_a.noconvert(), "metric"_a, "k"_a, "bitmap"_a.noconvert() = py::none(),
        "ranks"_a.noconvert() = py::none(), "threads"_a = 1, "level"_a = py::none(),
        "sketches"_a.noconvert() = py::none());
  m.def("real_range_search", &range_search, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "squares"_a.noconvert(), "queries"_a.noconvert(), "metric"_a, "radius"_a,
        "bitmap"_a.noconvert() = py::none(), "ranks"_a.noconvert() = py::none(), "threads"_a = 1,
        "level"_a = py::none(), "sketches"_a.noconvert() = py::none());
  m.def("sketch_rows", &sketch_rows, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "squares"_a.noconvert(), "metric"_a, "mean"_a.noconvert(), "axes"_a.noconvert(), "first"_a,
        "bytes"_a.noconvert(), "terms"_a.noconvert(), "threads"_a = 1);
  m.def("real_rerank", &rerank, "data"_a, "dim"_a, "scales"_a.noconvert(), "squares"_a.noconvert(),
        "queries"_a.noconvert(), "metric"_a, "listed"_a.noconvert(), "k"_a,
        "ranks"_a.noconvert() = py::none(), "threads"_a = 1, "level"_a = py::none());
  m.def("train_centroids", &train_centroids, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "squares"_a.noconvert(), "metric"_a, "width"_a, "sample"_a = 20000, "iterations"_a = 12,
        "threads"_a = 1);
  m.def("encode_rows", &encode_rows, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "squares"_a.noconvert(), "metric"_a, "centroids"_a.noconvert(), "first"_a,
        "planes"_a.noconvert(), "threads"_a = 1);
  m.def("quantized_search", &quantized_search, "data"_a, "dim"_a, "scales"_a.noconvert(),
        "squares"_a.noconvert(), "centroids"_a.noconvert(), "planes"_a.noconvert(),
        "queries"_a.noconvert(), "metric"_a, "k"_a, "shortlist"_a,
        "bitmap"_a.noconvert() = py::none(), "ranks"_a.noconvert() = py::none(), "threads"_a = 1,
        "level"_a = py::none());
}
