#include "text/unicode.hpp"

#include <algorithm>
#include <iterator>

#include "text/unicode_tables.hpp"

namespace bitsense {
namespace {

using unicode_tables::FoldRange;
using unicode_tables::LongFold;

struct LeadByte {
  unsigned length;        // of the sequence; 0: no sequence starts so
  std::uint32_t bits;     // of the code point in the lead byte
  std::uint32_t minimum;  // smaller values are overlong
};

LeadByte lead_byte(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte < 0xC2) return {0, 0, 0};  // a continuation byte, or an overlong lead
  if (byte < 0xE0) return {2, byte & 0x1FU, 0x80};
  if (byte < 0xF0) return {3, byte & 0x0FU, 0x800};
  if (byte < 0xF5) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

}  // namespace

Unicode::Unicode() : properties_(kLastCodePoint + 1) {
  const auto* runs = unicode_tables::kRuns;
  const std::size_t count = std::size(unicode_tables::kRuns);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? runs[i + 1] / 8 : kLastCodePoint + 1;
    std::fill(properties_.begin() + static_cast<std::ptrdiff_t>(runs[i] / 8),
              properties_.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<std::uint8_t>(runs[i] % 8));
  }
  for (const FoldRange& range : unicode_tables::kFolds) {
    for (std::uint32_t point = range.first; point <= range.last; point += range.step) {
      properties_[point] |= kFoldsBit;
    }
  }
  for (const LongFold& fold : unicode_tables::kLongFolds) properties_[fold.point] |= kFoldsBit;
  for (unsigned letter = 'A'; letter <= 'Z'; ++letter) properties_[letter] |= kFoldsBit;
}

const Unicode& Unicode::tables() {
  static const Unicode tables;
  return tables;
}

std::string_view Unicode::version() noexcept { return unicode_tables::kVersion; }

std::size_t Unicode::append_folded(std::uint32_t point, std::string& out) const {
  if (!folds(point)) {
    append_utf8(point, out);
    return 1;
  }
  if (point < 0x80) {
    out.push_back(static_cast<char>(point | 0x20U));
    return 1;
  }
  const auto longer = std::lower_bound(
      std::begin(unicode_tables::kLongFolds), std::end(unicode_tables::kLongFolds), point,
      [](const LongFold& fold, std::uint32_t value) { return fold.point < value; });
  if (longer != std::end(unicode_tables::kLongFolds) && longer->point == point) {
    const std::string_view folded(longer->folded);
    out.append(folded);
    return static_cast<std::size_t>(std::count_if(folded.begin(), folded.end(), [](char byte) {
      return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    }));
  }
  const auto range = std::lower_bound(
      std::begin(unicode_tables::kFolds), std::end(unicode_tables::kFolds), point,
      [](const FoldRange& fold, std::uint32_t value) { return fold.last < value; });
  append_utf8(point + static_cast<std::uint32_t>(range->difference), out);
  return 1;
}

std::uint32_t decode_utf8(std::string_view text, std::size_t& position) {
  const std::size_t start = position;
  const LeadByte lead = lead_byte(static_cast<unsigned char>(text[start]));
  if (lead.length == 0) throw Utf8Error(start, "no character starts with this byte");
  if (lead.length > text.size() - start) throw Utf8Error(start, "the character is cut short");
  std::uint32_t point = lead.bits;
  for (unsigned i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xC0U) != 0x80U) throw Utf8Error(start, "the character is cut short");
    point = point << 6 | (byte & 0x3FU);
  }
  if (point < lead.minimum) throw Utf8Error(start, "the character is encoded overlong");
  if (point >= 0xD800 && point <= 0xDFFF) throw Utf8Error(start, "the character is a surrogate");
  if (point > kLastCodePoint) throw Utf8Error(start, "the character is above U+10FFFF");
  position = start + lead.length;
  return point;
}

void append_utf8(std::uint32_t point, std::string& out) {
  auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0U | point >> 6);
    put(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    put(0xE0U | point >> 12);
    put(0x80U | (point >> 6 & 0x3FU));
    put(0x80U | (point & 0x3FU));
  } else {
    put(0xF0U | point >> 18);
    put(0x80U | (point >> 12 & 0x3FU));
    put(0x80U | (point >> 6 & 0x3FU));
    put(0x80U | (point & 0x3FU));
  }
}

void validate_utf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (static_cast<unsigned char>(text[position]) < 0x80) {
      ++position;
    } else {
      decode_utf8(text, position);
    }
  }
}

}  // namespace bitsense
