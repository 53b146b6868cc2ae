// Which items a search may return: one bit per item, a 64-bit word per tile of codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

class Filter {
 public:
  // Everything passes.
  Filter() = default;

  // Item i passes where passes[i] is true.
  Filter(const bool* passes, std::size_t items) : words_((items + 63) / 64), active_(true) {
    for (std::size_t i = 0; i < items; ++i) {
      if (!passes[i]) continue;
      words_[i / 64] |= std::uint64_t{1} << (i % 64);
      ++passing_;
    }
  }

  bool active() const noexcept { return active_; }

  // The 64 items from 64 * tile on; bit i % 64 is item i.
  std::uint64_t word(std::size_t tile) const noexcept {
    return active_ ? words_[tile] : ~std::uint64_t{0};
  }

  // How many of `items` items pass.
  std::size_t passing(std::size_t items) const noexcept { return active_ ? passing_ : items; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t passing_ = 0;
  bool active_ = false;
};

}  // namespace bitsense
