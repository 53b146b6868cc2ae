#include "register.hpp"

namespace py = pybind11;

void register_train(py::module_& /*m*/) {}
