#include "io/layout.hpp"

#include <algorithm>

#include "core/errors.hpp"

namespace bitsense {
namespace {

constexpr std::string_view kMagic = "bitsense file, format ";
constexpr std::string_view kLittle = ", little-endian";
constexpr std::string_view kBig = ", big-endian";
constexpr std::string_view kDigits = "0123456789abcdef";

std::string digits(std::uint64_t value, std::size_t width, unsigned base) {
  std::string written(width, '0');
  for (std::size_t i = width; i-- > 0; value /= base) written[i] = kDigits[value % base];
  return written;
}

// Reads the fixed fields of the line one after the other.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool starts_with(std::string_view expected) const { return rest_.starts_with(expected); }

  void skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) throw FormatError("corrupt first line");
    rest_.remove_prefix(expected.size());
  }

  std::uint64_t number(std::size_t width, unsigned base) {
    std::uint64_t value = 0;
    for (const char c : rest_.substr(0, width)) {
      const std::size_t digit = kDigits.substr(0, base).find(c);
      if (digit == std::string_view::npos) throw FormatError("corrupt first line");
      value = value * base + digit;
    }
    rest_.remove_prefix(width);
    return value;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string write_prelude(const Prelude& prelude) {
  return text(kMagic, digits(kFormatVersion, 4, 10), kLittle, ", size ",
              digits(prelude.size, 16, 10), ", header ", digits(prelude.header, 8, 10),
              ", sections ", digits(prelude.sections, 8, 10), ", crc64/xz ",
              digits(prelude.crc, 16, 16), "\n");
}

Prelude read_prelude(Bytes file) {
  const std::string_view text_of_file(reinterpret_cast<const char*>(file.data()),
                                      std::min(file.size(), kPreludeBytes));
  if (text_of_file.empty()) throw FormatError("the file is empty");
  if (!text_of_file.starts_with(kMagic.substr(0, text_of_file.size()))) {
    throw FormatError("not a bitsense file");
  }
  if (text_of_file.size() < kPreludeBytes) throw FormatError("cut short within the first line");
  Line line(text_of_file);
  line.skip(kMagic);
  const std::uint64_t version = line.number(4, 10);
  if (version > kFormatVersion) {
    throw FormatError(text("format version ", version, " is newer than version ", kFormatVersion,
                           ", the newest that this bitsense reads; please update bitsense"));
  }
  if (version != kFormatVersion) throw FormatError("corrupt first line");
  if (line.starts_with(kBig)) {
    throw FormatError("the numbers are big-endian; bitsense reads little-endian files only");
  }
  line.skip(kLittle);
  Prelude prelude;
  line.skip(", size ");
  prelude.size = line.number(16, 10);
  line.skip(", header ");
  prelude.header = line.number(8, 10);
  line.skip(", sections ");
  prelude.sections = line.number(8, 10);
  line.skip(", crc64/xz ");
  prelude.crc = line.number(16, 16);
  line.skip("\n");
  return prelude;
}

}  // namespace bitsense
