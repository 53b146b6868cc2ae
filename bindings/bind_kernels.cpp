// The levels of the inner loops, and the loops themselves for tests and benchmarks.
#include <pybind11/stl.h>

#include <optional>

#include "kernel_arrays.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"
#include "kernels/text_kernels.hpp"
#include "register.hpp"
#include "train/block.hpp"

namespace kernels_bindings {

using namespace bitsense;

const FloatKernels& floats(const std::string& level) { return *kernels(level).floats; }

Array<float> multiply(const std::string& level, const Array<float>& a, const Array<float>& b,
                      const std::optional<Array<float>>& start, bool rounded) {
  const auto [rows, terms] = shape_of(a, "a");
  const auto [b_rows, n] = shape_of(b, "b");
  require(b_rows == terms, "`b` must have ", terms, " rows, got ", b_rows);
  require_quanta(n, "b");
  Array<float> out = make_array<float>({rows, n});
  if (start) {
    require(shape_of(*start, "start") == std::pair(rows, n), "`start` must have the shape of a b");
    std::copy_n(start->data(), rows * n, out.mutable_data());
  }
  const auto a_rows = row_pointers<const float*>(a.data(), rows, terms);
  const auto b_pointers = row_pointers<const float*>(b.data(), terms, n);
  const auto out_rows = row_pointers<float*>(out.mutable_data(), rows, n);
  const auto& kernel = floats(level);
  const auto product = rounded ? kernel.multiply_rounded : kernel.multiply;
  product(a_rows.data(), 1, b_pointers.data(), terms, out_rows.data(), rows, n, start.has_value());
  return out;
}

Array<float> dots(const std::string& level, const Array<float>& h, const Array<float>& u) {
  const auto [rows, n] = shape_of(u, "u");
  require_dimensions(h, 1, "h");
  require(static_cast<std::size_t>(h.size()) == n, "`h` must have ", n, " items, got ", h.size());
  require_quanta(n, "u");
  Array<float> out = make_array<float>({rows});
  floats(level).dots(h.data(), row_pointers<const float*>(u.data(), rows, n).data(), rows,
                     out.mutable_data(), n);
  return out;
}

// A copy of a tile, noise rows x kTile, for a kernel that works in place.
Array<float> tile_copy(const Array<float>& tile) {
  const auto [rows, columns] = shape_of(tile, "tile");
  require(columns == kTile, "`tile` must have ", kTile, " columns, got ", columns);
  Array<float> out = make_array<float>({rows, columns});
  std::copy_n(tile.data(), rows * columns, out.mutable_data());
  return out;
}

py::tuple exp_tile(const std::string& level, const Array<float>& tile, const Array<float>& shift) {
  Array<float> out = tile_copy(tile);
  require_size(shift, static_cast<std::size_t>(out.shape(0)), "shift");
  Array<float> sums = make_array<float>({kTile});
  floats(level).exp_tile(out.mutable_data(), shift.data(), static_cast<std::size_t>(out.shape(0)),
                         sums.mutable_data());
  return py::make_tuple(out, sums);
}

py::tuple logistic_tile(const std::string& level, const Array<float>& tile,
                        const Array<float>& shift, const Array<float>& weight,
                        const Array<float>& factor) {
  Array<float> out = tile_copy(tile);
  const auto rows = static_cast<std::size_t>(out.shape(0));
  require_size(shift, rows, "shift");
  require_size(weight, rows, "weight");
  require_size(factor, kTile, "factor");
  Array<float> sums = make_array<float>({kTile});
  floats(level).logistic_tile(out.mutable_data(), shift.data(), weight.data(), factor.data(), rows,
                              sums.mutable_data());
  return py::make_tuple(out, sums);
}

using Elementwise = void (*FloatKernels::*)(const float*, float*, std::size_t);

Array<float> elementwise(const std::string& level, Elementwise kernel, const Array<float>& x) {
  const auto n = static_cast<std::size_t>(x.size());
  require_dimensions(x, 1, "x");
  require_quanta(n, "x");
  Array<float> out = make_array<float>({n});
  (floats(level).*kernel)(x.data(), out.mutable_data(), n);
  return out;
}

py::tuple adagrad(const std::string& level, const Array<float>& w, const Array<float>& squares,
                  const Array<float>& g, float rate) {
  const auto n = static_cast<std::size_t>(w.size());
  require_quanta(n, "w");
  require_size(w, n, "w");
  require_size(squares, n, "squares");
  require_size(g, n, "g");
  Array<float> new_w = make_array<float>({n});
  Array<float> new_squares = make_array<float>({n});
  std::copy_n(w.data(), n, new_w.mutable_data());
  std::copy_n(squares.data(), n, new_squares.mutable_data());
  floats(level).adagrad(new_w.mutable_data(), new_squares.mutable_data(), g.data(), rate, n);
  return py::make_tuple(new_w, new_squares);
}

Array<float> descend(const std::string& level, const Array<float>& w, const Array<float>& factors,
                     const Array<float>& rows, const std::optional<Array<float>>& start,
                     float brake, float rate) {
  const auto [terms, n] = shape_of(rows, "rows");
  require_quanta(n, "rows");
  require_size(w, n, "w");
  require_size(factors, terms, "factors");
  if (start) require_size(*start, n, "start");
  Array<float> moved = make_array<float>({n});
  std::copy_n(w.data(), n, moved.mutable_data());
  floats(level).descend(moved.mutable_data(), start ? start->data() : nullptr, factors.data(),
                        row_pointers<const float*>(rows.data(), terms, n).data(), terms, brake,
                        rate, n);
  return moved;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// GFLOP/s of independent multiply-adds in registers.
double benchmark_peak(const std::string& level, std::size_t n) {
  const FloatKernels& kernel = floats(level);
  py::gil_scoped_release release;
  const auto start = std::chrono::steady_clock::now();
  volatile float sink = kernel.peak(n);
  (void)sink;
  return 2.0 * 24.0 * static_cast<double>(kernel.width * n) / seconds_since(start) * 1e-9;
}

// GFLOP/s of the three products of a block, its scores not counted: documents hidden vectors of dim
// floats against noise rows, `rounds` times. Padding does not count as work.
double benchmark_block(const std::string& level, std::size_t documents, std::size_t noise,
                       std::size_t dim, std::size_t rounds) {
  require(documents > 0 && noise > 0 && dim > 0 && rounds > 0, "every size must be positive");
  const FloatKernels& kernel = floats(level);
  py::gil_scoped_release release;
  Matrix hidden(documents, dim);
  Matrix output(noise, dim);
  Matrix hidden_gradient(documents, dim);
  Matrix output_gradient(noise, dim);
  for (std::size_t j = 0; j < noise; ++j)
    for (std::size_t x = 0; x < dim; ++x) output.row(j)[x] = 1e-3F * static_cast<float>(x % 7);
  for (std::size_t i = 0; i < documents; ++i)
    for (std::size_t x = 0; x < dim; ++x) hidden.row(i)[x] = 1e-3F * static_cast<float>(x % 5);
  const std::size_t n = hidden.stride();
  const auto h = row_pointers<const float*>(hidden.row(0), documents, n);
  const auto u = row_pointers<const float*>(output.row(0), noise, n);
  const auto dh = row_pointers<float*>(hidden_gradient.row(0), documents, n);
  const auto du = row_pointers<float*>(output_gradient.row(0), noise, n);
  TileScratch scratch(n, noise);
  const std::size_t tiles = (documents + kTile - 1) / kTile;
  AlignedFloats logits(tiles * kTile * noise);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t count = std::min(kTile, documents - t * kTile);
      float* tile = logits.data() + t * kTile * noise;
      scratch.noise_logits(kernel, {h.data() + t * kTile, count}, u, tile);
      scratch.pull_noise(kernel, u, tile, {dh.data() + t * kTile, count});
      const auto pulls = row_pointers<const float*>(tile, noise, kTile);
      kernel.multiply(pulls.data(), 1, h.data() + t * kTile, count, du.data(), noise, n, t > 0);
    }
  const double work = 6.0 * static_cast<double>(documents * noise * dim * rounds);
  return work / seconds_since(start) * 1e-9;
}

// The runs as pairs of places, and the folded bytes. `behind` bytes may be read after the text.
py::tuple find_runs(const std::string& level, const py::bytes& text, std::size_t behind, bool lower,
                    bool digits) {
  const auto view = static_cast<std::string_view>(text);
  require(behind <= view.size() && view.size() - behind <= kTextChunk,
          "`text` must have `behind` to ", kTextChunk, " bytes more, got ", view.size());
  const std::size_t size = view.size() - behind;
  std::vector<char> folded(kFoldedBytes);
  std::vector<std::uint16_t> edges(kMaxEdges);
  const std::size_t runs = kernels(level).text->find_runs(view.data(), size, view.size(), lower,
                                                          digits, folded.data(), edges.data());
  py::list pairs;
  for (std::size_t i = 0; i < runs; ++i) {
    pairs.append(py::make_tuple(edges[2 * i], edges[2 * i + 1]));
  }
  return py::make_tuple(pairs, py::bytes(folded.data(), size));
}

}  // namespace kernels_bindings

