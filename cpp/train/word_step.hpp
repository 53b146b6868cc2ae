// What a block of centres does to the tables, in phases that every thread enters together:
//
//   compose  (only models that ask for it) hidden vectors that several centres of the block share
//   score    each thread some centres: logits and their gradients, from tables that nobody moves
//   move     each thread some columns of all rows: the block's centres one after another
//
// Nothing depends on who does what: a centre's scalars are worked out by one thread, a column is
// moved by one thread, in the order of the plan. So the bytes are those of one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "core/matrix.hpp"
#include "kernels/table.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

// A share of the work: part `index` of `count`.
struct Share {
  std::size_t index = 0;
  std::size_t count = 1;
  std::size_t begin(std::size_t items) const { return items * index / count; }
  std::size_t end(std::size_t items) const { return items * (index + 1) / count; }
  // Where its columns of rows of `n` begin, and how many they are, in whole quanta.
  std::pair<std::size_t, std::size_t> columns(std::size_t n) const {
    const std::size_t first = begin(n / kRowQuantum) * kRowQuantum;
    return {first, end(n / kRowQuantum) * kRowQuantum - first};
  }
};

inline void prefetch_row(const float* row, std::size_t n) {
  for (std::size_t x = 0; x < n; x += kRowQuantum) __builtin_prefetch(row + x);
}

// The centres of a plan that are trained together.
struct Block {
  const WordPlan* plan = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  float rate = 0.0F;
  std::size_t size() const { return end - begin; }
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
  virtual bool composes() const { return false; }
  virtual void compose(const Block&, Share, std::size_t /*thread*/) {}
  virtual void score(const Block& block, Share share, std::size_t thread) = 0;
  virtual void move(const Block& block, Share share, std::size_t thread) = 0;
  virtual LossSum loss(const Block& block) const = 0;  // of its targets, after score
};

// The step of the model of this name for `threads` threads; std::invalid_argument for an unknown
// one.
std::unique_ptr<WordStep> make_word_step(const std::string& model, const Kernels& kernels,
                                         const WordOptions& options, const WordTables& tables,
                                         std::size_t threads);

}  // namespace bitsense
