// Python strings as UTF-8 for the engine. An ASCII string is used where it lies; another is encoded
// for the time of one batch, because PyUnicode_AsUTF8 would leave a second copy in the caller's
// string for as long as that lives.
#pragma once

#include <pybind11/pybind11.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus.hpp"

namespace py = pybind11;

// Views of a list of strings; the list must outlive it. Lone surrogates give a ValueError that
// names `documents`[first + i].
class TextBatch {
 public:
  TextBatch(const py::list& documents, std::size_t first);
  std::span<const std::string_view> views() const noexcept { return views_; }

 private:
  std::vector<std::string_view> views_;
  std::vector<py::object> owners_;  // of the views: a caller may change its list meanwhile
};

// Copies lists or tuples of strings: documents, or with `cut` what a callable made of them.
// TypeError or ValueError names document and token.
bitsense::TokenBatch token_batch(const py::list& documents, std::size_t first, bool cut);

// The words of a text that the tokeniser keeps, with their n-grams, as the corpus holds them.
py::list split_text(const bitsense::Tokenizer& tokenizer, const py::str& text);