void register_kernels(py::module_& m) {
  using namespace kernels_bindings;
  using namespace py::literals;
  m.def("level", [] { return std::string(kernels().level); });
  m.def("levels", [] {
    std::vector<std::string> names;
    for (const auto& level : available_kernels()) names.emplace_back(level.level);
    return names;
  });
  m.def("kernel_multiply", &multiply, "level"_a, "a"_a.noconvert(), "b"_a.noconvert(),
        "start"_a = py::none(), "rounded"_a = false);
  m.def("kernel_find_runs", &find_runs, "level"_a, "text"_a, "behind"_a, "lower"_a, "digits"_a);
  m.def("kernel_dots", &dots, "level"_a, "h"_a.noconvert(), "u"_a.noconvert());
  m.def("kernel_exp_tile", &exp_tile, "level"_a, "tile"_a.noconvert(), "shift"_a.noconvert());
  m.def("kernel_logistic_tile", &logistic_tile, "level"_a, "tile"_a.noconvert(),
        "shift"_a.noconvert(), "weight"_a.noconvert(), "factor"_a.noconvert());
  m.def(
      "kernel_exp",
      [](const std::string& level, const Array<float>& x) {
        return elementwise(level, &FloatKernels::exp, x);
      },
      "level"_a, "x"_a.noconvert());
  m.def(
      "kernel_logistic",
      [](const std::string& level, const Array<float>& x) {
        return elementwise(level, &FloatKernels::logistic, x);
      },
      "level"_a, "x"_a.noconvert());
  m.def("kernel_adagrad", &adagrad, "level"_a, "w"_a.noconvert(), "squares"_a.noconvert(),
        "g"_a.noconvert(), "rate"_a);
  m.def("kernel_descend", &descend, "level"_a, "w"_a.noconvert(), "factors"_a.noconvert(),
        "rows"_a.noconvert(), "start"_a = py::none(), "brake"_a = 1.0F, "rate"_a = 1.0F);
  m.def("benchmark_peak", &benchmark_peak, "level"_a, "n"_a);
  m.def("benchmark_block", &benchmark_block, "level"_a, "documents"_a, "noise"_a, "dim"_a,
        "rounds"_a);
}
