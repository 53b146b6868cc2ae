#include "text/vocabulary.hpp"

#include "core/errors.hpp"
#include "text/unicode.hpp"

namespace bitsense {
namespace {

template <class... Parts>
void require_format(bool condition, const Parts&... parts) {
  if (!condition) throw FormatError(text("the vocabulary is corrupt: ", parts...));
}

void check_offsets(std::string_view bytes, std::span<const std::uint64_t> offsets) {
  require_format(!offsets.empty() && offsets.front() == 0, "its offsets do not begin with 0");
  require_format(offsets.size() - 1 < kNoWord, "it has ", offsets.size() - 1, " words");
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    require_format(offsets[i] > offsets[i - 1], "word ", i - 1, " is empty");
    require_format(offsets[i] - offsets[i - 1] < UINT32_MAX, "word ", i - 1, " is too long");
  }
  require_format(offsets.back() == bytes.size(), "its offsets end at ", offsets.back(), " of ",
                 bytes.size(), " bytes");
}

}  // namespace

Vocabulary Vocabulary::from_arrays(std::string_view bytes, std::span<const std::uint64_t> offsets,
                                   std::span<const std::uint64_t> counts, const Poll& poll) {
  check_offsets(bytes, offsets);
  const std::size_t size = offsets.size() - 1;
  require_format(counts.size() == size, "it has ", size, " words and ", counts.size(), " counts");
  WordTable words;
  words.reserve(size, bytes.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 65536 == 0 && poll) poll();
    const std::string_view word = bytes.substr(offsets[i], offsets[i + 1] - offsets[i]);
    try {
      validate_utf8(word);
    } catch (const Utf8Error& error) {
      require_format(false, "word ", i, " is not valid UTF-8 at byte ", error.offset());
    }
    const std::uint32_t id = words.insert(finished_key(word));
    require_format(id == i, "words ", id, " and ", i, " are the same");
    require_format(counts[i] <= UINT64_MAX - total, "its counts add up to 2^64 or more");
    total += counts[i];
  }
  return Vocabulary(std::move(words), std::vector<std::uint64_t>(counts.begin(), counts.end()));
}

std::uint32_t Vocabulary::find(std::string_view word) const noexcept {
  return word.size() < UINT32_MAX ? words_.find(finished_key(word)) : kNoWord;
}

}  // namespace bitsense
