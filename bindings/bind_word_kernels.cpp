// The inner loops of word models, for tests.
#include <pybind11/stl.h>

#include <optional>

#include "kernel_arrays.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/word_kernels.hpp"
#include "register.hpp"

using namespace bitsense;

namespace {

const WordKernels& words(const std::string& level) { return *kernels(level).words; }

Array<float> pair_dots(const std::string& level, const Array<float>& in, const Array<float>& out,
                       const std::optional<Array<float>>& own, bool half) {
  const auto [rows, n] = shape_of(in, "in");
  const auto [columns, out_n] = shape_of(out, "out");
  require(n == out_n, "`out` must have ", n, " columns, got ", out_n);
  require(columns > 0, "`out` must have at least one row");
  require(!own || shape_of(*own, "own") == shape_of(in, "in"), "`own` must have the shape of `in`");
  const std::size_t step = half ? kHalfLanes : kColumnStep;
  require(n % step == 0, "`in` must have a multiple of ", step, " columns, got ", n);
  const std::size_t sums = columns + (own ? 1 : 0);
  Array<float> z = make_array<float>({rows, sums});
  const auto in_rows = row_pointers<const float*>(in.data(), rows, n);
  const auto out_rows = row_pointers<const float*>(out.data(), columns, n);
  std::vector<const float*> own_rows;
  if (own) own_rows = row_pointers<const float*>(own->data(), rows, n);
  const float* const* owns = own ? own_rows.data() : nullptr;
  (half ? words(level).half_pair_dots : words(level).pair_dots)(
      in_rows.data(), rows, out_rows.data(), columns, owns, z.mutable_data(), n);
  return z;
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
                         row_pointers<float*>(pull.mutable_data(), rows, n).data(), nullptr, {0, n},
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
                            bool small) {
  for (const auto* array : {&z, &weight, &label}) {
    require_dimensions(*array, 1, "z, weight and label");
    require(array->size() == z.size(), "`weight` and `label` must have the size of `z`");
  }
  const auto size = static_cast<std::size_t>(z.size());
  require_quanta(size, "z");
  Array<float> g = make_array<float>({size});
  std::copy_n(z.data(), size, g.mutable_data());
  float loss[kLossParts];
  words(level).sampling_gradient(g.mutable_data(), weight.data(), label.data(), step, size, small,
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
                     {made.mutable_data(), n}, nullptr, {0, n});
  return made;
}

}  // namespace

void register_word_kernels(py::module_& m) {
  using namespace py::literals;
  m.def("kernel_pair_dots", &pair_dots, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "own"_a.noconvert() = py::none(), "half"_a = false);
  m.def("kernel_sampling_gradient", &sampling_gradient, "level"_a, "z"_a.noconvert(),
        "weight"_a.noconvert(), "label"_a.noconvert(), "step"_a, "small"_a = false);
  m.def("kernel_pair_update", &pair_update, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "g"_a.noconvert(), "move_in"_a = true, "move_out"_a = true);
  m.def("kernel_pair_pull", &pair_pull, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "columns"_a, "own_of"_a, "g"_a.noconvert(), "move_out"_a = true);
  m.def("kernel_mixes", &mixes, "level"_a, "rows"_a.noconvert(), "weight"_a.noconvert(), "which"_a,
        "table"_a.noconvert(), "ids"_a);
  m.def("kernel_means", &means, "level"_a, "table"_a.noconvert(), "ids"_a);
}
