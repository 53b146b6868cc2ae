#include "register.hpp"

namespace py = pybind11;

void register_text(py::module_& /*m*/) {}
