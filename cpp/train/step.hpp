// One block's work on the parameters, in two phases of independent tasks. In the first each task
// reads the output rows, which nobody writes, and works out the gradients of the hidden vectors of
// one tile; in the second each task sums what these ask of a few rows, in a fixed order, and moves
// those. So the result does not depend on which thread does which task, nor on how many there are.
// What a hidden vector is made from is the business of train/composition.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "train/composition.hpp"
#include "train/objective.hpp"

namespace bitsense {

class Step {
 public:
  virtual ~Step() = default;

  // Prepares for a plan; nothing else may run.
  virtual void begin(const Plan& plan) = 0;
  virtual std::size_t tile_tasks() const = 0;
  virtual std::size_t row_tasks() const = 0;
  virtual void score_tile(std::size_t task, StepScratch& scratch) = 0;
  virtual void move_rows(std::size_t task, StepScratch& scratch) = 0;
  virtual double loss() const = 0;  // of the plan's targets, summed
};

// The step of the model of this name for blocks that `team` threads share; throws
// std::invalid_argument for an unknown one.
std::unique_ptr<Step> make_step(const std::string& model, const Kernels& kernels,
                                const TrainOptions& options, const NoiseDistribution& noise,
                                TrainState& state, std::size_t team);

}  // namespace bitsense
