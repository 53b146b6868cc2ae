// Character n-grams of words, hashed to buckets as fastText does (Bojanowski et al. 2017,
// arXiv:1607.04606), so that its ids and ours agree.
//
// The word stands between '<' and '>'. Its n-grams are runs of `shortest` to `longest` characters
// (code points of UTF-8), in the order of their first character, then of their length; single
// characters that are '<' or '>' are left out. The bucket of an n-gram is its FNV-1a hash of 32
// bits, each byte extended with its sign before it is mixed in, modulo the number of buckets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/vocabulary.hpp"

namespace bitsense {

struct SubwordOptions {
  std::size_t shortest = 3;
  std::size_t longest = 6;
  std::uint32_t buckets = 2'000'000;
};

// Appends the buckets of the word's n-grams.
void add_subwords(std::string_view word, const SubwordOptions& options,
                  std::vector<std::uint32_t>& buckets);

// For every word its own row, w, and the rows of its n-grams, words + bucket: word w has
// ids[offsets[w] .. offsets[w + 1]).
struct SubwordRows {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint64_t> offsets;
};
SubwordRows subword_rows(const Vocabulary& vocabulary, const SubwordOptions& options);

}  // namespace bitsense
