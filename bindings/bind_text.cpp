// Text: tokeniser, vocabulary, corpus builder, alias table.
#include <pybind11/stl.h>

#include <memory>
#include <span>

#include "arrays.hpp"
#include "core/alias.hpp"
#include "register.hpp"
#include "text/corpus.hpp"
#include "text_from_python.hpp"

namespace text_bindings {

using bitsense::CorpusBuilder;
using bitsense::LineReader;
using bitsense::Tokenizer;
using bitsense::Vocabulary;

// Puts the name of the document before the error; `name` makes it from its number in the batch.
template <class Add, class Name>
void add_named(Add&& add, Name&& name) {
  try {
    py::gil_scoped_release release;
    add(python_poll());
  } catch (const bitsense::DocumentError& error) {
    throw std::invalid_argument(bitsense::text(name(error.document()), " ", error.what()));
  }
}

auto numbered_from(std::size_t first) {
  return [first](std::size_t i) { return bitsense::text("`documents`[", first + i, "]"); };
}

void add_texts(CorpusBuilder& builder, const py::list& documents) {
  const std::size_t first = builder.counts().documents;
  const TextBatch batch(documents, first);
  add_named([&](const bitsense::Poll& poll) { builder.add_documents(batch.views(), poll); },
            numbered_from(first));
}

void add_lines(CorpusBuilder& builder, const py::bytes& lines, const std::string& source,
               std::size_t first_line) {
  const std::string_view view(lines);
  add_named([&](const bitsense::Poll& poll) { builder.add_lines(view, poll); },
            [&](std::size_t i) { return bitsense::text(source, " line ", first_line + i); });
}

bool add_file(CorpusBuilder& builder, LineReader& reader, std::size_t bytes,
              const std::string& source, std::size_t first_line) {
  bool more = false;
  add_named([&](const bitsense::Poll& poll) { more = builder.add_file(reader, bytes, poll); },
            [&](std::size_t i) { return bitsense::text(source, " line ", first_line + i); });
  return more;
}

void add_tokens(CorpusBuilder& builder, const py::list& documents, bool cut) {
  const std::size_t first = builder.counts().documents;
  const bitsense::TokenBatch batch = token_batch(documents, first, cut);
  add_named([&](const bitsense::Poll& poll) { builder.add_tokens(batch, poll); },
            numbered_from(first));
}

py::tuple drained(CorpusBuilder& builder) {
  const std::size_t documents = builder.counts().documents;
  auto ids = make_array<std::uint32_t>({builder.ids()});
  auto offsets = make_array<std::uint64_t>({documents + 1});
  auto totals = make_array<std::uint32_t>({documents});
  auto* to_ids = ids.mutable_data();
  auto* to_offsets = offsets.mutable_data();
  auto* to_totals = totals.mutable_data();
  {
    py::gil_scoped_release release;
    builder.drain(to_ids, to_offsets, to_totals, python_poll());
  }
  return py::make_tuple(ids, offsets, totals);
}

void save_corpus(CorpusBuilder& builder, const std::string& header,
                 const std::vector<Array<std::uint8_t>>& vocabulary) {
  const std::vector<bitsense::Bytes> sections = all_bytes_of(vocabulary);
  py::gil_scoped_release release;
  builder.save(header, sections, python_poll());
}

void register_tokenizer(py::module_& m) {
  m.def("unicode_version", [] { return std::string(bitsense::Unicode::version()); });
  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(m, "Tokenizer")
      .def(py::init([](bool lowercase, bool digits, std::uint32_t min_length,
                       std::uint32_t max_length, unsigned ngrams,
                       const std::vector<std::string>& stop_words) {
             return std::make_shared<Tokenizer>(
                 bitsense::TokenizerOptions{lowercase, digits, min_length, max_length, ngrams},
                 stop_words);
           }),
           py::arg("lowercase"), py::arg("digits"), py::arg("min_length"), py::arg("max_length"),
           py::arg("ngrams"), py::arg("stop_words"))
      .def("split", &split_text, py::arg("text"));
}

void register_vocabulary(py::module_& m) {
  py::class_<Vocabulary, std::shared_ptr<Vocabulary>>(m, "Vocabulary")
      .def("__len__", &Vocabulary::size)
      .def("find",
           [](const Vocabulary& self, const py::bytes& word) -> py::object {
             const std::uint32_t id = self.find(std::string_view(word));
             return id == bitsense::kNoWord ? py::none() : py::object(py::int_(id));
           })
      .def("word",
           [](const Vocabulary& self, std::uint32_t id) {
             if (id >= self.size()) throw std::out_of_range("no such word");
             return py::str(self.word(id).data(), self.word(id).size());
           })
      .def("to_arrays",
           [](const Vocabulary& self) {
             const auto* bytes = reinterpret_cast<const std::uint8_t*>(self.bytes().data());
             return py::make_tuple(
                 Array<std::uint8_t>(static_cast<py::ssize_t>(self.bytes().size()), bytes),
                 copied(self.offsets()), copied(self.counts()));
           })
      .def_property_readonly("counts",
                             [](const py::object& self) {
                               const auto& counts = self.cast<const Vocabulary&>().counts();
                               Array<std::uint64_t> view(static_cast<py::ssize_t>(counts.size()),
                                                         counts.data(), self);
                               view.attr("flags").attr("writeable") = false;
                               return view;
                             })
      .def_static("from_arrays",
                  [](const Array<std::uint8_t>& bytes, const Array<std::uint64_t>& offsets,
                     const Array<std::uint64_t>& counts) {
                    const auto byte_span = span_of(bytes, "bytes");
                    const auto offset_span = span_of(offsets, "offsets");
                    const auto count_span = span_of(counts, "counts");
                    py::gil_scoped_release release;
                    return std::make_shared<Vocabulary>(Vocabulary::from_arrays(
                        {reinterpret_cast<const char*>(byte_span.data()), byte_span.size()},
                        offset_span, count_span, python_poll()));
                  });
}

void register_builder(py::module_& m) {
  py::class_<LineReader>(m, "LineReader")
      .def(py::init<int, std::string, std::size_t>(), py::arg("descriptor"), py::arg("path"),
           py::arg("block_bytes"));
  py::class_<CorpusBuilder>(m, "CorpusBuilder")
      .def(py::init([](const std::shared_ptr<Tokenizer>& tokenizer, std::size_t threads,
                       const std::shared_ptr<Vocabulary>& vocabulary) {
             return std::make_unique<CorpusBuilder>(tokenizer, threads, vocabulary);
           }),
           py::arg("tokenizer").none(false), py::arg("threads"), py::arg("vocabulary") = nullptr)
      .def_static(
          "in_file",
          [](const std::shared_ptr<Tokenizer>& tokenizer, std::size_t threads,
             const std::string& path, std::size_t header_bytes) {
            return std::make_unique<CorpusBuilder>(tokenizer, threads, path, header_bytes);
          },
          py::arg("tokenizer").none(false), py::arg("threads"), py::arg("path"),
          py::arg("header_bytes"))
      .def("add_texts", &add_texts)
      .def("add_lines", &add_lines)
      .def("add_file", &add_file)
      .def("add_tokens", &add_tokens)
      .def("rank",
           [](CorpusBuilder& self, std::uint64_t min_count, std::uint64_t min_count_ngrams,
              std::size_t max_vocabulary) {
             py::gil_scoped_release release;
             return std::make_shared<Vocabulary>(
                 self.rank({min_count, min_count_ngrams, max_vocabulary}, python_poll()));
           })
      .def("counts",
           [](const CorpusBuilder& self) {
             const auto& counts = self.counts();
             return py::make_tuple(counts.documents, counts.tokens, counts.types,
                                   counts.most_frequent);
           })
      .def("drain", &drained)
      .def("save", &save_corpus, py::arg("header"), py::arg("vocabulary"))
      .def("close", &CorpusBuilder::close, py::call_guard<py::gil_scoped_release>());
}

void register_alias(py::module_& m) {
  py::class_<bitsense::AliasTable>(m, "AliasTable")
      .def(py::init([](const Array<double>& weights) {
        return std::make_unique<bitsense::AliasTable>(span_of(weights, "weights"));
      }))
      .def("probability",
           [](const bitsense::AliasTable& self, std::uint32_t i) {
             if (i >= self.size()) throw std::out_of_range("no such item");
             return self.probability(i);
           })
      .def("probabilities",
           [](const bitsense::AliasTable& self) { return copied(self.probabilities()); })
      .def("sample", [](const bitsense::AliasTable& self, std::size_t n, std::uint64_t seed) {
        auto drawn = make_array<std::uint32_t>({n});
        auto* to = drawn.mutable_data();
        bitsense::Rng rng(bitsense::stream(seed));
        for (std::size_t i = 0; i < n; ++i) to[i] = self.sample(rng);
        return drawn;
      });
}

}  // namespace text_bindings

void register_text(py::module_& m) {
  using namespace text_bindings;
  register_tokenizer(m);
  register_vocabulary(m);
  register_builder(m);
  register_alias(m);
}
