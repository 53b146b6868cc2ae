// The corpus builder with several threads, vocabularies from untrusted arrays, bad UTF-8.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "check.hpp"
#include "io/reader.hpp"
#include "text/corpus.hpp"

namespace bitsense {

namespace {

std::shared_ptr<const Tokenizer> tokenizer(unsigned ngrams = 1) {
  TokenizerOptions options;
  options.ngrams = ngrams;
  return std::make_shared<Tokenizer>(options, std::vector<std::string>{"The"});
}

// Words of a steep distribution, some beyond ASCII.
std::vector<std::string> documents(std::size_t count) {
  const std::string endings[] = {"", "\xc3\x89", "\xe6\xb0\xb4", "-x", "X"};
  Rng rng(stream(5));
  std::vector<std::string> all(count);
  for (std::string& document : all)
    for (std::uint32_t left = rng.below(80); left > 0; --left)
      document += text("Word", rng.below(rng.below(300) + 1), endings[rng.below(5)], " the ");
  return all;
}

struct Built {
  std::vector<std::string> words;
  std::vector<std::uint64_t> counts;
  std::vector<std::uint32_t> ids;
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> totals;
  bool operator==(const Built&) const = default;
};

Built drained(CorpusBuilder& builder, std::size_t documents) {
  const Vocabulary vocabulary = builder.rank({2, 3, 500});
  Built result;
  for (std::uint32_t id = 0; id < vocabulary.size(); ++id)
    result.words.emplace_back(vocabulary.word(id));
  result.counts = vocabulary.counts();
  result.ids.resize(builder.ids());
  result.offsets.resize(documents + 1);
  result.totals.resize(documents);
  builder.drain(result.ids.data(), result.offsets.data(), result.totals.data());
  return result;
}

Built built(const std::vector<std::string>& texts, std::size_t threads, std::size_t batch,
            const Poll& poll = {}) {
  CorpusBuilder builder(tokenizer(2), threads);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (std::size_t i = 0; i < views.size(); i += batch)
    builder.add_documents(std::span(views).subspan(i, std::min(batch, views.size() - i)), poll);
  return drained(builder, texts.size());
}

void threads_and_batches_change_nothing() {
  const auto texts = documents(3000);
  const Built one = built(texts, 1, 10'000);
  BITSENSE_CHECK(one.words.size() == 500 && one.offsets.back() == one.ids.size());
  for (const std::uint32_t id : one.ids) BITSENSE_CHECK(id < 500);
  BITSENSE_CHECK(std::find(one.words.begin(), one.words.end(), "the") == one.words.end());
  for (const std::size_t threads : {2U, 5U})
    for (const std::size_t batch : {701U, 10'000U})
      BITSENSE_CHECK(built(texts, threads, batch) == one);
}

// A file that is removed when it is closed, at its beginning.
class OpenFile {
 public:
  explicit OpenFile(const std::string& bytes) : file_(std::tmpfile()) {
    BITSENSE_CHECK(file_ && std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size());
    std::fflush(file_);
    BITSENSE_CHECK(::lseek(descriptor(), 0, SEEK_SET) == 0);
  }
  ~OpenFile() { std::fclose(file_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return ::fileno(file_); }

 private:
  std::FILE* file_;
};

// Gives a builder a file of the documents, a line each.
void add_file(CorpusBuilder& builder, const std::vector<std::string>& texts, std::size_t block) {
  std::string lines;
  for (const std::string& document : texts) lines += document + "\n";
  const OpenFile file(lines);
  LineReader reader(file.descriptor(), "a file", block);
  while (builder.add_file(reader, 20'000)) {
  }
}

template <class Number>
std::vector<Number> numbers_of(Bytes bytes) {
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

// What a builder writes into the file of a corpus.
Built saved(const std::vector<std::string>& texts, std::size_t threads, std::size_t block) {
  const std::string path = "test_text.bitsense";
  const std::string header(1000, 'h');
  CorpusBuilder builder(tokenizer(2), threads, path, header.size());
  add_file(builder, texts, block);
  const Vocabulary vocabulary = builder.rank({2, 3, 500});
  Built result;
  for (std::uint32_t id = 0; id < vocabulary.size(); ++id)
    result.words.emplace_back(vocabulary.word(id));
  const std::vector<std::uint8_t> more = random_bytes(100, 1);
  const std::vector<Bytes> vocabulary_sections = {more, {}, more};
  error_of<std::invalid_argument>([&] { builder.drain(nullptr, nullptr, nullptr); });
  error_of<std::invalid_argument>([&] { builder.save(header, {}); });
  builder.save(std::string_view(header).substr(threads * 100), vocabulary_sections);
  error_of<std::invalid_argument>([&] { builder.save(header, vocabulary_sections); });
  const FileImage image = FileImage::map(path);
  std::remove(path.c_str());
  const FileParts parts = parse_file(image.bytes(), Check::kAll, 1, {});
  BITSENSE_CHECK(parts.header.size() == header.size() - threads * 100);
  BITSENSE_CHECK(parts.sections.size() == 6 && parts.sections[4].bytes.empty());
  BITSENSE_CHECK(numbers_of<std::uint8_t>(parts.sections[5].bytes) == more);
  result.counts = vocabulary.counts();
  result.ids = numbers_of<std::uint32_t>(parts.sections[0].bytes);
  result.offsets = numbers_of<std::uint64_t>(parts.sections[1].bytes);
  result.totals = numbers_of<std::uint32_t>(parts.sections[2].bytes);
  return result;
}

void files_give_the_same_in_memory_and_on_the_disk() {
  const auto texts = documents(500);
  const Built one = built(texts, 1, 10'000);
  for (const std::size_t threads : {1, 3}) {
    for (const std::size_t block : {7, 1000, 100'000}) {
      CorpusBuilder builder(tokenizer(2), threads);
      add_file(builder, texts, block);
      BITSENSE_CHECK(drained(builder, texts.size()) == one);
      BITSENSE_CHECK(saved(texts, threads, block) == one);
    }
  }
}

void bad_utf8_names_the_first_bad_document() {
  auto texts = documents(2000);
  texts[1500] = "fine \xff";
  texts[900] = "\xed\xa0\x80 surrogate";
  for (const std::size_t threads : {1U, 4U}) {
    std::size_t document = 0;
    try {
      built(texts, threads, 10'000);
    } catch (const DocumentError& error) {
      document = error.document();
    }
    BITSENSE_CHECK(document == 900);
  }
}

void a_poll_that_throws_stops_the_builder() {
  const auto texts = documents(2000);
  const std::string what = error_of<std::invalid_argument>(
      [&] { built(texts, 3, 10'000, [] { require(false, "stop"); }); });
  BITSENSE_CHECK(what == "stop");
}

void any_bytes_are_cut_or_refused() {
  const auto cutter = tokenizer();
  TokenScratch scratch;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    auto bytes = random_bytes(seed % 40, seed);
    if (seed % 2 == 0)
      for (std::uint8_t& byte : bytes) byte = byte % 4 == 0 ? byte : byte % 128;
    // Of its own size on the heap, so that a read beyond the end is seen.
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    try {
      cutter->split({exact.get(), bytes.size()}, exact.get() + bytes.size(), scratch,
                    [](std::span<const WordKey> keys) {
                      for (const WordKey& key : keys) {
                        std::string word;
                        key.append_to(word);
                        BITSENSE_CHECK(!word.empty());
                      }
                    });
    } catch (const Utf8Error&) {
      continue;
    }
  }
}

void bad_arrays_make_no_vocabulary() {
  const std::vector<std::uint64_t> counts = {2, 1};
  auto make = [&](std::string_view bytes, std::vector<std::uint64_t> offsets) {
    return Vocabulary::from_arrays(bytes, offsets, counts).size();
  };
  BITSENSE_CHECK(make("redwine", {0, 3, 7}) == 2);
  error_of<FormatError>([&] { make("redwine", {0, 3}); });
  error_of<FormatError>([&] { make("redwine", {0, 8, 7}); });
  error_of<FormatError>([&] { make("redwine", {0, 3, UINT64_MAX}); });
  error_of<FormatError>([&] { make("redred", {0, 3, 6}); });
  error_of<FormatError>([&] { make("red\xff", {0, 3, 4}); });
  error_of<FormatError>([&] { make("red", {0, 3, 3}); });
}

}  // namespace

void text_tests(Suite& test) {
  test("threads and batches change nothing", threads_and_batches_change_nothing);
  test("files give the same in memory and on the disk",
       files_give_the_same_in_memory_and_on_the_disk);
  test("bad UTF-8 names the first bad document", bad_utf8_names_the_first_bad_document);
  test("a poll that throws stops the builder", a_poll_that_throws_stops_the_builder);
  test("any bytes are cut or refused", any_bytes_are_cut_or_refused);
  test("bad arrays make no vocabulary", bad_arrays_make_no_vocabulary);
}

}  // namespace bitsense
