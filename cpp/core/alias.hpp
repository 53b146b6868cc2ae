#pragma once
#include <cstdint>
#include <span>
#include <vector>
#include "core/rng.hpp"
namespace bitsense {
class AliasTable {
 public:
  AliasTable() = default;
  explicit AliasTable(std::span<const double> weights) {
    const std::size_t n = weights.size();
    double total = 0;
    for (double w : weights) total += w;
    probability_.resize(n);
    keep_.resize(n);
    other_.resize(n);
    std::vector<double> scaled(n);
    std::vector<std::uint32_t> small, large;
    for (std::size_t i = 0; i < n; ++i) {
      probability_[i] = weights[i] / total;
      scaled[i] = probability_[i] * static_cast<double>(n);
      (scaled[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
    }
    while (!small.empty() && !large.empty()) {
      auto s = small.back(), l = large.back();
      small.pop_back();
      keep_[s] = static_cast<float>(scaled[s]);
      other_[s] = l;
      scaled[l] -= 1 - scaled[s];
      if (scaled[l] < 1) {
        large.pop_back();
        small.push_back(l);
      }
    }
    for (auto i : small) {
      keep_[i] = 1;
      other_[i] = i;
    }
    for (auto i : large) {
      keep_[i] = 1;
      other_[i] = i;
    }
  }
  std::uint32_t sample(Rng& rng) const {
    const auto i = rng.below(static_cast<std::uint32_t>(keep_.size()));
    return rng.uniform() < keep_[i] ? i : other_[i];
  }
  double probability(std::size_t i) const { return probability_[i]; }
  std::size_t size() const { return keep_.size(); }

 private:
  std::vector<double> probability_;
  std::vector<float> keep_;
  std::vector<std::uint32_t> other_;
};
}  // namespace bitsense
