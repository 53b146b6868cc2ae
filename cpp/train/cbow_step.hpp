// The step of CBOW (models/cbow.hpp): runs of centres that share their noise.
//
// The noise of a run is a dense tile, a centre's own target a single product beside it. What the
// hidden vectors are pulled by is kept until the end of the block; then each token of the block
// adds up what the centres that it is context of ask of its rows, so that a row is read and written
// once for each of its tokens, not once for each centre.
#pragma once

#include <vector>

#include "kernels/word_kernels.hpp"
#include "train/word_step.hpp"

namespace bitsense {

class CbowStep final : public WordStep {
 public:
  CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
           std::size_t threads);

  void score(const Block& block, Share share, std::size_t thread) override;
  void move(const Block& block, Share share, std::size_t thread) override;
  LossSum loss(const Block& block) const override;

 private:
  // The distinct noise words of a run, with how often each was drawn.
  struct Noise {
    std::vector<std::uint32_t> words;
    std::vector<float> times;
    bool plain = true;  // each once
  };
  struct Scratch {
    std::uint32_t asked = 0;  // rows of tokens of the plan before this one were asked for
    std::vector<const float*> rows;
    std::vector<float*> in;
    std::vector<float*> out;
    std::vector<const float*> pulls;
    std::vector<float> factors;
    AlignedFloats weight;
    AlignedFloats label;
    AlignedFloats sum;
  };

  std::size_t runs(const Block& block) const;
  std::size_t first_of(std::size_t run) const;
  std::size_t size_of(const Block& block, std::size_t run) const;
  std::uint32_t target(const Block& block, std::size_t c) const;

  void prepare(const Block& block, std::size_t run, Scratch& scratch);
  void compose(const Block& block, std::size_t c, Scratch& scratch);
  void score_run(const Block& block, std::size_t run, Scratch& scratch);
  void move_run(const Block& block, std::size_t run, std::size_t x, std::size_t n,
                Scratch& scratch);
  void move_tokens(const Block& block, std::size_t x, std::size_t n, Scratch& scratch);

  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::size_t n_;
  std::size_t g_size_;
  // Per centre of the block.
  AlignedFloats hidden_;
  AlignedFloats pulls_;
  std::vector<float> shares_;  // of a row of its context in the mean
  // Per run.
  std::vector<Noise> noise_;
  AlignedFloats g_;  // centres x noise words, then a value for each centre's target
  std::vector<LossSum> losses_;
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
