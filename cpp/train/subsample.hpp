// Thinning out frequent words (Mikolov et al. 2013, arXiv:1310.4546), as in their program: an
// occurrence of a word of frequency f is kept with probability sqrt(t / f) + t / f, at most 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace bitsense {

// Per word: an occurrence is kept where a random 32-bit number is at most this. Empty where the
// threshold is 0: all are kept. The threshold t is at least the mean frequency of a word: in a
// small vocabulary every word is frequent, and there would be little left.
inline std::vector<std::uint32_t> keep_thresholds(std::span<const std::uint64_t> counts,
                                                  double threshold) {
  if (threshold <= 0.0) return {};
  threshold = std::max(threshold, 1.0 / static_cast<double>(counts.size()));
  double total = 0.0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  std::vector<std::uint32_t> keep;
  keep.reserve(counts.size());
  for (const std::uint64_t count : counts) {
    const double ratio = threshold * total / static_cast<double>(std::max<std::uint64_t>(count, 1));
    const double share = std::min(1.0, std::sqrt(ratio) + ratio);
    keep.push_back(static_cast<std::uint32_t>(share * 4294967295.0));
  }
  return keep;
}

}  // namespace bitsense
