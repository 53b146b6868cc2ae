// What a block of centres does to the tables, in phases that every thread enters together:
//
//   compose  (only where it is needed) hidden vectors that several centres of the block share
//   score    each thread some centres: logits and their gradients, from tables that nobody moves
//   move     each thread some columns of all rows: the block's centres one after another
//
// Nothing depends on who does what: a centre's scalars are worked out by one thread, a column is
// moved by one thread, in the order of the plan. So the bytes are those of one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "core/matrix.hpp"
#include "kernels/table.hpp"
#include "kernels/word_kernels.hpp"
#include "train/word_options.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

// A share of the work: part `index` of `count`.
struct Share {
  std::size_t index = 0;
  std::size_t count = 1;
  std::size_t begin(std::size_t items) const { return items * index / count; }
  std::size_t end(std::size_t items) const { return items * (index + 1) / count; }
  // Its columns of rows of `n`, in whole quanta.
  Slice columns(std::size_t n) const {
    return {begin(n / kRowQuantum) * kRowQuantum, end(n / kRowQuantum) * kRowQuantum};
  }
};

inline void prefetch_row(const float* row, Slice slice) {
  for (std::size_t x = slice.begin; x < slice.end; x += kRowQuantum) __builtin_prefetch(row + x);
}

// The same for a row that will be written.
inline void own_row(float* row, Slice slice) {
  for (std::size_t x = slice.begin; x < slice.end; x += kRowQuantum) {
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(row[x]));  // no compiler makes it for all processors
#else
    __builtin_prefetch(row + x, 1);
#endif
  }
}

// The centres of a plan that are trained together.
struct Block {
  const WordPlan* plan = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  float rate = 0.0F;
  std::size_t size() const { return end - begin; }
};

// Asks for the rows of the context words of the c-th centre of a block, but for those that the
// centre before it had.
inline void prefetch_context(const Block& block, std::size_t c, const Table& table) {
  const WordPlan& plan = *block.plan;
  const Centre& centre = plan.centres[block.begin + c];
  const std::uint32_t asked = c > 0 ? plan.centres[block.begin + c - 1].last : 0;
  for (std::uint32_t j = std::max(centre.first, asked); j < centre.last; ++j)
    prefetch_row(table.row(plan.tokens[j]), {0, table.stride});
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
  // Adds to a plan what depends on the model; called by any thread.
  virtual void lay_out(WordPlan& /*plan*/) const {}
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
