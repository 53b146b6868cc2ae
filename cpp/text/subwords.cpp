#include "text/subwords.hpp"

#include <string>

#include "core/errors.hpp"

namespace bitsense {

namespace {

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

void add_subwords(std::string_view word, const SubwordOptions& options,
                  std::vector<std::uint32_t>& buckets) {
  std::string framed;
  framed.reserve(word.size() + 2);
  framed += '<';
  framed += word;
  framed += '>';
  for (std::size_t begin = 0; begin < framed.size(); ++begin) {
    if (!starts_character(framed[begin])) continue;
    std::uint32_t hash = 2166136261U;
    std::size_t end = begin;
    for (std::size_t length = 1; length <= options.longest && end < framed.size(); ++length) {
      do {
        const auto extended = static_cast<std::uint32_t>(
            static_cast<std::int32_t>(static_cast<signed char>(framed[end])));
        hash = (hash ^ extended) * 16777619U;
        ++end;
      } while (end < framed.size() && !starts_character(framed[end]));
      if (length < options.shortest) continue;
      if (length == 1 && (begin == 0 || end == framed.size())) continue;
      buckets.push_back(hash % options.buckets);
    }
  }
}

SubwordRows subword_rows(const Vocabulary& vocabulary, const SubwordOptions& options) {
  const auto words = static_cast<std::uint32_t>(vocabulary.size());
  require(options.buckets > 0 && options.buckets < UINT32_MAX - words,
          "`buckets` must be from 1 to ", UINT32_MAX - words - 1, ", got ", options.buckets);
  SubwordRows rows;
  rows.offsets.reserve(words + std::size_t{1});
  rows.offsets.push_back(0);
  for (std::uint32_t w = 0; w < words; ++w) {
    rows.ids.push_back(w);
    const std::size_t first = rows.ids.size();
    add_subwords(vocabulary.word(w), options, rows.ids);
    for (std::size_t i = first; i < rows.ids.size(); ++i) rows.ids[i] += words;
    rows.offsets.push_back(rows.ids.size());
  }
  return rows;
}

}  // namespace bitsense
