// The words of a model: id i is the i-th word. A vocabulary that a corpus made is ranked by count,
// descending, then by UTF-8 bytes, ascending, so ids depend on the corpus alone. It does not
// change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/parallel.hpp"
#include "text/word_table.hpp"

namespace bitsense {

class Vocabulary {
 public:
  // Words that are distinct already, in the order of their ids.
  Vocabulary(WordTable words, std::vector<std::uint64_t> counts)
      : words_(std::move(words)), counts_(std::move(counts)) {}

  // From untrusted arrays: word i is bytes[offsets[i], offsets[i + 1]). Throws FormatError unless
  // the offsets rise from 0 to the number of bytes, every word is strict UTF-8, not empty and
  // there once, and the sum of the counts is below 2^64.
  static Vocabulary from_arrays(std::string_view bytes, std::span<const std::uint64_t> offsets,
                                std::span<const std::uint64_t> counts, const Poll& poll = {});

  std::size_t size() const noexcept { return counts_.size(); }
  std::string_view word(std::uint32_t id) const noexcept { return words_.word(id); }
  std::uint32_t find(const WordKey& key) const noexcept { return words_.find(key); }
  // The id of the word, or kNoWord.
  std::uint32_t find(std::string_view word) const noexcept;

  const std::string& bytes() const noexcept { return words_.bytes(); }
  const std::vector<std::uint64_t>& offsets() const noexcept { return words_.offsets(); }
  const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }

 private:
  WordTable words_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace bitsense
