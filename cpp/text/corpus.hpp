// Text to ids in one pass. A batch of documents is cut into blocks; each thread counts the words of
// its blocks in a table of its own and writes provisional ids, four bytes a token, the only thing
// that is kept of the text. At the end the tables are merged, the words ranked, and the ids mapped
// to ranks where they lie, in memory or in the file that the corpus becomes. With a vocabulary
// given, ids are final at once and other words are left out. Counts, ranks and ids depend on the
// documents alone, not on threads or batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/large_pages.hpp"
#include "core/parallel.hpp"
#include "io/writer.hpp"
#include "text/line_reader.hpp"
#include "text/ngrams.hpp"
#include "text/tokenizer.hpp"
#include "text/vocabulary.hpp"

namespace bitsense {

// So that a folded token is below 2^32 bytes and a document below 2^32 tokens.
constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxDocumentTokens = std::size_t{1} << 30;

// A document that cannot be read; the text continues a sentence that begins with its name.
class DocumentError : public std::runtime_error {
 public:
  DocumentError(std::size_t document, const std::string& what)
      : std::runtime_error(what), document_(document) {}
  // Its number in the batch.
  std::size_t document() const noexcept { return document_; }

 private:
  std::size_t document_;
};

// Documents that were cut into tokens elsewhere: the tokens' bytes one after another, strict UTF-8,
// none of them empty.
struct TokenBatch {
  std::string bytes;
  std::vector<std::uint32_t> lengths;          // bytes of each token
  std::vector<std::uint32_t> document_tokens;  // tokens of each document
};

struct RankOptions {
  std::uint64_t min_count = 1;
  std::uint64_t min_count_ngrams = 1;  // for n-grams of two words and more
  std::size_t max_vocabulary = SIZE_MAX;
};

// What was counted before the vocabulary was cut.
struct CorpusCounts {
  std::uint64_t documents = 0;
  std::uint64_t tokens = 0;
  std::uint64_t types = 0;
  std::uint64_t most_frequent = 0;
};

class CorpusBuilder {
 public:
  static constexpr std::size_t kVocabularySections = 3;  // of a file, behind those of the corpus

  // Without a vocabulary the builder makes one.
  CorpusBuilder(std::shared_ptr<const Tokenizer> tokenizer, std::size_t threads,
                std::shared_ptr<const Vocabulary> vocabulary = nullptr);
  // The same, with the ids on their way to the file `path` from the end of each batch on: what
  // stays in memory is the table of words and eight bytes a document. Its header will have at most
  // `header_bytes` bytes.
  CorpusBuilder(std::shared_ptr<const Tokenizer> tokenizer, std::size_t threads,
                const std::string& path, std::size_t header_bytes);

  // Each of these adds documents behind those added before. After an exception the builder takes
  // no more. The errors of a batch are those of its first bad document.
  void add_documents(std::span<const std::string_view> documents, const Poll& poll = {});
  // One document a line; a final newline ends the last line and begins none.
  void add_lines(std::string_view lines, const Poll& poll = {});
  // The same of an open file, until `bytes` of it or a little more are added; returns whether there
  // may be more.
  bool add_file(LineReader& reader, std::size_t bytes, const Poll& poll = {});
  // Tokens as they are; only the n-grams of the tokeniser apply.
  void add_tokens(const TokenBatch& batch, const Poll& poll = {});

  // Ranks the words; ids in memory are mapped, those in a file by save(). Only without a
  // vocabulary, once, when all is added.
  Vocabulary rank(const RankOptions& options, const Poll& poll = {});

  const CorpusCounts& counts() const noexcept { return counts_; }
  std::size_t ids() const noexcept;  // how many drain() will write

  // Writes the ids of all documents, offsets (documents + 1) and each document's number of tokens
  // before the cut, and gives the builder's memory back as it goes.
  void drain(std::uint32_t* ids, std::uint64_t* offsets, std::uint32_t* totals,
             const Poll& poll = {});

  // Finishes the file: its sections are what drain() writes, in that order, and `vocabulary`, as
  // many as kVocabularySections. Once, after rank().
  void save(std::string_view header, std::span<const Bytes> vocabulary, const Poll& poll = {});
  // Removes a file that is not finished and forgets all documents. The builder takes no more.
  void close() noexcept;

 private:
  // The ids of a block of documents.
  struct Segment {
    std::shared_ptr<std::uint32_t[]> memory;  // shared with other segments of the same worker
    std::uint32_t* ids = nullptr;             // none where they lie in a file
    std::size_t size = 0;
    std::vector<std::uint32_t> lengths;  // ids of each document
    std::vector<std::uint32_t> totals;   // tokens of each document
    std::size_t worker = 0;              // whose provisional ids these are
    std::optional<DocumentError> error;
  };
  // For each worker, from its provisional ids to others.
  using Maps = std::vector<std::vector<std::uint32_t>>;
  // What one thread has counted; index: provisional id.
  struct Tally {
    WordTable words;
    std::vector<std::uint8_t> orders;  // lowest order of n-gram that gave the word; none: all 1
  };
  class Writer;
  struct Worker {
    explicit Worker(unsigned orders) : joiner(orders) {}
    Tally tally;
    NgramJoiner joiner;
    TokenScratch scratch;
    TextBuffer text;                          // of the block at hand, where it is read from a file
    std::shared_ptr<std::uint32_t[]> memory;  // for ids; `used` of `capacity` are taken
    std::size_t used = 0;
    std::size_t capacity = 0;
  };

  template <class Block>
  void add_blocks(std::size_t count, Block&& block, const Poll& poll);
  void begin_batch();
  void keep(std::vector<Segment> fresh);
  Maps merge(const Poll& poll);
  std::vector<std::uint32_t> ranked_words(const std::vector<std::uint64_t>& counts,
                                          const RankOptions& options, const Poll& poll);
  void remap(const Maps& maps, const Poll& poll);
  void remap_file(const Maps& maps, const Poll& poll);
  void lay_out(std::uint32_t* ids, std::uint64_t* offsets, std::uint32_t* totals, const Poll& poll);

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<Worker> workers_;
  std::vector<Segment> segments_;
  Maps maps_;  // to ranks, of a file that is to be saved
  std::unique_ptr<GrowingFile> file_;
  CorpusCounts counts_;
  bool open_ = true;
};

}  // namespace bitsense
