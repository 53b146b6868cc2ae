// Asking for rows of words, and for scalars of tiles, before they are needed.
//
// Most rows of words come from memory. Those of a word that comes to a chunk with a centre are
// asked for some centres before, which spreads the waiting. As an input the word is needed when it
// is the context of the first centre near it; as an output when its block is scored, thus while the
// block before it moves. What a plan needs before it could ask for it so, its noise and its first
// centres, is asked for while it is laid out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/matrix.hpp"
#include "core/prefetch.hpp"
#include "kernels/word_kernels.hpp"
#include "train/share.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

constexpr std::size_t kEarlyInput = 32;  // centres
constexpr std::size_t kEarlyOutput = kBlockCentres;
// Where threads share rows, what comes later is another's.
constexpr std::size_t kEarlySharedInput = 8;
inline std::size_t early_input(const Share& share) {
  return share.shares_rows() ? kEarlySharedInput : kEarlyInput;
}

inline void prefetch_row(const float* row, Slice slice) {
  ask_for_lines(row + slice.begin, slice.size() * sizeof(float));
}

// The same for a row that is needed some time later: into the second-level cache.
inline void prefetch_early(const float* row, Slice slice) {
  ask_for_lines<2>(row + slice.begin, slice.size() * sizeof(float));
}

// The same for a row that will be written.
inline void own_row(float* row, Slice slice) {
  own_lines(row + slice.begin, slice.size() * sizeof(float));
}

// The row of the word of a centre, if the plan has so many.
inline void prefetch_early(const WordPlan& plan, std::size_t centre, const Table& table,
                           Slice slice) {
  if (centre < plan.centres.size()) prefetch_early(table.row(plan.word(centre)), slice);
}

// For kernels that ask while they work: the rows of the words of `count` centres; where the plan
// has no more, of its last.
inline void point_ahead(const WordPlan& plan, std::size_t centre, std::size_t count,
                        const Table& table, const float** rows) {
  for (std::size_t i = 0; i < count; ++i)
    rows[i] = table.row(plan.word(std::min(centre + i, plan.centres.size() - 1)));
}

// For one thread, which lays out a plan and trains on it next: asks for some of the rows that the
// plan needs first, with each of its centres: those of its noise, then those of its first centres.
inline void prefetch_first(const WordPlan& plan, std::size_t centre, std::size_t count,
                           const WordTables& tables) {
  const Slice all{0, tables.output.stride};
  const std::size_t noise = plan.noise_words.size();
  for (std::size_t c = centre; c < centre + count; ++c) {
    if (c < noise) {
      prefetch_early(tables.output.row(plan.noise_words[c]), all);
      continue;
    }
    if (c - noise < kEarlyOutput) prefetch_early(plan, c - noise, tables.output, all);
    if (c - noise < kEarlyInput) prefetch_early(plan, c - noise, tables.input, all);
  }
}

// Asks for the scalars of a tile some way on, which another thread may have written: those of tile
// t of tiles up to `end` lie here, `each` floats.
inline void prefetch_scalars(const float* scalars, std::size_t each, std::size_t t,
                             std::size_t end) {
  constexpr std::size_t kAhead = 3;
  if (t + kAhead < end) ask_for_lines(scalars + kAhead * each, each * sizeof(float));
}

}  // namespace bitsense
