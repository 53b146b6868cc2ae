// Cuts UTF-8 text into words. A word is a longest run of letters, digits and marks (unicode.hpp)
// that does not begin with a mark; each Han ideograph and each Hiragana, with the marks behind it,
// is a word of its own. Other scripts without spaces (Thai, Lao, Khmer, Burmese) come out as the
// runs that spaces and punctuation leave.
//
// The inner loop (kernels/text_kernels.hpp) finds the runs of ASCII letters, ASCII digits and bytes
// >= 0x80, and folds ASCII. A run without such bytes is a word, and so is one with letters and
// digits of two bytes only (most of Latin, Greek, Cyrillic), which are folded by a table. Another
// one is read code point by code point and may hold several words or none. Text is validated where
// such bytes are read, so a document that was split to its end is strict UTF-8.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/dispatch.hpp"
#include "kernels/text_kernels.hpp"
#include "text/unicode.hpp"
#include "text/word_table.hpp"

namespace bitsense {

struct TokenizerOptions {
  bool lowercase = true;                  // full case folding
  bool digits = true;                     // false: digits separate words
  std::uint32_t min_length = 1;           // code points, after folding; ideographs are exempt
  std::uint32_t max_length = UINT32_MAX;  // code points, after folding
  unsigned ngrams = 1;                    // the longest n-gram, 1 to kMaxNgrams
};

// The words that are found together, so that what is looked up for them can come together.
constexpr std::size_t kWordBatch = 128;

// What a thread needs to split texts.
struct TokenScratch {
  std::vector<WordKey> words = std::vector<WordKey>(kWordBatch);
  std::string word;     // that is read code point by code point
  std::string spelled;  // the bytes of such words, as far as the batch needs them
  std::vector<char> folded = std::vector<char>(kFoldedBytes);
  std::vector<std::uint16_t> edges = std::vector<std::uint16_t>(kMaxEdges);
};

class Tokenizer {
 public:
  // Stop words are cut and folded like text, so "don't" gives "don" and "t".
  Tokenizer(const TokenizerOptions& options, const std::vector<std::string>& stop_words);

  const TokenizerOptions& options() const noexcept { return options_; }

  // Calls sink(words) for the words that are kept, some at a time and in order; a span of keys,
  // which live until the sink returns. Behind the document as many bytes may be read as lie before
  // `readable_end`. Throws Utf8Error.
  template <class Sink>
  void split(std::string_view document, const char* readable_end, TokenScratch& scratch,
             Sink&& sink) const;

 private:
  struct SlowWord {
    std::size_t points = 0;
    bool ideograph = false;
  };
  // Reads the word that begins at `position`, or what is skipped there, and leaves it in `word`,
  // folded. A result of no points is no word.
  SlowWord read_slowly(std::string_view document, std::size_t& position, std::string& word) const;
  // Splits the run [begin, end), which holds bytes >= 0x80 or is too long for the inner loop.
  template <class Batch>
  void split_run(std::string_view document, std::size_t begin, std::size_t end, std::string& word,
                 Batch&& batch) const;
  // Folds a run in place where that is simple: ASCII, and letters and digits of two bytes that fold
  // to two bytes. Returns its code points, or 0 where it is not; then its bytes are anything.
  std::size_t fold_plainly(char* run, std::size_t length) const noexcept;
  // Where the run ends that begins at `position`.
  std::size_t end_of_run(std::string_view document, std::size_t position) const noexcept;
  bool has_length(std::size_t points) const noexcept {
    return points >= options_.min_length && points <= options_.max_length;
  }
  bool is_kept(const WordKey& key) const noexcept {
    return stop_words_.size() == 0 || stop_words_.find(key) == kNoWord;
  }

