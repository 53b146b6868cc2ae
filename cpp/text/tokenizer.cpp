#include "text/tokenizer.hpp"

#include "core/errors.hpp"
#include "text/ngrams.hpp"

namespace bitsense {

Tokenizer::Tokenizer(const TokenizerOptions& options, const std::vector<std::string>& stop_words)
    : options_(options), unicode_(&Unicode::tables()) {
  require(options.min_length >= 1, "`min_length` must be at least 1, got ", options.min_length);
  require(options.max_length >= options.min_length,
          "`max_length` must be at least `min_length`=", options.min_length, ", got ",
          options.max_length);
  require(options.ngrams >= 1 && options.ngrams <= kMaxNgrams, "`ngrams` must be 1 to ", kMaxNgrams,
          ", got ", options.ngrams);
  for (unsigned byte = 0; byte < 256; ++byte) {
    const CharClass kind = byte < 0x80 ? unicode_->char_class(byte) : CharClass::kSeparator;
    const bool belongs =
        kind == CharClass::kLetter || (kind == CharClass::kDigit && options.digits);
    classes_[byte] = byte >= 0x80 ? kBeyondAscii : belongs ? kBelongs : kSeparates;
  }
  options_.min_length = 1;  // a stop word keeps all its pieces
  options_.max_length = UINT32_MAX;
  std::string scratch;
  std::vector<std::string> pieces;
  for (const std::string& word : stop_words) {
    const std::size_t before = pieces.size();
    split(word, scratch, [&](const WordKey& key) { key.append_to(pieces.emplace_back()); });
    require(pieces.size() > before, "`stop_words` must hold words, got '", word, "'");
  }
  for (const std::string& piece : pieces) stop_words_.insert(finished_key(piece));
  options_ = options;
}

Tokenizer::SlowWord Tokenizer::read_slowly(std::string_view document, std::size_t start,
                                           std::size_t& position, std::string& word) const {
  SlowWord found;
  word.clear();
  auto append = [&](std::uint32_t point) {
    if (options_.lowercase) {
      found.points += unicode_->append_folded(point, word);
    } else {
      append_utf8(point, word);
      ++found.points;
    }
  };
  for (std::size_t i = start; i < position; ++i) {
    append(static_cast<unsigned char>(document[i]));
  }
  while (position < document.size()) {
    const std::size_t here = position;
    const std::uint32_t point = decode_utf8(document, position);
    CharClass kind = unicode_->char_class(point);
    if (kind == CharClass::kDigit && !options_.digits) kind = CharClass::kSeparator;
    if (kind == CharClass::kIgnorable) continue;
    if (kind == CharClass::kSeparator) return found;
    if (kind == CharClass::kMark) {
      if (found.points > 0) append(point);
      continue;
    }
    if (found.points > 0 && (found.ideograph || kind == CharClass::kIdeograph)) {
      position = here;  // the next word begins here
      return found;
    }
    append(point);
    found.ideograph = kind == CharClass::kIdeograph;
  }
  return found;
}

}  // namespace bitsense
