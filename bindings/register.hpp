// One function per area; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

void register_errors(pybind11::module_& m);
void register_kernels(pybind11::module_& m);
void register_word_kernels(pybind11::module_& m);
void register_text(pybind11::module_& m);
void register_state(pybind11::module_& m);
void register_train(pybind11::module_& m);
void register_words(pybind11::module_& m);
void register_codes(pybind11::module_& m);
void register_search(pybind11::module_& m);
void register_real(pybind11::module_& m);
void register_filters(pybind11::module_& m);
void register_graph(pybind11::module_& m);
void register_bm25(pybind11::module_& m);
void register_lists(pybind11::module_& m);
void register_io(pybind11::module_& m);
void register_arrow(pybind11::module_& m);
