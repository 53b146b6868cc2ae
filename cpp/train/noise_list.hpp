// Noise words drawn in advance: a list of independent draws, of which each user reads a run.
// Reading on costs a nanosecond, a draw from a table of a large vocabulary ten to twenty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rng.hpp"
#include "train/noise.hpp"

namespace bitsense {

class NoiseList {
 public:
  explicit NoiseList(const NoiseDistribution& noise) : noise_(noise) {
    std::size_t size = kLeast;
    while (size < kMost && size < 16 * noise.words()) size *= 2;
    words_.resize(size);
  }

  // Draws all of them anew.
  void refill(std::uint64_t seed) {
    Rng rng(seed);
    for (std::uint32_t& word : words_) word = noise_.sample(rng);
  }

  // The `count` words from a place on that depends on `where` alone.
  void copy(std::uint64_t where, std::size_t count, std::uint32_t* out) const {
    std::size_t at = where & (words_.size() - 1);
    while (count > 0) {
      const std::size_t some = std::min(count, words_.size() - at);
      std::copy_n(words_.data() + at, some, out);
      out += some;
      count -= some;
      at = 0;
    }
  }

 private:
  static constexpr std::size_t kLeast = std::size_t{1} << 14;
  static constexpr std::size_t kMost = std::size_t{1} << 22;
  const NoiseDistribution& noise_;
  std::vector<std::uint32_t> words_;
};

}  // namespace bitsense
