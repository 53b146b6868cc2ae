// The step of the disambiguated skip-gram (models/disambiguated_skip_gram.hpp).
//
// A tile is a run of centres against the words of their contexts and noise that the run shares. All
// gradients of a block are taken at the same parameters: `score` works out every scalar, the hidden
// vectors, what moves them and the gates' contexts; `move` adds products of these to the rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.hpp"
#include "kernels/float_kernels.hpp"
#include "kernels/word_kernels.hpp"
#include "models/disambiguated_skip_gram.hpp"
#include "train/rows_ahead.hpp"
#include "train/word_step.hpp"

namespace bitsense {

// The logits of the gate of one centre: its context and what it makes of it.
class Gate {
 public:
  Gate(const FloatKernels& kernel, const WordTables& tables, std::size_t window)
      : kernel_(kernel), tables_(tables), window_(window), sum_(tables.output.stride) {}

  // Fills c, the context of the centre scaled to length 1. Centres of one run, in their order,
  // after `begin`.
  void begin() { open_ = false; }
  void context(const WordPlan& plan, const Centre& centre, float* c);

  // Fills l with a logit for each sense of the word.
  void logits(std::uint32_t word, const float* c, std::span<float> l);

 private:
  void add(const WordPlan& plan, std::uint32_t token, float sign) {
    kernel_.axpy(sign, tables_.output.row(plan.tokens[token]), sum_.data(), tables_.output.stride);
  }

  const FloatKernels& kernel_;
  WordTables tables_;
  std::size_t window_;
  AlignedFloats sum_;  // of the rows of tokens [first_, last_)
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t document_ = 0;
  bool open_ = false;
  std::vector<const float*> rows_;
  std::vector<float> shared_;
};

class SenseStep final : public WordStep {
 public:
  SenseStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
            std::size_t threads);

  std::size_t most_centres() const override { return kMostCentres; }
  std::size_t group_centres() const override { return Model::kRun; }  // a tile is a group
  std::size_t noise_centres() const override { return 1; }
  void score(const Block& block, std::size_t slot, Share share) override;
  void move(const Block& block, std::size_t slot, Share share) override;
  void move_shared(const Block& block, Share share) override;
  LossSum loss(const Block& block) const override;

 private:
  using Model = DisambiguatedSkipGram;
  // Half of what it might be: the gates' rates are high.
  static constexpr std::size_t kMostCentres = kBlockCentres / 2;
  static_assert(kMostCentres <= Team::kMostGroups * Model::kRun);
  struct Slot {  // of a tile, which is a group of the block
    std::size_t outputs = 0;
    LossSum loss;
  };
  struct alignas(kApart) Scratch {
    explicit Scratch(const Kernels& kernels, const WordOptions& options, const WordTables& tables);
    Gate gate;
    std::vector<std::uint32_t> word_outputs;  // per word: its output of the tile, if it has one
    AlignedFloats weight;
    AlignedFloats label;
    std::vector<float> noise_times;  // per output
    std::vector<const float*> in;
    std::vector<float*> out;
    std::vector<const float*> factors;
  };
  // The two parts of a training.
  struct Stage {
    bool shared;
    float temperature;
  };

  std::size_t senses(std::uint32_t word) const {
    return tables_.sense_offsets[word + 1] - tables_.sense_offsets[word];
  }
  float* sense(std::uint32_t word) const { return tables_.input.row(tables_.sense_offsets[word]); }
  Stage stage(const WordPlan& plan) const;
  std::uint32_t* outputs(std::size_t slot) { return outputs_.data() + slot * most_outputs_; }
  float* g(std::size_t slot) { return g_.data() + slot * g_size_; }

  void mix_senses(const Block& block, std::size_t c, const Stage& stage, Scratch& scratch);
  void add_output(std::size_t slot, std::uint32_t word, Scratch& scratch);
  void gather_outputs(const Block& block, std::size_t slot, Scratch& scratch);
  void weigh(const Block& block, std::size_t slot, Scratch& scratch);
  void score_tile(const Block& block, std::size_t slot, Scratch& scratch);
  void pull_gate(const Block& block, std::size_t c, const Stage& stage);
  void move_word(const Block& block, std::size_t c, bool shared, std::size_t x, std::size_t n);

  const FloatKernels& floats_;
  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::size_t n_;
  std::size_t most_outputs_;
  std::size_t g_size_;
  GumbelTable gumbel_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> outputs_;  // words, per tile
  AlignedFloats g_;                     // per tile: centres x outputs
  // Per centre of the block.
  Matrix contexts_;  // of the gate
  Matrix hidden_;
  Matrix moves_;  // -rate * dloss/dh
  Matrix mixes_;  // z
  Matrix pulls_;  // what the gate's logits are to move by
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
