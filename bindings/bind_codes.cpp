// Binarisers, and principal axes.
#include <pybind11/stl.h>

#include <algorithm>

#include "arrays.hpp"
#include "codes/principal.hpp"
#include "codes/projection.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace codes_bindings {

using Floats = Array<float>;

void check_projection(const bitsense::VectorsView& vectors, const Floats& mean,
                      const bitsense::VectorsView& directions) {
  require_dimensions(mean, 1, "mean");
  bitsense::require(directions.rows == vectors.dim, "`directions` must have ", vectors.dim,
                    " rows, got ", directions.rows);
  bitsense::require(static_cast<std::size_t>(mean.size()) == vectors.dim, "`mean` must have ",
                    vectors.dim, " values, got ", mean.size());
}

Floats project(const Floats& vectors, const Floats& mean, const Floats& directions,
               std::size_t threads) {
  const auto view = vectors_view(vectors, "vectors");
  const auto columns = vectors_view(directions, "directions");
  check_projection(view, mean, columns);
  auto projected = make_array<float>({view.rows, columns.dim});
  auto* data = projected.mutable_data();
  const float* centre = mean.data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::project_rows(view, centre, columns, threads, poll, data);
  }
  return projected;
}

Array<std::uint8_t> project_signs(const Floats& vectors, const Floats& mean,
                                  const Floats& directions, std::size_t threads) {
  const auto view = vectors_view(vectors, "vectors");
  const auto columns = vectors_view(directions, "directions");
  check_projection(view, mean, columns);
  auto codes = make_array<std::uint8_t>({view.rows, bitsense::code_bytes(columns.dim)});
  auto* data = codes.mutable_data();
  const float* centre = mean.data();
  const auto poll = bitsense::Poll(python_poll());
  {
    py::gil_scoped_release release;
    bitsense::project_sign_rows(view, centre, columns, threads, poll, data);
  }
  return codes;
}

py::tuple principal_axes(const Floats& rows, const Floats& others,
                         const std::vector<std::size_t>& counts, double share,
                         std::size_t threads) {
  const auto learned = vectors_view(rows, "rows");
  const auto judged = vectors_view(others, "others");
  bitsense::require(judged.dim == learned.dim, "`others` must have ", learned.dim, " columns, got ",
                    judged.dim);
  std::size_t before = 0;
  for (const std::size_t count : counts) {
    bitsense::require(count > before && count <= learned.dim, "`counts` must ascend from 1 to ",
                      learned.dim, ", got ", count);
    before = count;
  }
  auto mean = make_array<float>({learned.dim});
  float* centre = mean.mutable_data();
  const auto poll = bitsense::Poll(python_poll());
  std::vector<float> axes;
  {
    py::gil_scoped_release release;
    axes = bitsense::principal_axes(learned, judged, counts, share, threads, poll, centre);
  }
  const std::size_t kept = learned.dim == 0 ? 0 : axes.size() / learned.dim;
  auto made = make_array<float>({learned.dim, kept});
  std::copy(axes.begin(), axes.end(), made.mutable_data());
  return py::make_tuple(mean, made);
}

}  // namespace codes_bindings

void register_codes(py::module_& m) {
  using namespace codes_bindings;
  m.def("project", &project, "vectors"_a.noconvert(), "mean"_a.noconvert(),
        "directions"_a.noconvert(), "threads"_a = 1);
  m.def("project_signs", &project_signs, "vectors"_a.noconvert(), "mean"_a.noconvert(),
        "directions"_a.noconvert(), "threads"_a = 1);
  m.def("principal_axes", &principal_axes, "rows"_a.noconvert(), "others"_a.noconvert(), "counts"_a,
        "share"_a, "threads"_a = 1);
}
