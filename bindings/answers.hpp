// What searches return, allocated with the GIL, filled without it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "kernels/dispatch.hpp"
#include "search/filter.hpp"
#include "search/top_k.hpp"

using Level = std::optional<std::string>;
using Bitmap = std::optional<Array<std::uint64_t>>;
using Ranks = std::optional<Array<std::uint32_t>>;

inline const bitsense::Kernels& kernels_at(const Level& level) {
  return level ? bitsense::kernels(*level) : bitsense::kernels();
}

// The bits of `items` items in 64-bit words; None lets everything pass.
inline bitsense::Filter filter_of(const Bitmap& bitmap, std::size_t items) {
  if (!bitmap) return {};
  require_dimensions(*bitmap, 1, "bitmap");
  const auto words = static_cast<std::size_t>(bitmap->shape(0));
  bitsense::require(words == (items + 63) / 64, "`bitmap` must have ", (items + 63) / 64,
                    " words, got ", words);
  return {bitmap->data(), items};
}

inline const std::uint32_t* ranks_of(const Ranks& ranks, std::size_t items) {
  if (!ranks) return nullptr;
  require_dimensions(*ranks, 1, "ranks");
  const auto length = static_cast<std::size_t>(ranks->shape(0));
  bitsense::require(length == items, "`ranks` must have ", items, " items, got ", length);
  return ranks->data();
}

// run(ids, values) fills two arrays of queries x k: int64, and Value.
template <class Value, class Run>
py::tuple answers(std::size_t queries, std::size_t k, Run&& run) {
  auto ids = make_array<std::int64_t>({queries, k});
  auto values = make_array<Value>({queries, k});
  auto* to_ids = ids.mutable_data();
  auto* to_values = values.mutable_data();
  {
    py::gil_scoped_release release;
    run(to_ids, to_values);
  }
  return py::make_tuple(ids, values);
}

// A neighbour's id and distance.
inline std::pair<std::int64_t, std::int32_t> split_neighbor(bitsense::Neighbor x) {
  return {static_cast<std::int64_t>(bitsense::neighbor_id(x)),
          static_cast<std::int32_t>(bitsense::neighbor_distance(x))};
}

// run() gives a list per query; split(x) an item's id and value. They become offsets, ids, values.
template <class Value, class Run, class Split>
py::tuple answer_lists(Run&& run, Split&& split) {
  const auto lists = [&] {
    py::gil_scoped_release release;
    return run();
  }();
  auto offsets = make_array<std::int64_t>({lists.size() + 1});
  auto* offset = offsets.mutable_data();
  offset[0] = 0;
  for (std::size_t q = 0; q < lists.size(); ++q) {
    offset[q + 1] = offset[q] + static_cast<std::int64_t>(lists[q].size());
  }
  const auto total = static_cast<std::size_t>(offset[lists.size()]);
  auto ids = make_array<std::int64_t>({total});
  auto values = make_array<Value>({total});
  auto* id = ids.mutable_data();
  auto* value = values.mutable_data();
  for (const auto& list : lists) {
    for (const auto& x : list) std::tie(*id++, *value++) = split(x);
  }
  return py::make_tuple(offsets, ids, values);
}
