#include "register.hpp"

namespace py = pybind11;

void register_search(py::module_& /*m*/) {}
