// What a block of centres does to the tables, in phases that every thread enters together:
//
//   compose  (only where it is needed) hidden vectors that several centres of the block share
//   sum      (only for several threads, where a model does so) each thread some centres, half of
//            the columns of their rows: what these add to the dot products
//   score    each thread some centres: logits and their gradients, from tables that nobody moves
//   move     each thread some columns of all rows: the block's centres one after another
//
// Nothing depends on who does what: a centre's scalars are worked out by one thread, each half of a
// dot product too, whatever the number of threads, and a column is moved by one thread, in the
// order of the plan. So the bytes are those of one thread.
//
// What the phase `sum` is for: two threads that read and write no columns but their own keep them
// in their caches. Without it each reads what the other wrote a moment ago, and back, and two
// threads are little faster than one. The tables are split for it (halved_tables.hpp), unless a
// training is so short that splitting would take longer than what it saves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "core/matrix.hpp"
#include "core/parallel.hpp"
#include "core/prefetch.hpp"
#include "kernels/table.hpp"
#include "kernels/word_kernels.hpp"
#include "train/halved_tables.hpp"
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

  // Where a model sums: the half of the columns that it is at work on, and its part of that half's
  // work. Of two threads each moves the columns that it sums.
  std::size_t half() const { return count == 1 ? 0 : 2 * index / count; }
  Share within_half() const {
    const std::size_t first = (half() * count + 1) / 2;
    return {index - first, ((half() + 1) * count + 1) / 2 - first};
  }
  Slice half_of_columns(std::size_t n) const {
    return count == 1 ? Slice{0, n} : Halves{n}[half()];
  }
  Slice columns_within_half(std::size_t n) const {
    const Slice all = half_of_columns(n);
    const Slice some = within_half().columns(all.size());
    return {all.begin + some.begin, all.begin + some.end};
  }
  bool shares_half() const { return count > 2; }
};

// Calls work(i) for a part of `count` items, each after ask(i), which is called one item ahead.
template <class Ask, class Work>
void for_each_asked(Share part, std::size_t count, Ask&& ask, Work&& work) {
  const std::size_t end = part.end(count);
  std::size_t i = part.begin(count);
  if (i < end) ask(i);
  for (; i < end; ++i) {
    if (i + 1 < end) ask(i + 1);
    work(i);
  }
}

inline void prefetch_row(const float* row, Slice slice) {
  ask_for_lines(row + slice.begin, slice.size() * sizeof(float));
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

// Ask for the rows of a word that comes to a chunk with a centre some way on: most rows come from
// memory, and this spreads the waiting over both phases. The word is then a context word first.
constexpr std::size_t kEarlyInput = 32;  // centres
constexpr std::size_t kEarlyOutput = kBlockCentres;
// Where threads share a half of the columns, what comes soon is another's.
inline std::size_t early_input(const Share& share) {
  return share.shares_half() ? kBlockCentres : kEarlyInput;
}
inline void prefetch_early(const WordPlan& plan, std::size_t centre, const Table& table,
                           Slice slice) {
  if (centre < plan.centres.size())
    ask_for_lines<2>(table.row(plan.tokens[plan.centres[centre].at]) + slice.begin,
                     slice.size() * sizeof(float));
}

// Asks for the scalars of a tile some way on, which another thread may have written: those of the
// t-th of `tiles` lie here, `each` floats.
inline void prefetch_scalars(const float* scalars, std::size_t each, std::size_t t,
                             std::size_t tiles) {
  constexpr std::size_t kAhead = 3;
  if (t + kAhead < tiles) ask_for_lines(scalars + kAhead * each, each * sizeof(float));
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
  // With the number of threads that it was made for.
  virtual bool sums() const { return false; }
  virtual void sum(const Block&, Share, std::size_t /*thread*/) {}
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
