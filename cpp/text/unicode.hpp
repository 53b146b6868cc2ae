// What the tokeniser knows of Unicode: the class of each code point, full case folding (the C and F
// rows of CaseFolding.txt, as Python's str.casefold), and strict UTF-8. The data come from
// unicode_tables.hpp, which make_unicode_tables.py writes.
//
// Classes: letters are category L*, digits N*, marks M* (they continue a word, so that Arabic and
// Indic words stay whole). Ignorables (soft hyphen, zero-width joiners, byte order mark) are
// skipped inside a word and outside. Ideographs (Han and Hiragana, whose texts do not set words
// apart) are words of their own. Everything else separates words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bitsense {

enum class CharClass : std::uint8_t { kSeparator, kLetter, kDigit, kMark, kIgnorable, kIdeograph };

constexpr std::uint32_t kLastCodePoint = 0x10FFFF;

class Unicode {
 public:
  // The tables, expanded at the first call.
  static const Unicode& tables();
  static std::string_view version() noexcept;

  CharClass char_class(std::uint32_t point) const noexcept {
    return static_cast<CharClass>(properties_[point] & kClassBits);
  }
  bool folds(std::uint32_t point) const noexcept { return properties_[point] & kFoldsBit; }

  // Appends the case folding of a code point, or the code point itself, in UTF-8. Returns the
  // number of code points appended.
  std::size_t append_folded(std::uint32_t point, std::string& out) const;

 private:
  static constexpr std::uint8_t kClassBits = 7;
  static constexpr std::uint8_t kFoldsBit = 8;
  Unicode();
  std::vector<std::uint8_t> properties_;  // one byte per code point
};

// Text that is not UTF-8: the position of the first byte of the bad sequence, and why it is bad.
class Utf8Error : public std::runtime_error {
 public:
  Utf8Error(std::size_t offset, const char* reason) : std::runtime_error(reason), offset_(offset) {}
  std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_;
};

// Decodes the code point at `position` and moves `position` behind it. Throws Utf8Error for a stray
// or missing continuation byte, an overlong form, a surrogate, or a value above U+10FFFF.
std::uint32_t decode_utf8(std::string_view text, std::size_t& position);

// Appends a code point that is not a surrogate.
void append_utf8(std::uint32_t point, std::string& out);

// Throws Utf8Error unless the whole text is strict UTF-8.
void validate_utf8(std::string_view text);

}  // namespace bitsense
