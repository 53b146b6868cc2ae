#include "train/word_bags.hpp"

#include <cmath>

#include "train/noise.hpp"

namespace bitsense {

namespace {

// log(1 + n): a table for small n, which most are.
float log_of_times(std::size_t n) {
  constexpr std::size_t kSmall = 64;
  static const std::vector<float> small = [] {
    std::vector<float> logs(kSmall);
    for (std::size_t i = 0; i < kSmall; ++i) logs[i] = float_log(1.0 + static_cast<double>(i));
    return logs;
  }();
  return n < kSmall ? small[n] : float_log(1.0 + static_cast<double>(n));
}

}  // namespace

std::vector<float> inverse_frequencies(const Documents& documents, std::size_t words) {
  std::vector<std::uint64_t> holders(words, 0);
  std::vector<std::uint64_t> last(words, 0);  // the document that held it last, from 1
  for (std::size_t d = 0; d < documents.count(); ++d)
    for (const std::uint32_t word : documents[d])
      if (last[word] != d + 1) {
        last[word] = d + 1;
        ++holders[word];
      }
  std::vector<float> idf(words, 1.0F);
  const auto all = static_cast<double>(documents.count());
  for (std::size_t w = 0; w < words; ++w)
    if (holders[w] > 0) idf[w] = float_log(1.0 + all / static_cast<double>(holders[w]));
  return idf;
}

void fill_bag(std::span<const std::uint32_t> document, const float* idf, WordBag& bag) {
  bag.words.assign(document.begin(), document.end());
  bag.log_times.clear();
  bag.inputs.clear();
  std::size_t distinct = 0;
  double squares = 0.0;
  for_each_distinct(bag.words, [&](std::uint32_t word, std::size_t times) {
    const float weight = idf[word];
    bag.words[distinct++] = word;  // never ahead of what is still to be read
    bag.log_times.push_back(log_of_times(times));
    bag.inputs.push_back(bag.log_times.back() * (weight * std::sqrt(weight)));
    squares += static_cast<double>(bag.inputs.back()) * static_cast<double>(bag.inputs.back());
  });
  bag.words.resize(distinct);
  const auto scale = static_cast<float>(squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0);
  for (float& x : bag.inputs) x *= scale;
}

WordBags::WordBags(const Documents& documents, std::size_t words, std::span<const float> given) {
  const std::vector<float> own =
      given.empty() ? inverse_frequencies(documents, words) : std::vector<float>{};
  const float* idf = given.empty() ? own.data() : given.data();
  WordBag bag;
  double sum = 0.0;
  for (std::size_t d = 0; d < documents.count(); ++d) {
    fill_bag(documents[d], idf, bag);
    words_.insert(words_.end(), bag.words.begin(), bag.words.end());
    inputs_.insert(inputs_.end(), bag.inputs.begin(), bag.inputs.end());
    for (std::size_t i = 0; i < bag.words.size(); ++i) {
      targets_.push_back(bag.log_times[i] * idf[bag.words[i]]);
      sum += static_cast<double>(targets_.back());
    }
    offsets_.push_back(words_.size());
  }
  const auto scale =
      static_cast<float>(sum > 0.0 ? static_cast<double>(targets_.size()) / sum : 1.0);
  for (float& y : targets_) y *= scale;
}

}  // namespace bitsense
