#include "register.hpp"

namespace py = pybind11;

void register_io(py::module_& /*m*/) {}
