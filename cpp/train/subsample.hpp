// Thinning out frequent words (Mikolov et al. 2013, arXiv:1310.4546), as in their program: an
// occurrence of a word of frequency f is kept with probability sqrt(t / f) + t / f, at most 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace bitsense {

class Subsample {
 public:
  // All are kept where the threshold is 0. The threshold t is at least the mean frequency of a
  // word: in a small vocabulary every word is frequent, and there would be little left.
  Subsample(std::span<const std::uint64_t> counts, double threshold) {
    constexpr std::uint32_t kAlways = 0xffffffffU;
    if (threshold > 0.0) {
      threshold = std::max(threshold, 1.0 / static_cast<double>(counts.size()));
      double total = 0.0;
      for (const std::uint64_t count : counts) total += static_cast<double>(count);
      most_.reserve(counts.size());
      for (const std::uint64_t count : counts) {
        const double ratio =
            threshold * total / static_cast<double>(std::max<std::uint64_t>(count, 1));
        const double share = std::min(1.0, std::sqrt(ratio) + ratio);
        most_.push_back(static_cast<std::uint32_t>(share * kAlways));
      }
    }
    while (!most_.empty() && most_.back() == kAlways) most_.pop_back();
    most_.push_back(kAlways);
  }

  // Whether an occurrence of the word is kept that has drawn this number.
  bool keeps(std::uint32_t word, std::uint32_t random) const {
    return random <= most_[std::min<std::size_t>(word, most_.size() - 1)];
  }

 private:
  // Per word: the largest number that keeps it. The last stands for all words from there on, which
  // are rare and always kept: so the table of a vocabulary in the order of frequency is small.
  std::vector<std::uint32_t> most_;
};

}  // namespace bitsense
