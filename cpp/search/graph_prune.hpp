// Which of the rows near a row become its neighbours: the rule of relative neighbourhoods. Nearest
// first, a candidate is left out if a neighbour that is already kept is nearer to it, by the factor
// alpha, than the row itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/graph_queue.hpp"

namespace bitsense {

template <class Space>
class Pruner {
 public:
  Pruner(const Space& space, float alpha) : space_(space), alpha_(alpha) {}

  // Writes at most `degree` of the candidates, which are in order of (distance to the row, row), to
  // `kept`, and returns how many.
  std::size_t prune(const Pair* candidates, std::size_t count, std::size_t degree,
                    std::uint32_t* kept) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && size < degree; ++i) {
      const std::uint32_t row = row_of_pair(candidates[i]);
      if (!is_dominated(row, key_of_pair(candidates[i]), kept, size)) kept[size++] = row;
    }
    return size;
  }

 private:
  static constexpr std::size_t kRun = 8;  // neighbours compared at once

  bool is_dominated(std::uint32_t row, std::uint32_t key, const std::uint32_t* kept,
                    std::size_t size) {
    if (size == 0) return false;
    space_.ask_row(asked_, row);
    for (std::size_t first = 0; first < size; first += kRun) {
      std::uint32_t keys[kRun];
      const std::size_t run = std::min(kRun, size - first);
      space_.measure(asked_, kept + first, run, keys);
      for (std::size_t i = 0; i < run; ++i)
        if (space_.dominates(keys[i], key, alpha_)) return true;
    }
    return false;
  }

  const Space& space_;
  float alpha_;
  typename Space::Asked asked_;
};

}  // namespace bitsense
