// The levels of the inner loops, and the loops themselves for tests and benchmarks.
#include <pybind11/stl.h>

#include "kernels/dispatch.hpp"
#include "register.hpp"

namespace py = pybind11;

void register_kernels(py::module_& m) {
  m.def("level", [] { return std::string(bitsense::kernels().level); });
  m.def("levels", [] {
    std::vector<std::string> names;
    for (const auto& level : bitsense::available_kernels()) names.emplace_back(level.level);
    return names;
  });
}