  TokenizerOptions options_;
  // The two bytes of the folding of each code point below 0x800, the first one in the lower half; 0
  // where it is not a letter or digit of two bytes before and after.
  std::array<std::uint16_t, 0x800> two_bytes_{};
  const Unicode* unicode_;
  const TextKernels* kernels_;
  WordTable stop_words_;
};

// Whether none of the bytes is >= 0x80; those of a short word are the key's head.
inline bool is_ascii(const WordKey& key) noexcept {
  constexpr std::uint64_t kHighest = 0x8080808080808080ULL;
  if (((key.head[0] | key.head[1]) & kHighest) != 0) return false;
  return !key.is_long() || std::all_of(key.data + WordKey::kHead, key.data + key.length,
                                       [](char byte) { return (byte & 0x80) == 0; });
}

// The words of a call of the sink. There is always room for one more, which counts once `size` says
// so.
template <class Sink>
struct WordBatch {
  TokenScratch& scratch;
  Sink& sink;
  WordKey* const words = scratch.words.data();
  std::size_t size = 0;

  void flush() {
    if (size > 0) sink(std::span<const WordKey>(words, size));
    size = 0;
    scratch.spelled.clear();
  }
  void add(WordKey key, std::string_view word) {
    if (key.is_long()) key.data = spell(word);
    words[size++] = key;
    if (size == kWordBatch) flush();
  }
  // The bytes of a word at a place where they last.
  const char* spell(std::string_view word) {
    std::string& spelled = scratch.spelled;
    if (word.size() > spelled.capacity() - spelled.size()) {
      flush();
      spelled.reserve(std::max(word.size(), std::size_t{4096}));
    }
    return spelled.append(word).data() + spelled.size() - word.size();
  }
};

template <class Batch>
void Tokenizer::split_run(std::string_view document, std::size_t begin, std::size_t end,
                          std::string& word, Batch&& batch) const {
  while (begin < end) {
    const SlowWord found = read_slowly(document, begin, word);
    if (found.points == 0 || !(found.ideograph || has_length(found.points))) continue;
    const WordKey key = finished_key(word);
    if (is_kept(key)) batch.add(key, word);
  }
}

template <class Sink>
void Tokenizer::split(std::string_view document, const char* readable_end, TokenScratch& scratch,
                      Sink&& sink) const {
  char* const folded = scratch.folded.data();
  std::uint16_t* const edges = scratch.edges.data();
  const bool filters = stop_words_.size() > 0;
  const std::size_t least = options_.min_length, most = options_.max_length;
  WordBatch<std::remove_reference_t<Sink>> batch{scratch, sink};
  for (std::size_t begin = 0; begin < document.size(); batch.flush()) {
    const char* text = document.data() + begin;
    std::size_t size = std::min(document.size() - begin, kTextChunk);
    std::size_t runs =
        kernels_->find_runs(text, size, static_cast<std::size_t>(readable_end - text),
                            options_.lowercase, options_.digits, folded, edges);
    if (runs > 0 && edges[2 * runs - 1] == size && begin + size < document.size()) {
      --runs;  // the last run may go on
      size = edges[2 * runs];
      if (size == 0) {
        const std::size_t end = end_of_run(document, begin);
        split_run(document, begin, end, scratch.word, batch);
        begin = end;
        continue;
      }
    }
    for (std::size_t i = 0; i < runs; ++i) {
      const std::size_t start = edges[2 * i], length = edges[2 * i + 1] - start;
      WordKey& key = batch.words[batch.size];
      make_padded_key(folded + start, static_cast<std::uint32_t>(length), key);
      std::size_t points = length;
      if (!is_ascii(key)) [[unlikely]] {
        points = fold_plainly(folded + start, length);
        if (points == 0) {
          split_run(document, begin + start, begin + start + length, scratch.word, batch);
          continue;
        }
        make_padded_key(folded + start, static_cast<std::uint32_t>(length), key);
      }
      finish_key(key);
      batch.size += points >= least && points <= most && !(filters && !is_kept(key));
      if (batch.size == kWordBatch) batch.flush();
    }
    begin += size;
  }
}

}  // namespace bitsense
