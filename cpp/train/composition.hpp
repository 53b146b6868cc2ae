// How the hidden vectors of a block are made from rows of the input tables, and how their gradients
// go back to those rows. Everything else of a step is the same for all models (train/step.hpp).
//
// In the first phase a run's hidden vector is composed and its gradient sent back, and no row is
// written that another run reads; in the second each task sums what the runs ask of a few rows, in
// the order of the plan, and moves those.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/prefetch.hpp"
#include "kernels/table.hpp"
#include "train/block.hpp"
#include "train/plan.hpp"
#include "train/state.hpp"

namespace bitsense {

// Calls move(i) for the rows from `first` to `last`, and ask(i) some rows before.
template <class Ask, class Move>
void ask_and_move(std::size_t first, std::size_t last, Ask&& ask, Move&& move) {
  constexpr std::size_t kAhead = 3;
  for (std::size_t i = first; i < std::min(first + kAhead, last); ++i) ask(i);
  for (std::size_t i = first; i < last; ++i) {
    if (i + kAhead < last) ask(i + kAhead);
    move(i);
  }
}

// The scratch of one thread. n: floats of a hidden vector; widest: of the longest row.
struct StepScratch {
  StepScratch(std::size_t n, std::size_t widest, std::size_t noise_rows)
      : tile(n, noise_rows), gradients(widest * kTile), input(widest) {}
  TileScratch tile;
  AlignedFloats gradients;  // kTile rows
  AlignedFloats input;      // one row
  std::vector<const float*> rows;
  std::vector<float> factors;
};

// What a step and the composition of its hidden vectors share.
struct Work {
  const FloatKernels& kernel;
  const TrainOptions& options;
  TrainState& state;
  const Plan* plan = nullptr;
  float rate = 0.0F;
  Matrix gradients{};  // dL/dh of each run; a row more than there are runs, for reads past the end

  Parameters& parameters() const { return *state.parameters; }
  bool shares_rows() const { return options.threads > 1; }

  // Asks for what a word's row moves with, some rows before it does: the row itself, which
  // where there are several threads comes from the core that has moved it in the block before and
  // must be won back; and AdaGrad's squares, which nobody has read in this block.
  void own(const Matrix& table, const Matrix& squares, std::uint32_t word) const {
    if (shares_rows()) own_lines(table.row(word), table.stride() * sizeof(float));
    if (options.optimizer == Optimizer::kAdaGrad)
      own_lines(squares.row(word), squares.stride() * sizeof(float));
  }

  // Moves a word's row, which `contributions` targets asked for the gradient.
  void descend(float* w, float* squares, float* gradient, float times_rate, std::size_t n) const {
    if (options.optimizer == Optimizer::kAdaGrad)
      kernel.adagrad(w, squares, gradient, times_rate, n);
    else
      kernel.axpy(-times_rate, gradient, w, n);
  }

  // The same by the sum of some rows, each times its factor, and of what `gradient` holds where it
  // is to `accumulate`, braked; else it is scratch.
  void descend(float* w, float* squares, std::span<const float> factors, const float* const* rows,
               float* gradient, bool accumulate, std::size_t n) const {
    const float* first = factors.data();
    if (options.optimizer == Optimizer::kAdaGrad) {
      kernel.multiply(&first, 1, rows, factors.size(), &gradient, 1, n, accumulate);
      kernel.adagrad(w, squares, gradient, rate, n);
    } else {
      kernel.descend(w, accumulate ? gradient : nullptr, first, rows, factors.size(),
                     brake(factors.size()), rate, n);
    }
  }

  // Most contributions to one row of a word that plain SGD takes at full weight from one block: the
  // sum acts as one step, which is stable only below about 8 / (rate * |h|^2). Returns what the sum
  // is multiplied by.
  float brake(std::size_t contributions) const {
    constexpr float kRowCap = 32.0F;
    const auto count = static_cast<float>(contributions);
    return options.optimizer == Optimizer::kSgd && count > kRowCap ? kRowCap / count : 1.0F;
  }
};

class Composition {
 public:
  virtual ~Composition() = default;

  // Prepares for the plan of the work; nothing else may run.
  virtual void begin() = 0;

  // First phase: makes h of a run; takes g, which holds dL/dh, back as far as it goes without
  // writing what other runs read.
  virtual void compose(std::size_t run, float* h, StepScratch& scratch) = 0;
  virtual void send_back(std::size_t run, float* g, StepScratch& scratch) = 0;

  // Second phase.
  virtual std::size_t row_tasks() const = 0;
  virtual void move_rows(std::size_t task, StepScratch& scratch) = 0;
};

// That of the model of this name, for a work that outlives it; throws std::invalid_argument for an
// unknown name.
std::unique_ptr<Composition> make_composition(const std::string& model, const Work& work);

}  // namespace bitsense
