// The step of CBOW (models/cbow.hpp): runs of centres that share their noise.
//
// The noise of a run is a dense tile, a centre's own target one more column of it. What the
// hidden vectors are pulled by is kept in their places until the end of the block; then each token
// of the block adds up what the centres that it is context of ask of its rows, so that a row is
// read and written once for each of its tokens, not once for each centre.
#pragma once

#include <array>
#include <vector>

#include "kernels/float_kernels.hpp"
#include "models/cbow.hpp"
#include "train/rows_ahead.hpp"
#include "train/tiles.hpp"
#include "train/word_step.hpp"

namespace bitsense {

class CbowStep final : public WordStep {
 public:
  CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
           std::size_t threads);

  // Large where two threads hand them over, small where many share them out.
  std::size_t group_centres() const override { return scratch_.size() > 2 ? Cbow::kRun : kGroup; }
  std::size_t noise_centres() const override { return Cbow::kRun; }
  void lay_out(WordPlan& plan) const override;
  bool sums() const override { return tables_.halved; }
  void sum(const Block& block, std::size_t group, Share share) override;
  void score(const Block& block, std::size_t group, Share share) override;
  void move(const Block& block, std::size_t group, Share share) override;
  void move_shared(const Block& block, Share share) override;
  LossSum loss(const Block& block) const override;

 private:
  static constexpr std::size_t kGroup = 3 * Cbow::kRun;
  static_assert(kBlockCentres <= Team::kMostGroups * kGroup);
  // A run of a block: its first centre in the block, how many, and their noise.
  struct Run {
    std::size_t first;
    std::size_t size;
    std::span<const std::uint32_t> noise;
    const OutputUse* uses;  // how often each counts
    std::size_t pairs() const { return size * (noise.size() + 1); }
  };
  // The runs of a block. Each of two threads points at its half of the rows; more threads at whole
  // rows, and who moves a run reads what the one who scored it has written here.
  struct Pointers {
    std::vector<const float*> hidden;  // per centre of the block
    std::vector<float*> targets;
    std::size_t places = 0;  // for the noise of a run
    std::vector<float*> noise;
    std::vector<Run> runs;

    float** noise_of(std::size_t run) { return noise.data() + run * places; }
  };
  // The rows of the words around some centres, as windows of a sequence of rows.
  struct BagsOfCentres {
    std::vector<std::uint32_t> ids;
    std::vector<std::uint32_t> begins;

    Windows fill(const WordPlan& plan, std::size_t first, std::size_t count, const Bags& bags);
  };
  // Of one thread.
  struct alignas(kApart) Scratch {
    BagsOfCentres bags;
    AlignedFloats weight;
    AlignedFloats label;
    AlignedFloats sum;
    AlignedFloats copy;  // of a run's hidden vectors and own rows
  };
  // Where the rows are that a thread is at work on, all columns of them or half.
  struct Rows {
    Table input;
    Table output;
    Table hidden;  // per centre of the block; once it has moved, what it is pulled by
  };
  Run run_of(const Block& block, std::size_t run) const;
  // Points at the targets and the noise of the r-th run of a block.
  void point(const Block& block, std::size_t r, const Rows& rows, Pointers& to) const;
  // Asks for the rows of a run's noise, or for those that it moves, to write them.
  static void prefetch(std::size_t r, Slice slice, Pointers& at);
  static void own(std::size_t r, Slice slice, Pointers& at);
  void compose(const Block& block, Block::Range centres, const Rows& rows, Share share,
               Scratch& scratch);
  // Calls f(r, run) for the runs of a group, whose hidden vectors have been worked out, and whose
  // targets and noise are pointed at.
  template <class F>
  void for_each_run(const Block& block, std::size_t group, Share share, F&& f);
  void differentiate(const Block& block, std::size_t r, const Run& run, Scratch& scratch);
  void move_bag(const Rows& rows, const Windows& windows, std::uint32_t word, std::size_t token,
                Slice slice, float* sum) const;
  float* g(std::size_t r) { return g_.data() + r * g_size_; }
  float* partial(std::size_t half, std::size_t r) {
    return halves_.data() + (half * kMostRuns + r) * g_size_;
  }

  static constexpr std::size_t kMostRuns = (kBlockCentres + Cbow::kRun - 1) / Cbow::kRun;
  const FloatKernels& floats_;
  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::array<Rows, 2> rows_;  // by Share::half
  std::size_t n_;             // columns that rows have room for
  std::size_t used_;
  std::size_t g_size_;
  AlignedFloats hidden_;
  AlignedFloats g_;       // per run: centres x (noise words, then the centre's target)
  AlignedFloats losses_;  // per run: what they are made of
  AlignedFloats halves_;  // per half of the columns, of all runs: the same as g_, for `sum`
  std::array<Pointers, 2> pointers_;  // by Share::half
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
