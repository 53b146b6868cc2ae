// Groups of items that pairs join.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace bitsense {

class Groups {
 public:
  explicit Groups(std::size_t items) : leaders_(items) {
    std::iota(leaders_.begin(), leaders_.end(), 0U);
  }

  std::size_t items() const { return leaders_.size(); }

  void join(std::uint32_t a, std::uint32_t b) {
    a = root_of(a);
    b = root_of(b);
    if (a > b) std::swap(a, b);
    leaders_[b] = a;
  }

  // The smallest item of the group, whatever the order of the pairs.
  std::uint32_t root_of(std::uint32_t item) {
    while (leaders_[item] != item) item = leaders_[item] = leaders_[leaders_[item]];
    return item;
  }

 private:
  std::vector<std::uint32_t> leaders_;  // an item of the same group, no larger; itself at the root
};

}  // namespace bitsense
