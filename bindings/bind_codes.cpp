#include "register.hpp"

namespace py = pybind11;

void register_codes(py::module_& /*m*/) {}
