#include "search/lists.hpp"

#include <algorithm>

#include "core/errors.hpp"

namespace bitsense {

void fill_lists(std::span<const std::int64_t> labels, std::span<const std::int32_t> distances,
                std::size_t count, std::uint32_t* starts, std::uint32_t* rows) {
  std::vector<std::uint32_t> next(count + 1);
  for (const std::int64_t label : labels) ++next[static_cast<std::size_t>(label) + 1];
  for (std::size_t list = 0; list < count; ++list) next[list + 1] += next[list];
  std::copy(next.begin(), next.end(), starts);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows[next[static_cast<std::size_t>(labels[i])]++] = static_cast<std::uint32_t>(i);
  }
  for (std::size_t list = 0; list < count; ++list) {
    std::stable_sort(rows + starts[list], rows + starts[list + 1],
                     [&](std::uint32_t a, std::uint32_t b) { return distances[a] > distances[b]; });
  }
}

void check_lists(const InvertedLists& lists, std::size_t rows) {
  require(lists.starts[0] == 0 && lists.starts[lists.count] == rows, "`starts` must go from 0 to ",
          rows, ", got ", lists.starts[0], " to ", lists.starts[lists.count]);
  for (std::size_t i = 0; i < lists.count; ++i) {
    require(lists.first(i) <= lists.last(i), "`starts` must ascend, got ", lists.last(i),
            " behind ", lists.first(i));
  }
  std::vector<bool> listed(rows);
  for (std::size_t p = 0; p < rows; ++p) {
    const std::uint32_t row = lists.rows[p];
    require(row < rows && !listed[row], "`rows` must hold each row below ", rows, " once, got ",
            row, " at ", p);
    listed[row] = true;
  }
}

Visits::Visits(std::span<const Visit> visits, std::size_t lists)
    : starts_(lists + 1), visitors_(visits.size()) {
  for (const Visit& visit : visits) ++starts_[visit.list + 1];
  for (std::size_t list = 0; list < lists; ++list) starts_[list + 1] += starts_[list];
  std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1);
  for (const Visit& visit : visits) visitors_[next[visit.list]++] = visit.query;
}

}  // namespace bitsense
