// Walker's alias table: draws from any discrete distribution with one random word and one memory
// access. Built by Vose's method (IEEE Transactions on Software Engineering 17(9), 1991).
//
// Column i covers 2^32 random values; those below its threshold give i, the others give its alias.
// So probabilities are multiples of 1 / (n 2^32), and an item of weight 0 is never drawn. The table
// is a pure function of the weights, a draw one of the table and the generator.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/errors.hpp"
#include "core/rng.hpp"

namespace bitsense {

class AliasTable {
 public:
  // Probabilities in proportion to `weights`: finite, not negative, not all zero, fewer than 2^32.
  explicit AliasTable(std::span<const double> weights) : columns_(checked_size(weights)) {
    const auto n = static_cast<std::uint32_t>(weights.size());
    const double total = checked_sum(weights);
    std::vector<double> share(n);  // of a column
    std::vector<std::uint32_t> small;
    std::vector<std::uint32_t> large;
    std::uint32_t heaviest = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      share[i] = weights[i] / total * n;
      (share[i] < 1.0 ? small : large).push_back(i);
      if (weights[i] > weights[heaviest]) heaviest = i;
    }
    while (!small.empty() && !large.empty()) {
      const std::uint32_t giver = large.back();
      const std::uint32_t taker = small.back();
      small.pop_back();
      columns_[taker] = {threshold(share[taker]), giver};
      share[giver] -= 1.0 - share[taker];
      if (share[giver] < 1.0) {
        large.pop_back();
        small.push_back(giver);
      }
    }
    // Rounding leaves some: a large one fills its column, a small one is topped up by the heaviest,
    // so that weight 0 stays probability 0.
    for (const std::uint32_t i : large) columns_[i] = {UINT32_MAX, i};
    for (const std::uint32_t i : small) columns_[i] = {threshold(share[i]), heaviest};
  }

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(columns_.size()); }

  std::uint32_t sample(Rng& rng) const noexcept {
    const std::uint64_t word = rng.next();
    const auto i = static_cast<std::uint32_t>((word >> 32) * columns_.size() >> 32);
    const Column column = columns_[i];
    return static_cast<std::uint32_t>(word) < column.threshold ? i : column.alias;
  }

  // The probability with which sample() gives item i, apart from the bias of the choice of a column
  // (below n / 2^32); takes time in proportion to size().
  double probability(std::uint32_t i) const noexcept {
    double parts = 0.0;
    for (std::uint32_t j = 0; j < size(); ++j) {
      if (j == i) parts += columns_[j].threshold;
      if (columns_[j].alias == i) parts += 0x1p32 - columns_[j].threshold;
    }
    return parts / (0x1p32 * size());
  }

  // All of them at once, in time in proportion to size().
  std::vector<double> probabilities() const {
    std::vector<double> parts(size());
    for (std::uint32_t j = 0; j < size(); ++j) {
      parts[j] += columns_[j].threshold;
      parts[columns_[j].alias] += 0x1p32 - columns_[j].threshold;
    }
    for (double& part : parts) part /= 0x1p32 * size();
    return parts;
  }

 private:
  struct Column {
    std::uint32_t threshold;
    std::uint32_t alias;
  };

  static std::size_t checked_size(std::span<const double> weights) {
    require(!weights.empty(), "`weights` must not be empty");
    require(weights.size() < UINT32_MAX, "`weights` must have fewer than ", UINT32_MAX,
            " items, got ", weights.size());
    return weights.size();
  }

  static double checked_sum(std::span<const double> weights) {
    double total = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      require(std::isfinite(weights[i]) && weights[i] >= 0.0,
              "`weights` must be finite and not negative, got ", weights[i], " at ", i);
      total += weights[i];
    }
    require(total > 0.0, "`weights` must not all be zero, got ", weights.size(), " zeros");
    require(std::isfinite(total), "`weights` must have a finite sum, got ", total);
    return total;
  }

  static std::uint32_t threshold(double share) {
    if (share <= 0.0) return 0;
    const double scaled = std::nearbyint(share * 0x1p32);
    return scaled >= 0x1p32 ? UINT32_MAX : static_cast<std::uint32_t>(scaled);
  }

  std::vector<Column> columns_;
};

}  // namespace bitsense
