// Where a training is, and what is trained, as Python sees both.
#include <pybind11/stl.h>

#include "register.hpp"
#include "state.hpp"

namespace state_bindings {

using namespace bitsense;

using Shared = std::shared_ptr<StateOfTraining>;

// An array of floats that the state owns and that keeps it alive.
Array<float> view(const Shared& state, float* data, std::vector<py::ssize_t> shape) {
  auto* held = new Shared(state);
  ++state->views;
  const py::capsule owner(held, [](void* p) {
    auto* held_state = static_cast<Shared*>(p);
    --(*held_state)->views;
    delete held_state;
  });
  return Array<float>(std::move(shape), data, owner);
}

Array<float> view(const Shared& state, Matrix& table) {
  return view(state, table.row(0),
              {static_cast<py::ssize_t>(table.rows()), static_cast<py::ssize_t>(table.stride())});
}

py::tuple views(const Shared& state, Parameters& of) {
  return py::make_tuple(view(state, of.hidden), view(state, of.output),
                        view(state, of.bias.data(), {static_cast<py::ssize_t>(of.bias.size())}),
                        view(state, of.context), view(state, of.projection));
}

Shared new_state(const std::string& model, std::size_t documents,
                 const Array<std::uint64_t>& counts, const Shape& shape, const InitOptions& init,
                 const TrainOptions& options) {
  const auto words = counts_view(counts);
  py::gil_scoped_release release;
  return make_state(model, documents, words, shape, init, options);
}

}  // namespace state_bindings

void register_state(py::module_& m) {
  using namespace state_bindings;
  using namespace py::literals;
  py::class_<Position>(m, "Position")
      .def(py::init<>())
      .def_readwrite("blocks", &Position::blocks)
      .def_readwrite("words", &Position::words)
      .def_readwrite("epoch", &Position::epoch)
      .def_readwrite("before", &Position::before)
      .def_readwrite("losses", &Position::losses)
      .def_readwrite("targets", &Position::targets)
      .def("arrange_tables", [](const Position& position) {
        if (position.arrange_tables) position.arrange_tables();
      });
  py::class_<StateOfTraining, Shared>(m, "TrainState")
      .def(py::init(&new_state), "model"_a, "documents"_a, "counts"_a.noconvert(), "shape"_a,
           "init"_a, "options"_a)
      .def("tables", [](const Shared& self) { return views(self, self->parameters); })
      .def("squares", [](const Shared& self) { return views(self, self->state.squares); })
      .def_readwrite("idf", &StateOfTraining::idf)
      .def_readonly("position", &StateOfTraining::position);
}
