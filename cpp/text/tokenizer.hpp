// Cuts UTF-8 text into words. A word is a longest run of letters, digits and marks (unicode.hpp)
// that does not begin with a mark; each Han ideograph and each Hiragana, with the marks behind it,
// is a word of its own. Other scripts without spaces (Thai, Lao, Khmer, Burmese) come out as the
// runs that spaces and punctuation leave.
//
// The inner loop (kernels/text_kernels.hpp) finds the runs of ASCII letters, ASCII digits and bytes
// >= 0x80, and folds ASCII. A run without such bytes is a word; another one is read code point by
// code point and may hold several or none. Text is validated where such bytes are read, so a
// document that was split to its end is strict UTF-8.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
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

// What a thread needs to split texts.
struct TokenScratch {
  std::string word;
  std::vector<char> folded = std::vector<char>(kFoldedBytes);
  std::vector<std::uint16_t> edges = std::vector<std::uint16_t>(kMaxEdges);
};

class Tokenizer {
 public:
  // Stop words are cut and folded like text, so "don't" gives "don" and "t".
  Tokenizer(const TokenizerOptions& options, const std::vector<std::string>& stop_words);

  const TokenizerOptions& options() const noexcept { return options_; }

  // Calls sink(key) for each word that is kept, in order; `scratch` holds the bytes of a key until
  // the sink returns. Behind the document as many bytes may be read as lie before `readable_end`.
  // Throws Utf8Error.
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
  template <class Sink>
  void split_run(std::string_view document, std::size_t begin, std::size_t end, std::string& word,
                 Sink&& sink) const;
  // Where the run ends that begins at `position`.
  std::size_t end_of_run(std::string_view document, std::size_t position) const noexcept;
  bool has_length(std::size_t points) const noexcept {
    return points >= options_.min_length && points <= options_.max_length;
  }
  bool is_kept(const WordKey& key) const noexcept {
    return stop_words_.size() == 0 || stop_words_.find(key) == kNoWord;
  }

  TokenizerOptions options_;
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

template <class Sink>
void Tokenizer::split_run(std::string_view document, std::size_t begin, std::size_t end,
                          std::string& word, Sink&& sink) const {
  while (begin < end) {
    const SlowWord found = read_slowly(document, begin, word);
    if (found.points == 0 || !(found.ideograph || has_length(found.points))) continue;
    const WordKey key = finished_key(word);
    if (is_kept(key)) sink(key);
  }
}

template <class Sink>
void Tokenizer::split(std::string_view document, const char* readable_end, TokenScratch& scratch,
                      Sink&& sink) const {
  char* folded = scratch.folded.data();
  std::uint16_t* edges = scratch.edges.data();
  for (std::size_t begin = 0; begin < document.size();) {
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
        split_run(document, begin, end, scratch.word, sink);
        begin = end;
        continue;
      }
    }
    for (std::size_t i = 0; i < runs; ++i) {
      const std::size_t start = edges[2 * i], length = edges[2 * i + 1] - start;
      WordKey key = padded_key(folded + start, static_cast<std::uint32_t>(length));
      if (!is_ascii(key)) {
        split_run(document, begin + start, begin + start + length, scratch.word, sink);
        continue;
      }
      if (!has_length(length)) continue;
      finish_key(key);
      if (is_kept(key)) sink(key);
    }
    begin += size;
  }
}

}  // namespace bitsense
