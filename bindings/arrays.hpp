// Checked views of NumPy arrays: the only place that looks inside one. The Python layer coerces and
// words the errors for people; these checks keep memory safe.
#pragma once

#include <pybind11/numpy.h>

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "core/codes.hpp"
#include "core/errors.hpp"
#include "core/matrix.hpp"
#include "core/parallel.hpp"
#include "core/vectors.hpp"
#include "io/checksum.hpp"

namespace py = pybind11;

// A C-contiguous array of T that is passed as it is, never converted.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
Array<T> make_array(std::initializer_list<std::size_t> shape) {
  return Array<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

// An array of its own with these values.
template <class T>
Array<T> copied(const std::vector<T>& values) {
  return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

template <class T>
void require_dimensions(const Array<T>& array, py::ssize_t dimensions, const char* name) {
  bitsense::require(array.ndim() == dimensions, "`", name, "` must have ", dimensions,
                    " dimensions, got ", array.ndim());
}

inline bitsense::CodesView codes_view(const Array<std::uint8_t>& codes, std::size_t bits,
                                      const char* name) {
  require_dimensions(codes, 2, name);
  const auto bytes = static_cast<std::size_t>(codes.shape(1));
  bitsense::require(bytes == bitsense::code_bytes(bits), "`", name, "` must have ",
                    bitsense::code_bytes(bits), " bytes per row for ", bits, " bits, got ", bytes);
  return {codes.data(), static_cast<std::size_t>(codes.shape(0)), bits};
}

inline bitsense::VectorsView vectors_view(const Array<float>& vectors, const char* name) {
  require_dimensions(vectors, 2, name);
  return {vectors.data(), static_cast<std::size_t>(vectors.shape(0)),
          static_cast<std::size_t>(vectors.shape(1))};
}

template <class T>
std::span<const T> span_of(const Array<T>& array, const char* name) {
  require_dimensions(array, 1, name);
  return {array.data(), static_cast<std::size_t>(array.size())};
}

inline std::vector<bitsense::Bytes> all_bytes_of(const std::vector<Array<std::uint8_t>>& arrays) {
  std::vector<bitsense::Bytes> bytes;
  for (const auto& array : arrays) {
    bytes.emplace_back(array.data(), static_cast<std::size_t>(array.size()));
  }
  return bytes;
}

// Lets Ctrl-C through: called on the calling thread of a long call that has released the GIL.
// It takes the GIL at most twenty times a second.
inline bitsense::Poll python_poll() {
  using Clock = std::chrono::steady_clock;
  return [last = Clock::now()]() mutable {
    const auto now = Clock::now();
    if (now - last < std::chrono::milliseconds(50)) return;
    last = now;
    py::gil_scoped_acquire hold;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  };
}
