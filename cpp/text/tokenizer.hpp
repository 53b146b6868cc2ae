// Cuts UTF-8 text into words. A word is a longest run of letters, digits and marks (unicode.hpp)
// that does not begin with a mark; each Han ideograph and each Hiragana, with the marks behind it,
// is a word of its own. Other scripts without spaces (Thai, Lao, Khmer, Burmese) come out as the
// runs that spaces and punctuation leave.
//
// ASCII is cut with a table of 256 classes and folded eight bytes at a time; a word that touches a
// byte >= 0x80 is built code point by code point. Text is validated where such bytes are read, so a
// document that was split to its end is strict UTF-8.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

class Tokenizer {
 public:
  // Stop words are cut and folded like text, so "don't" gives "don" and "t".
  Tokenizer(const TokenizerOptions& options, const std::vector<std::string>& stop_words);

  const TokenizerOptions& options() const noexcept { return options_; }

  // Calls sink(key) for each word that is kept, in order; `scratch` holds the bytes of a key until
  // the sink returns. Throws Utf8Error.
  template <class Sink>
  void split(std::string_view document, std::string& scratch, Sink&& sink) const;

 private:
  enum ByteClass : std::uint8_t { kSeparates, kBelongs, kBeyondAscii };

  struct SlowWord {
    std::size_t points = 0;
    bool ideograph = false;
  };
  // Reads the word of which [start, position) is an ASCII prefix, maybe empty, on to its end, and
  // leaves it in `word`, folded. A result of no points is no word.
  SlowWord read_slowly(std::string_view document, std::size_t start, std::size_t& position,
                       std::string& word) const;
  WordKey ascii_key(const char* data, std::size_t length, const char* end,
                    std::string& scratch) const;
  bool has_length(std::size_t points) const noexcept {
    return points >= options_.min_length && points <= options_.max_length;
  }
  bool is_kept(const WordKey& key) const noexcept {
    return stop_words_.size() == 0 || stop_words_.find(key) == kNoWord;
  }

  TokenizerOptions options_;
  std::array<ByteClass, 256> classes_{};
  const Unicode* unicode_;
  WordTable stop_words_;
};

// Lowers the letters A-Z of eight ASCII bytes.
constexpr std::uint64_t lower_ascii(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const std::uint64_t at_least_a = bytes + kOnes * (0x80 - 'A');
  const std::uint64_t above_z = bytes + kOnes * (0x80 - 'Z' - 1);
  return bytes | (at_least_a & ~above_z & kOnes * 0x80) >> 2;
}

inline WordKey Tokenizer::ascii_key(const char* data, std::size_t length, const char* end,
                                    std::string& scratch) const {
  if (length > WordKey::kHead && options_.lowercase) {
    scratch.assign(data, length);
    for (char& byte : scratch) {
      if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte | 0x20);
    }
    return finished_key(scratch);
  }
  WordKey key = make_key(data, static_cast<std::uint32_t>(length), end);
  if (options_.lowercase) {
    key.head[0] = lower_ascii(key.head[0]);
    key.head[1] = lower_ascii(key.head[1]);
  }
  finish_key(key);
  return key;
}

template <class Sink>
void Tokenizer::split(std::string_view document, std::string& scratch, Sink&& sink) const {
  const char* text = document.data();
  const std::size_t size = document.size();
  auto class_at = [&](std::size_t i) { return classes_[static_cast<unsigned char>(text[i])]; };
  for (std::size_t position = 0; position < size;) {
    if (class_at(position) == kSeparates) {
      ++position;
      continue;
    }
    const std::size_t start = position;
    while (position < size && class_at(position) == kBelongs) ++position;
    if (position == size || class_at(position) == kSeparates) {
      if (!has_length(position - start)) continue;
      const WordKey key = ascii_key(text + start, position - start, text + size, scratch);
      if (is_kept(key)) sink(key);
      continue;
    }
    const SlowWord word = read_slowly(document, start, position, scratch);
    if (word.points == 0 || !(word.ideograph || has_length(word.points))) continue;
    const WordKey key = finished_key(scratch);
    if (is_kept(key)) sink(key);
  }
}

}  // namespace bitsense
