// What a block of centres does to the tables, in phases:
//
//   compose  (only where it is needed) hidden vectors that several centres of the block share
//   sum      (only for two threads, where tables are split) each thread all centres, its half of
//            the columns of their rows: what these add to the dot products
//   score    each thread some centres: logits and their gradients, from tables that nobody moves
//   move     each thread some columns of all rows: the block's centres one after another, then
//            what they ask of shared rows
//
// Centres go by groups. Who waits for whom is written in team.hpp.
//
// Nothing depends on who does what: a centre's scalars are worked out by one thread, each half of a
// dot product too, whatever the number of threads, and a column is moved by one thread, in the
// order of the plan. So the bytes are those of one thread.
//
// What the phase `sum` is for: two threads that read and write no columns but their own keep them
// in their caches. Without it each reads what the other wrote a moment ago, and back, and two
// threads are little faster than one. The tables are split for it (halved_tables.hpp). More threads
// would have too few columns each; they read all of them, ask for rows in time, and meet after each
// phase. So do two where a training is so short that splitting would take longer than what it
// saves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "core/matrix.hpp"
#include "core/prefetch.hpp"
#include "kernels/table.hpp"
#include "kernels/word_kernels.hpp"
#include "train/halved_tables.hpp"
#include "train/team.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

inline void prefetch_row(const float* row, Slice slice) {
  ask_for_lines(row + slice.begin, slice.size() * sizeof(float));
}

// The same for a row that will be written.
inline void own_row(float* row, Slice slice) {
  own_lines(row + slice.begin, slice.size() * sizeof(float));
}

// The centres of a plan that are trained together.
struct Block {
  const WordPlan* plan = nullptr;
  std::size_t number = 0;  // in the plan
  std::size_t begin = 0;
  std::size_t end = 0;
  float rate = 0.0F;
  std::size_t size() const { return end - begin; }

  // Some of what it has, by their numbers in the block.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  std::size_t groups() const { return (size() + kGroupCentres - 1) / kGroupCentres; }
  // The centres of a group.
  Range group(std::size_t g) const {
    return {g * kGroupCentres, std::min((g + 1) * kGroupCentres, size())};
  }
};
static_assert(kBlockCentres <= Team::kMostGroups * kGroupCentres);

// The rows of a word that comes to a chunk with a centre are asked for some centres before: most
// come from memory, and this spreads the waiting. As an input the word is needed when it is the
// context of the first centre near it; as an output when its block is scored, thus while the block
// before it moves.
constexpr std::size_t kEarlyInput = 32;  // centres
constexpr std::size_t kEarlyOutput = kBlockCentres;
// Where threads share rows, what comes later is another's.
constexpr std::size_t kEarlySharedInput = 8;
inline std::size_t early_input(const Share& share) {
  return share.shares_rows() ? kEarlySharedInput : kEarlyInput;
}
inline void prefetch_early(const WordPlan& plan, std::size_t centre, const Table& table,
                           Slice slice) {
  if (centre < plan.centres.size())
    ask_for_lines<2>(table.row(plan.tokens[plan.centres[centre].at]) + slice.begin,
                     slice.size() * sizeof(float));
}

// For kernels that ask while they work: the rows of `count` such words, from a centre on; where the
// plan has no more, of its last.
inline void point_ahead(const WordPlan& plan, std::size_t centre, std::size_t count,
                        const Table& table, const float** rows) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t c = std::min(centre + i, plan.centres.size() - 1);
    rows[i] = table.row(plan.tokens[plan.centres[c].at]);
  }
}

// For one thread, which lays out a plan and trains on it next: asks for rows that the plan needs
// before it asks for them itself, those of its noise and of its first centres; some with each of
// its centres.
inline void prefetch_first(const WordPlan& plan, std::size_t centre, const WordTables& tables) {
  const Slice all{0, tables.output.stride};
  const std::size_t noise = plan.noise_words.size();
  if (centre < noise)
    ask_for_lines<2>(tables.output.row(plan.noise_words[centre]), all.size() * sizeof(float));
  else if (centre < noise + kEarlyOutput)
    prefetch_early(plan, centre - noise, tables.output, all);
  if (centre >= noise && centre < noise + kEarlyInput)
    prefetch_early(plan, centre - noise, tables.input, all);
}

// Asks for the scalars of a tile some way on, which another thread may have written: those of tile
// t of tiles up to `end` lie here, `each` floats.
inline void prefetch_scalars(const float* scalars, std::size_t each, std::size_t t,
                             std::size_t end) {
  constexpr std::size_t kAhead = 3;
  if (t + kAhead < end) ask_for_lines(scalars + kAhead * each, each * sizeof(float));
}

// A sum over targets: words that are predicted from one hidden vector each.
struct LossSum {
  double loss = 0.0;
  double targets = 0.0;
  void add(const LossSum& other) {
    loss += other.loss;
    targets += other.targets;
  }
};

class WordStep {
 public:
  virtual ~WordStep() = default;
  // Of a block.
  virtual std::size_t most_centres() const { return kBlockCentres; }
  // Adds to a plan what depends on the model; called by any thread.
  virtual void lay_out(WordPlan& /*plan*/) const {}
  virtual bool composes() const { return false; }
  virtual void compose(const Block&, Share) {}
  // With the number of threads that it was made for.
  virtual bool sums() const { return false; }
  virtual void sum(const Block&, std::size_t /*group*/, Share) {}
  virtual void score(const Block& block, std::size_t group, Share share) = 0;
  virtual void move(const Block& block, std::size_t group, Share share) = 0;
  virtual void move_shared(const Block&, Share) {}     // after all groups
  virtual LossSum loss(const Block& block) const = 0;  // of its targets, after score
};

// The step of the model of this name for `threads` threads; std::invalid_argument for an unknown
// one.
std::unique_ptr<WordStep> make_word_step(const std::string& model, const Kernels& kernels,
                                         const WordOptions& options, const WordTables& tables,
                                         std::size_t threads);

}  // namespace bitsense
