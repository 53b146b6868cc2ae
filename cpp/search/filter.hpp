// Which items a search may return: one bit per item, a 64-bit word per tile of codes. Deleted
// items, masks, lists of ids and conditions on attributes all come as such a bitmap.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

class Filter {
 public:
  // Everything passes.
  Filter() = default;

  // Item i passes where bit i % 64 of words[i / 64] is set. The words are not copied; those of bits
  // past the last item count for nothing.
  Filter(const std::uint64_t* words, std::size_t items) : words_(words) {
    for (std::size_t w = 0; w < items / 64; ++w) {
      passing_ += static_cast<std::size_t>(std::popcount(words[w]));
    }
    if (items % 64 != 0) {
      const std::uint64_t last = words[items / 64] << (64 - items % 64);
      passing_ += static_cast<std::size_t>(std::popcount(last));
    }
  }

  bool active() const noexcept { return words_ != nullptr; }

  // The 64 items from 64 * tile on; bit i % 64 is item i.
  std::uint64_t word(std::size_t tile) const noexcept {
    return active() ? words_[tile] : ~std::uint64_t{0};
  }

  bool passes(std::size_t i) const noexcept { return (word(i / 64) >> (i % 64) & 1) != 0; }

  // How many of `items` items pass.
  std::size_t passing(std::size_t items) const noexcept { return active() ? passing_ : items; }

  // Fewer than a quarter pass: copying them together costs less than passing over the rest
  // (measured from 0.1 % to 50 %).
  bool sparse(std::size_t items) const noexcept { return active() && passing_ < items / 4; }

  // The numbers of those of `items` items that pass, ascending.
  std::vector<std::uint32_t> rows(std::size_t items) const {
    std::vector<std::uint32_t> rows;
    rows.reserve(passing(items));
    for (std::size_t w = 0; w < (items + 63) / 64; ++w) {
      for (std::uint64_t left = word(w); left != 0; left &= left - 1) {
        const std::size_t row = 64 * w + static_cast<std::size_t>(std::countr_zero(left));
        if (row < items) rows.push_back(static_cast<std::uint32_t>(row));
      }
    }
    return rows;
  }

 private:
  const std::uint64_t* words_ = nullptr;
  std::size_t passing_ = 0;
};

}  // namespace bitsense
