// How the errors of the engine reach Python.
#include <cerrno>

#include "core/errors.hpp"
#include "register.hpp"

namespace py = pybind11;

void register_errors(py::module_& m) {
  static py::exception<bitsense::FormatError> format_error(m, "FormatError", PyExc_ValueError);
  py::register_local_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const bitsense::FormatError& error) {
      py::set_error(format_error, error.what());
    } catch (const bitsense::FileError& error) {
      errno = error.code();
      PyErr_SetFromErrnoWithFilename(PyExc_OSError, error.path().c_str());
    }
  });
}
