// The step of CBOW (models/cbow.hpp): runs of centres that share their noise.
//
// The noise of a run is a dense tile, a centre's own target a single product beside it. What the
// hidden vectors are pulled by is kept until the end of the block; then each token of the block
// adds up what the centres that it is context of ask of its rows, so that a row is read and written
// once for each of its tokens, not once for each centre.
#pragma once

#include <vector>

#include "train/tiles.hpp"
#include "train/word_step.hpp"

namespace bitsense {

class CbowStep final : public WordStep {
 public:
  CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
           std::size_t threads);

  void lay_out(WordPlan& plan) const override;
  void score(const Block& block, Share share, std::size_t thread) override;
  void move(const Block& block, Share share, std::size_t thread) override;
  LossSum loss(const Block& block) const override;

 private:
  // Of one thread.
  struct Scratch {
    std::vector<const float*> rows;
    std::vector<const float*> in;
    std::vector<float*> out;
    std::vector<float*> pulls;
    std::vector<const float*> targets;
    std::vector<const float*> parts;
    std::vector<float> factors;
    std::vector<float> shares;  // per centre: of a row of its context in the mean
    AlignedFloats weight;
    AlignedFloats label;
    AlignedFloats sum;
  };
  // A run of a block: its first centre in the block, how many, and their noise.
  struct Run {
    std::size_t first;
    std::size_t size;
    std::span<const std::uint32_t> noise;
    const float* noise_times;
    bool plain;  // every noise word counts once
  };

  Run run_of(const Block& block, std::size_t run) const;
  std::uint32_t target(const Block& block, std::size_t c) const {
    return block.plan->tokens[block.plan->centres[block.begin + c].at];
  }
  float* hidden(std::size_t c) { return hidden_.data() + c * n_; }
  float* pull(std::size_t c) { return pulls_.data() + c * n_; }
  // Points scratch.in and scratch.out at the hidden vectors and the noise of a run.
  void point(const Run& run, Scratch& scratch);

  void prefetch(const Run& run) const;
  void compose(const Block& block, std::size_t c, Scratch& scratch);
  std::size_t context_rows(const WordPlan& plan, const Centre& centre) const;
  void score_run(const Block& block, const Run& run, float* g, float* loss, Scratch& scratch);
  void move_run(const Block& block, const Run& run, const float* g, Slice slice, Scratch& scratch);
  void own(const Block& block, const Run& run, Slice slice) const;
  void move_tokens(const Block& block, Slice slice, bool shared, Scratch& scratch);
  void move_token(std::uint32_t word, std::size_t parts, Slice slice, Scratch& scratch);

  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::size_t n_;
  std::size_t g_size_;
  AlignedFloats hidden_;  // per centre of the block
  AlignedFloats pulls_;
  AlignedFloats g_;       // per run: centres x noise words, then a value for each centre's target
  AlignedFloats losses_;  // per run: what they are made of
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
