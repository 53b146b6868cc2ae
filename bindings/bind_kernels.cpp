// The levels of the inner loops, and the loops themselves for tests and benchmarks.
#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"
#include "kernels/text_kernels.hpp"
#include "kernels/word_kernels.hpp"
#include "register.hpp"
#include "train/block.hpp"

using namespace bitsense;

namespace {

const FloatKernels& floats(const std::string& level) { return *kernels(level).floats; }

// Checked dimensions of a matrix whose rows are whole quanta.
std::pair<std::size_t, std::size_t> shape_of(const Array<float>& matrix, const char* name) {
  require_dimensions(matrix, 2, name);
  return {static_cast<std::size_t>(matrix.shape(0)), static_cast<std::size_t>(matrix.shape(1))};
}

void require_quanta(std::size_t n, const char* name) {
  require(n % kRowQuantum == 0, "`", name, "` must have a multiple of ", kRowQuantum,
          " columns, got ", n);
}

template <class Pointer, class T>
std::vector<Pointer> row_pointers(T* first, std::size_t rows, std::size_t columns) {
  std::vector<Pointer> pointers(rows);
  for (std::size_t i = 0; i < rows; ++i) pointers[i] = first + i * columns;
  return pointers;
}

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

void require_size(const Array<float>& array, std::size_t size, const char* name) {
  require_dimensions(array, 1, name);
  require(static_cast<std::size_t>(array.size()) == size, "`", name, "` must have ", size,
          " items, got ", array.size());
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

const WordKernels& words(const std::string& level) { return *kernels(level).words; }

Array<float> pair_dots(const std::string& level, const Array<float>& in, const Array<float>& out,
                       const std::optional<Array<float>>& own, bool halved) {
  const auto [rows, n] = shape_of(in, "in");
  const auto [columns, out_n] = shape_of(out, "out");
  require(n == out_n, "`out` must have ", n, " columns, got ", out_n);
  require(columns > 0, "`out` must have at least one row");
  require(!own || shape_of(*own, "own") == shape_of(in, "in"), "`own` must have the shape of `in`");
  require_quanta(n, "in");
  const std::size_t sums = columns + (own ? 1 : 0);
  std::vector<float> z(rows * sums + kRowQuantum);
  const auto in_rows = row_pointers<const float*>(in.data(), rows, n);
  const auto out_rows = row_pointers<const float*>(out.data(), columns, n);
  std::vector<const float*> own_rows;
  if (own) own_rows = row_pointers<const float*>(own->data(), rows, n);
  const float* const* owns = own ? own_rows.data() : nullptr;
  if (halved)
    words(level).halved_pair_dots(in_rows.data(), rows, out_rows.data(), columns, owns, z.data(),
                                  {n});
  else
    words(level).pair_dots(in_rows.data(), rows, out_rows.data(), columns, owns, z.data(), {0, n});
  Array<float> result = make_array<float>({rows, sums});
  std::copy_n(z.data(), rows * sums, result.mutable_data());
  return result;
}

// `own_of` says which rows of `out` the own rows are.
py::tuple pair_pull(const std::string& level, const Array<float>& in, const Array<float>& out,
                    std::size_t columns, const std::vector<std::size_t>& own_of,
                    const Array<float>& g, bool move_out) {
  const auto [rows, n] = shape_of(in, "in");
  const auto [out_rows, out_n] = shape_of(out, "out");
  require(n == out_n, "`out` must have ", n, " columns, got ", out_n);
  require(columns > 0 && columns <= out_rows, "`columns` must be from 1 to ", out_rows, ", got ",
          columns);
  require(own_of.size() == rows, "`own_of` must have ", rows, " values, got ", own_of.size());
  require(static_cast<std::size_t>(g.size()) == rows * (columns + 1), "`g` must have ",
          rows * (columns + 1), " values, got ", g.size());
  require_quanta(n, "in");
  Array<float> new_out = make_array<float>({out_rows, n});
  Array<float> pull = make_array<float>({rows, n});
  std::copy_n(out.data(), out_rows * n, new_out.mutable_data());
  const auto moved = row_pointers<float*>(new_out.mutable_data(), out_rows, n);
  std::vector<float*> own;
  for (const std::size_t row : own_of) {
    require(row < out_rows, "`own_of` must be below ", out_rows, ", got ", row);
    own.push_back(moved[row]);
  }
  words(level).pair_pull(row_pointers<const float*>(in.data(), rows, n).data(), rows, moved.data(),
                         columns, own.data(), g.data(),
                         row_pointers<float*>(pull.mutable_data(), rows, n).data(), {0, n},
                         move_out);
  return py::make_tuple(pull, new_out);
}

// `table`, moved: row ids[i] by weight[m] * rows[m] for all m of which[i].
Array<float> mixes(const std::string& level, const Array<float>& rows, const Array<float>& weight,
                   const std::vector<std::vector<std::uint8_t>>& which, const Array<float>& table,
                   const std::vector<std::uint32_t>& ids) {
  const auto [count, n] = shape_of(rows, "rows");
  const auto [table_rows, table_n] = shape_of(table, "table");
  require(n == table_n, "`table` must have ", n, " columns, got ", table_n);
  require(static_cast<std::size_t>(weight.size()) == count, "`weight` must have ", count,
          " values, got ", weight.size());
  require(ids.size() == which.size(), "`ids` must have ", which.size(), " values, got ",
          ids.size());
  require_quanta(n, "rows");
  std::size_t width = 0;
  std::vector<std::uint32_t> counts;
  for (const auto& some : which) {
    counts.push_back(static_cast<std::uint32_t>(some.size()));
    width = std::max(width, some.size());
  }
  std::vector<std::uint8_t> places(which.size() * width);
  for (std::size_t i = 0; i < which.size(); ++i) {
    require(ids[i] < table_rows, "`ids` must be below ", table_rows, ", got ", ids[i]);
    for (std::size_t k = 0; k < which[i].size(); ++k) {
      require(which[i][k] < count, "`which` must be below ", count, ", got ", +which[i][k]);
      places[i * width + k] = which[i][k];
    }
  }
  Array<float> moved = make_array<float>({table_rows, n});
  std::copy_n(table.data(), table_rows * n, moved.mutable_data());
  words(level).mixes({rows.data(), n}, weight.data(), places.data(), width, counts.data(),
                     which.size(), {moved.mutable_data(), n}, ids.data(), {0, n});
  return moved;
}

py::tuple sampling_gradient(const std::string& level, const Array<float>& z,
                            const Array<float>& weight, const Array<float>& label, float step,
                            bool plain) {
  for (const auto* array : {&z, &weight, &label}) {
    require_dimensions(*array, 1, "z, weight and label");
    require(array->size() == z.size(), "`weight` and `label` must have the size of `z`");
  }
  const auto size = static_cast<std::size_t>(z.size());
  require_quanta(size, "z");
  Array<float> g = make_array<float>({size});
  std::copy_n(z.data(), size, g.mutable_data());
  float loss[kLossParts];
  words(level).sampling_gradient(g.mutable_data(), weight.data(), label.data(), step, size, plain,
                                 loss);
  return py::make_tuple(g, words(level).sampling_loss(loss, 1));
}

py::tuple pair_update(const std::string& level, const Array<float>& in, const Array<float>& out,
                      const Array<float>& g, bool move_in, bool move_out) {
  const auto [rows, n] = shape_of(in, "in");
  const auto [columns, out_n] = shape_of(out, "out");
  require(n == out_n, "`out` must have ", n, " columns, got ", out_n);
  require(shape_of(g, "g") == std::pair(rows, columns), "`g` must have an item for each pair");
  require_quanta(n, "in");
  Array<float> new_in = make_array<float>({rows, n});
  Array<float> new_out = make_array<float>({columns, n});
  std::copy_n(in.data(), rows * n, new_in.mutable_data());
  std::copy_n(out.data(), columns * n, new_out.mutable_data());
  std::vector<float> copy(rows * n);
  words(level).pair_update(row_pointers<float*>(new_in.mutable_data(), rows, n).data(), rows,
                           row_pointers<float*>(new_out.mutable_data(), columns, n).data(), columns,
                           g.data(), {0, n}, move_in, move_out, copy.data());
  return py::make_tuple(new_in, new_out);
}

// The mean of some rows for each list of them.
Array<float> means(const std::string& level, const Array<float>& table,
                   const std::vector<std::vector<std::uint32_t>>& ids) {
  const auto [rows, n] = shape_of(table, "table");
  require_quanta(n, "table");
  std::vector<std::uint32_t> all;
  std::vector<std::uint32_t> begins = {0};
  for (const auto& some : ids) {
    require(!some.empty(), "`ids` must be lists of at least one row");
    for (const std::uint32_t id : some) {
      require(id < rows, "`ids` must be below ", rows, ", got ", id);
      all.push_back(id);
    }
    begins.push_back(static_cast<std::uint32_t>(all.size()));
  }
  Array<float> made = make_array<float>({ids.size(), n});
  words(level).means({table.data(), n}, all.data(), begins.data(), ids.size(),
                     {made.mutable_data(), n}, {0, n});
  return made;
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

}  // namespace

void register_kernels(py::module_& m) {
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
  m.def("kernel_pair_dots", &pair_dots, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "own"_a.noconvert() = py::none(), "halved"_a = false);
  m.def("kernel_sampling_gradient", &sampling_gradient, "level"_a, "z"_a.noconvert(),
        "weight"_a.noconvert(), "label"_a.noconvert(), "step"_a, "plain"_a = false);
  m.def("kernel_pair_update", &pair_update, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "g"_a.noconvert(), "move_in"_a = true, "move_out"_a = true);
  m.def("kernel_pair_pull", &pair_pull, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "columns"_a, "own_of"_a, "g"_a.noconvert(), "move_out"_a = true);
  m.def("kernel_mixes", &mixes, "level"_a, "rows"_a.noconvert(), "weight"_a.noconvert(), "which"_a,
        "table"_a.noconvert(), "ids"_a);
  m.def("kernel_means", &means, "level"_a, "table"_a.noconvert(), "ids"_a);
}
