#include "text_from_python.hpp"

#include <utility>

#include "core/errors.hpp"
#include "text/ngrams.hpp"

namespace {

// The UTF-8 of a string, and the object that owns it; `name()` is asked only for an error.
template <class Name>
std::pair<std::string_view, py::object> utf8(PyObject* string, const Name& name) {
  if (PyUnicode_IS_COMPACT_ASCII(string)) {
    const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(string));
    return {{static_cast<const char*>(PyUnicode_DATA(string)), size},
            py::reinterpret_borrow<py::object>(string)};
  }
  auto bytes = py::reinterpret_steal<py::bytes>(PyUnicode_AsUTF8String(string));
  if (!bytes) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw py::error_already_set();
    const py::error_already_set error;
    throw std::invalid_argument(
        bitsense::text(name(), " must be valid Unicode, got a lone surrogate at character ",
                       error.value().attr("start").cast<std::size_t>()));
  }
  const std::string_view view(bytes);
  return {view, std::move(bytes)};
}

const char* type_name(const py::handle& object) { return Py_TYPE(object.ptr())->tp_name; }

}  // namespace

TextBatch::TextBatch(const py::list& documents, std::size_t first) {
  views_.reserve(documents.size());
  owners_.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto name = [&] { return bitsense::text("`documents`[", first + i, "]"); };
    const py::object document = documents[i];
    if (!py::isinstance<py::str>(document)) {
      throw py::type_error(bitsense::text(name(), " must be a string, got ", type_name(document)));
    }
    auto [view, owner] = utf8(document.ptr(), name);
    views_.push_back(view);
    owners_.push_back(std::move(owner));
  }
}

bitsense::TokenBatch token_batch(const py::list& documents, std::size_t first, bool cut) {
  bitsense::TokenBatch batch;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto document = py::reinterpret_steal<py::object>(PySequence_Fast(
        py::object(documents[i]).ptr(), "a document of tokens must be a list or a tuple"));
    if (!document) throw py::error_already_set();
    const auto count = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(document.ptr()));
    bitsense::require(count <= bitsense::kMaxDocumentTokens, "`documents`[", first + i,
                      "] must have at most ", bitsense::kMaxDocumentTokens, " tokens, got ", count);
    for (std::size_t j = 0; j < count; ++j) {
      PyObject* token = PySequence_Fast_GET_ITEM(document.ptr(), static_cast<py::ssize_t>(j));
      const auto where = [&] {
        return bitsense::text(cut ? "`tokenizer`(`documents`[" : "`documents`[", first + i,
                              cut ? "])[" : "][", j, "]");
      };
      if (!PyUnicode_Check(token)) {
        throw py::type_error(bitsense::text(where(), " must be a string, got ", type_name(token)));
      }
      const auto [view, owner] = utf8(token, where);
      // Not by require(), which would make the name of every token.
      if (view.empty())
        throw std::invalid_argument(bitsense::text(where(), " must not be an empty string"));
      if (view.size() > bitsense::kMaxDocumentBytes)
        throw std::invalid_argument(bitsense::text(where(), " must have at most ",
                                                   bitsense::kMaxDocumentBytes, " bytes, got ",
                                                   view.size()));
      batch.bytes.append(view);
      batch.lengths.push_back(static_cast<std::uint32_t>(view.size()));
    }
    batch.document_tokens.push_back(static_cast<std::uint32_t>(count));
  }
  return batch;
}

py::list split_text(const bitsense::Tokenizer& tokenizer, const py::str& text) {
  const auto [view, owner] = utf8(text.ptr(), [] { return "`text`"; });
  bitsense::require(view.size() <= bitsense::kMaxDocumentBytes, "`text` must have at most ",
                    bitsense::kMaxDocumentBytes, " bytes, got ", view.size());
  py::list words;
  bitsense::TokenScratch scratch;
  std::string word;
  bitsense::NgramJoiner joiner(tokenizer.options().ngrams);
  const auto add = [&](const bitsense::WordKey& key, unsigned) {
    word.clear();
    key.append_to(word);
    words.append(py::str(word));
  };
  tokenizer.split(view, view.data() + view.size(), scratch,
                  [&](std::span<const bitsense::WordKey> tokens) {
                    for (const bitsense::WordKey& token : tokens) joiner.add(token, add);
                  });
  return words;
}
