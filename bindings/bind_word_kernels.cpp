// The inner loops of word models, for tests.
#include <pybind11/stl.h>

#include <optional>
#include <tuple>

#include "kernel_arrays.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/word_kernels.hpp"
#include "register.hpp"

namespace word_kernels_bindings {

using namespace bitsense;

const WordKernels& words(const std::string& level) { return *kernels(level).words; }

void require_ids(const std::vector<std::uint32_t>& ids, std::size_t rows) {
  for (const std::uint32_t id : ids) require(id < rows, "`ids` must be below ", rows, ", got ", id);
}

// The first token, that behind the last, the centre, and what each token counts.
using Window = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, float>;

// Windows as kernels take them.
class WindowArrays {
 public:
  WindowArrays(const std::vector<Window>& windows, std::size_t tokens) : count_(windows.size()) {
    for (const auto& [first, last, at, share] : windows) {
      require(first < last && last <= tokens, "`windows` must begin before they end, within 0 to ",
              tokens, ", got ", first, " to ", last);
      require(at >= first && (at > first || last > first + 1),
              "`windows` must hold a token besides their centre, got ", first, " to ", last,
              " around ", at);
      first_.push_back(first);
      last_.push_back(last);
      at_.push_back(at);
      share_.push_back(share);
    }
    for (auto* array : {&first_, &last_, &at_}) array->resize(count_ + kRowQuantum);
    share_.resize(count_ + kRowQuantum);
  }
  Windows windows() const {
    return {first_.data(), last_.data(), at_.data(), share_.data(), count_};
  }

 private:
  std::size_t count_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> last_;
  std::vector<std::uint32_t> at_;
  std::vector<float> share_;
};

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
  std::copy_n(in.data(), rows * n, pull.mutable_data());
  std::vector<float> copy(2 * rows * n);
  words(level).pair_pull({pull.mutable_data(), n}, rows, moved.data(), columns, own.data(),
                         g.data(), nullptr, {0, n}, move_out, copy.data());
  return py::make_tuple(pull, new_out);
}

// The row of a mean for each window: of `table`, those whose ids stand at its tokens.
Array<float> means(const std::string& level, const Array<float>& table,
                   const std::vector<std::uint32_t>& ids, const std::vector<Window>& windows) {
  const auto [rows, n] = shape_of(table, "table");
  require_quanta(n, "table");
  require_ids(ids, rows);
  const WindowArrays arrays(windows, ids.size());
  Array<float> made = make_array<float>({windows.size(), n});
  words(level).means({table.data(), n}, ids.data(), arrays.windows(), {made.mutable_data(), n},
                     nullptr, {0, n});
  return made;
}

// `table`, moved: for each token from `begin` on, the row with its id by the rows of its windows.
Array<float> mixes(const std::string& level, const Array<float>& rows,
                   const std::vector<Window>& windows, std::size_t reach, const Array<float>& table,
                   const std::vector<std::uint32_t>& ids, std::size_t begin) {
  const auto [count, n] = shape_of(rows, "rows");
  const auto [table_rows, table_n] = shape_of(table, "table");
  require(n == table_n, "`table` must have ", n, " columns, got ", table_n);
  require(windows.size() == count, "`windows` must have ", count, " items, got ", windows.size());
  require_quanta(n, "rows");
  require_ids(ids, table_rows);
  require(begin <= ids.size(), "`begin` must be at most ", ids.size(), ", got ", begin);
  const WindowArrays arrays(windows, ids.size());
  Array<float> moved = make_array<float>({table_rows, n});
  std::copy_n(table.data(), table_rows * n, moved.mutable_data());
  words(level).mixes({rows.data(), n}, arrays.windows(), reach, {moved.mutable_data(), n},
                     ids.data() + begin, begin, ids.size(), {0, n});
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

}  // namespace word_kernels_bindings

void register_word_kernels(py::module_& m) {
  using namespace word_kernels_bindings;
  using namespace py::literals;
  m.def("kernel_pair_dots", &pair_dots, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "own"_a.noconvert() = py::none(), "half"_a = false);
  m.def("kernel_sampling_gradient", &sampling_gradient, "level"_a, "z"_a.noconvert(),
        "weight"_a.noconvert(), "label"_a.noconvert(), "step"_a, "small"_a = false);
  m.def("kernel_pair_update", &pair_update, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "g"_a.noconvert(), "move_in"_a = true, "move_out"_a = true);
  m.def("kernel_pair_pull", &pair_pull, "level"_a, "in_"_a.noconvert(), "out"_a.noconvert(),
        "columns"_a, "own_of"_a, "g"_a.noconvert(), "move_out"_a = true);
  m.def("kernel_means", &means, "level"_a, "table"_a.noconvert(), "ids"_a, "windows"_a);
  m.def("kernel_mixes", &mixes, "level"_a, "rows"_a.noconvert(), "windows"_a, "reach"_a,
        "table"_a.noconvert(), "ids"_a, "begin"_a);
}
