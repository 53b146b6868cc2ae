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
#include "kernels/table.hpp"
#include "kernels/word_kernels.hpp"
#include "train/halved_tables.hpp"
#include "train/team.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

// The centres of a plan that are trained together.
struct Block {
  const WordPlan* plan = nullptr;
  std::size_t number = 0;  // in the plan
  std::size_t begin = 0;
  std::size_t end = 0;
  float rate = 0.0F;
  std::size_t group_centres = 0;
  std::size_t size() const { return end - begin; }
  // Of its c-th centre.
  std::uint32_t word(std::size_t c) const { return plan->word(begin + c); }

  // Some of what it has, by their numbers in the block.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  // How many runs of `each` centres there are, the last maybe of fewer, and the centres of one.
  std::size_t runs(std::size_t each) const { return (size() + each - 1) / each; }
  Range run(std::size_t r, std::size_t each) const {
    return {r * each, std::min((r + 1) * each, size())};
  }
  std::size_t groups() const { return runs(group_centres); }
  Range group(std::size_t g) const { return run(g, group_centres); }
  // The runs of a group, which has whole ones.
  Range runs_of(std::size_t g, std::size_t each) const {
    const auto [first, last] = group(g);
    return {first / each, (last + each - 1) / each};
  }
};

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
  // Of a group, which threads hand each other at a time: whole runs. Where it sums, a block has at
  // most Team::kMostGroups groups.
  virtual std::size_t group_centres() const = 0;
  // How many have the noise of the first of them, instead of each its own.
  virtual std::size_t noise_centres() const = 0;
  // Adds to a plan what depends on the model; called by any thread. Where there is but one it also
  // asks for rows that the plan needs first.
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
