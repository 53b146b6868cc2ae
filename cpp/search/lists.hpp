// Inverted lists: rows grouped by the nearest of some centers, so that a search looks only at the
// groups whose centers are nearest to a query (Jegou, Douze and Schmid, PAMI 2011, section IV).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitsense {

// List i has the places [starts[i], starts[i + 1]). In it the rows farthest from the center come
// first, those as far as each other in ascending order.
struct InvertedLists {
  std::size_t count;
  const std::uint32_t* starts;  // count + 1 of them
  const std::uint32_t* rows;    // of each place

  std::size_t first(std::size_t list) const { return starts[list]; }
  std::size_t last(std::size_t list) const { return starts[list + 1]; }
};

// Writes where the lists of rows with these labels, below `count`, begin and what rows they have.
// `distances` are those of the rows from their centers.
void fill_lists(std::span<const std::int64_t> labels, std::span<const std::int32_t> distances,
                std::size_t count, std::uint32_t* starts, std::uint32_t* rows);

// Throws std::invalid_argument unless the lists hold each row below `rows` once, and no other.
void check_lists(const InvertedLists& lists, std::size_t rows);

// That a query looks at a list.
struct Visit {
  std::uint32_t query, list;
};

// Which queries look at each list, in the order of the visits that this is made of.
class Visits {
 public:
  Visits(std::span<const Visit> visits, std::size_t lists);

  std::span<const std::uint32_t> of(std::size_t list) const {
    return {visitors_.data() + starts_[list], starts_[list + 1] - starts_[list]};
  }

 private:
  std::vector<std::size_t> starts_;
  std::vector<std::uint32_t> visitors_;
};

}  // namespace bitsense
