#include "text/tokenizer.hpp"

#include "core/errors.hpp"
#include "text/ngrams.hpp"

namespace bitsense {

Tokenizer::Tokenizer(const TokenizerOptions& options, const std::vector<std::string>& stop_words)
    : options_(options), unicode_(&Unicode::tables()), kernels_(kernels().text) {
  require(options.min_length >= 1, "`min_length` must be at least 1, got ", options.min_length);
  require(options.max_length >= options.min_length,
          "`max_length` must be at least `min_length`=", options.min_length, ", got ",
          options.max_length);
  require(options.ngrams >= 1 && options.ngrams <= kMaxNgrams, "`ngrams` must be 1 to ", kMaxNgrams,
          ", got ", options.ngrams);
  for (std::uint32_t point = 0x80; point < two_bytes_.size(); ++point) {
    const CharClass kind = unicode_->char_class(point);
    if (kind != CharClass::kLetter && !(kind == CharClass::kDigit && options.digits)) continue;
    std::string folded;
    if (options.lowercase) {
      if (unicode_->append_folded(point, folded) != 1) continue;
    } else {
      append_utf8(point, folded);
    }
    if (folded.size() != 2) continue;
    two_bytes_[point] = static_cast<std::uint16_t>(static_cast<unsigned char>(folded[0]) |
                                                   static_cast<unsigned char>(folded[1]) << 8);
  }
  options_.min_length = 1;  // a stop word keeps all its pieces
  options_.max_length = UINT32_MAX;
  TokenScratch scratch;
  std::vector<std::string> pieces;
  for (const std::string& word : stop_words) {
    const std::size_t before = pieces.size();
    split(word, word.data() + word.size(), scratch, [&](std::span<const WordKey> keys) {
      for (const WordKey& key : keys) key.append_to(pieces.emplace_back());
    });
    require(pieces.size() > before, "`stop_words` must hold words, got '", word, "'");
  }
  for (const std::string& piece : pieces) stop_words_.insert(finished_key(piece));
  options_ = options;
}

std::size_t Tokenizer::fold_plainly(char* run, std::size_t length) const noexcept {
  std::size_t points = 0;
  for (std::size_t i = 0; i < length; ++points) {
    const auto first = static_cast<unsigned char>(run[i]);
    if (first < 0x80) {
      ++i;
      continue;
    }
    if (first < 0xC2 || first > 0xDF || i + 1 == length) return 0;
    const auto second = static_cast<unsigned char>(run[i + 1]);
    if ((second & 0xC0U) != 0x80U) return 0;
    const std::uint16_t folded = two_bytes_[(first & 0x1FU) << 6 | (second & 0x3FU)];
    if (folded == 0) return 0;
    run[i] = static_cast<char>(folded & 0xFFU);
    run[i + 1] = static_cast<char>(folded >> 8);
    i += 2;
  }
  return points;
}

std::size_t Tokenizer::end_of_run(std::string_view document, std::size_t position) const noexcept {
  const auto belongs = [&](char byte) {
    const auto point = static_cast<unsigned char>(byte);
    if (point >= 0x80) return true;
    const CharClass kind = unicode_->char_class(point);
    return kind == CharClass::kLetter || (kind == CharClass::kDigit && options_.digits);
  };
  while (position < document.size() && belongs(document[position])) ++position;
  return position;
}

Tokenizer::SlowWord Tokenizer::read_slowly(std::string_view document, std::size_t& position,
                                           std::string& word) const {
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
