// What the bindings of all trainings share: the corpus as arrays, tables as arrays, the watch.
#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "arrays.hpp"
#include "kernels/dispatch.hpp"
#include "train/options.hpp"
#include "train/trainer.hpp"

inline bitsense::Documents documents_view(const Array<std::uint32_t>& ids,
                                          const Array<std::uint64_t>& offsets, std::size_t words) {
  const bitsense::Documents documents{span_of(ids, "ids"), span_of(offsets, "offsets")};
  bitsense::require(!documents.offsets.empty(), "`offsets` must have at least one entry, got none");
  bitsense::require(documents.offsets[0] == 0 && documents.offsets.back() == documents.ids.size(),
                    "`offsets` must run from 0 to the number of ids, ", documents.ids.size());
  bitsense::require(std::is_sorted(documents.offsets.begin(), documents.offsets.end()),
                    "`offsets` must ascend");
  std::uint32_t most = 0;  // without a branch, so that a mapped corpus is read as fast as it can be
  for (const std::uint32_t id : documents.ids) most = id > most ? id : most;
  bitsense::require(documents.ids.empty() || most < words,
                    "`ids` must be below the number of words, ", words, ", got ", most);
  return documents;
}

inline std::span<const std::uint64_t> counts_view(const Array<std::uint64_t>& counts) {
  return span_of(counts, "counts");
}

constexpr double kWatchEvery = 0.1;  // seconds between two calls of a watch

// A float matrix of the engine as an array that owns it, padding included.
inline Array<float> to_array(bitsense::Matrix&& matrix) {
  auto* owned = new bitsense::Matrix(std::move(matrix));
  const py::capsule owner(owned, [](void* p) { delete static_cast<bitsense::Matrix*>(p); });
  return Array<float>({owned->rows(), owned->stride()}, owned->row(0), owner);
}

inline const bitsense::Kernels& kernels_of(const std::optional<std::string>& level) {
  return level ? bitsense::kernels(*level) : bitsense::kernels();
}

// Calls a Python function with the progress, and lets Ctrl-C through, once in `every` seconds.
inline bitsense::Watch python_watch(const py::object& watch, double every) {
  return [&watch, every, last = std::chrono::steady_clock::now()](
             const bitsense::TrainProgress& progress) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (std::chrono::duration<double>(now - last).count() < every) return;
    last = now;
    py::gil_scoped_acquire hold;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!watch.is_none()) watch(progress.epoch, progress.fraction, progress.words, progress.loss);
  };
}

// Keeps what stopped a training in `error`, to be returned beside what was learned so far. Called
// without the GIL; no count of references may change outside.
inline void keep_error(py::error_already_set& raised, py::object& error) {
  py::gil_scoped_acquire hold;
  error = raised.value();
  if (const py::object trace = raised.trace()) PyException_SetTraceback(error.ptr(), trace.ptr());
}
