// One block's work on the parameters, in two phases of independent tasks. In the first each task
// reads the output rows, which nobody writes, and moves the documents of one tile; in the second
// each task sums what the documents ask of a few output rows, in a fixed order, and moves those. So
// the result does not depend on which thread does which task, nor on how many there are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/table.hpp"
#include "train/block.hpp"
#include "train/objective.hpp"
#include "train/plan.hpp"

namespace bitsense {

// The parameters and what the optimiser keeps beside them.
struct TrainState {
  Parameters* parameters;
  Parameters squares;  // AdaGrad's sums of squared gradients
};

// The scratch of one thread.
struct StepScratch {
  StepScratch(std::size_t n, std::size_t noise_rows);
  TileScratch tile;
  AlignedFloats gradients;  // kTile rows
  std::vector<const float*> rows;
  std::vector<float> factors;
};

class Step {
 public:
  virtual ~Step() = default;

  // Prepares for a plan; nothing else may run.
  virtual void begin(const Plan& plan) = 0;
  virtual std::size_t tile_tasks() const = 0;
  virtual std::size_t row_tasks() const = 0;
  virtual void move_documents(std::size_t task, StepScratch& scratch) = 0;
  virtual void move_rows(std::size_t task, StepScratch& scratch) = 0;
  virtual double loss() const = 0;  // of the plan's targets, summed
};

// The step of the model of this name; throws std::invalid_argument for an unknown one.
std::unique_ptr<Step> make_step(const std::string& model, const Kernels& kernels,
                                const TrainOptions& options, const NoiseDistribution& noise,
                                TrainState& state);

}  // namespace bitsense
