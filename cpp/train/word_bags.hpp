// Documents as bags of words, weighted as the encoders see them (models/pv_encoder.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "train/options.hpp"

namespace bitsense {

// log(1 + N / df) of each word: N documents, of which df hold the word; 1 where none does. Positive
// for every word, so no document is left without weights.
std::vector<float> inverse_frequencies(const Documents& documents, std::size_t words);

// Sorts the words of a document and calls f(word, times) with each distinct one, ascending.
template <class F>
void for_each_distinct(std::vector<std::uint32_t>& words, F&& f) {
  std::sort(words.begin(), words.end());
  for (std::size_t i = 0, end = 0; i < words.size(); i = end) {
    while (end < words.size() && words[end] == words[i]) ++end;
    f(words[i], end - i);
  }
}

// The distinct words of a document, ascending.
struct WordBag {
  std::vector<std::uint32_t> words;
  std::vector<float> log_times;  // log(1 + n) of each
  std::vector<float> inputs;     // x of each
};
void fill_bag(std::span<const std::uint32_t> document, const float* idf, WordBag& bag);

// All bags of a training.
class WordBags {
 public:
  // With the given idf of each word, or else that of the documents.
  WordBags(const Documents& documents, std::size_t words, std::span<const float> idf = {});

  std::span<const std::uint32_t> words(std::size_t document) const {
    return {words_.data() + offsets_[document], offsets_[document + 1] - offsets_[document]};
  }
  // x of each.
  const float* inputs(std::size_t document) const { return inputs_.data() + offsets_[document]; }
  // y of each.
  const float* targets(std::size_t document) const { return targets_.data() + offsets_[document]; }

 private:
  std::vector<std::uint32_t> words_;
  std::vector<float> inputs_;
  std::vector<float> targets_;
  std::vector<std::uint64_t> offsets_ = {0};
};

}  // namespace bitsense
