#include <pybind11/pybind11.h>

#include "register.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The engine of bitsense. Use the bitsense package; this module checks little.";
  m.attr("__version__") = BITSENSE_VERSION;
  register_errors(m);
  register_kernels(m);
  register_word_kernels(m);
  register_text(m);
  register_train(m);
  register_words(m);
  register_state(m);
  register_codes(m);
  register_search(m);
  register_real(m);
  register_filters(m);
  register_graph(m);
  register_lists(m);
  register_bm25(m);
  register_io(m);
  register_arrow(m);
}
