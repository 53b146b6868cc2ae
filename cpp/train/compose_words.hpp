// Hidden vectors that are made from the rows of a document's words, as their weighted sum. A row
// serves many documents of a block, so all move in the second phase.
#pragma once

#include <algorithm>

#include "train/composition.hpp"

namespace bitsense {

template <class Model>
class ComposeWords final : public Composition {
 public:
  explicit ComposeWords(const Work& work) : work_(work) {}

  void begin() override {
    if (values_.rows() < work_.plan->runs.size())
      values_ = Matrix(work_.plan->runs.size(), work_.parameters().context.dim());
  }

  void compose(std::size_t run, float* h, StepScratch& scratch) override {
    const Plan& plan = *work_.plan;
    const Run& here = plan.runs[run];
    scratch.rows.clear();
    // A neighbour's words, which are no inputs, come last.
    std::size_t count = 0;
    while (count < here.count && plan.target_input[here.first + count] > 0.0F)
      scratch.rows.push_back(work_.parameters().context.row(plan.targets[here.first + count++]));
    float* a = values_.row(run);
    const float* weights = plan.target_input.data() + here.first;
    work_.kernel.multiply(&weights, 1, scratch.rows.data(), count, &a, 1, values_.stride(), false);
    Model::forward(work_.kernel, a, h, values_.stride());
  }

  void send_back(std::size_t run, float* g, StepScratch& /*scratch*/) override {
    Model::backward(work_.kernel, values_.row(run), g, values_.stride());
  }

  std::size_t row_tasks() const override {
    return (work_.plan->rows.size() + kRowsPerTask - 1) / kRowsPerTask;
  }

  void move_rows(std::size_t task, StepScratch& scratch) override {
    const std::size_t first = task * kRowsPerTask;
    const std::size_t last = std::min(first + kRowsPerTask, work_.plan->rows.size());
    ask_and_move(
        first, last,
        [&](std::size_t row) {
          work_.own(work_.parameters().context, work_.state.squares.context, work_.plan->rows[row]);
        },
        [&](std::size_t row) { move_word(row, scratch); });
  }

 private:
  static constexpr std::size_t kRowsPerTask = 64;

  void move_word(std::size_t row, StepScratch& scratch) {
    const Plan& plan = *work_.plan;
    scratch.rows.clear();
    scratch.factors.clear();
    for (std::size_t e = plan.row_entries[row]; e < plan.row_entries[row + 1]; ++e) {
      const std::uint32_t target = plan.entries[e];
      if (plan.target_input[target] == 0.0F) continue;
      scratch.rows.push_back(work_.gradients.row(plan.target_run[target]));
      scratch.factors.push_back(plan.target_input[target]);
    }
    if (scratch.rows.empty()) return;
    Matrix& words = work_.parameters().context;
    float* gradient = scratch.gradients.data();
    const float* factors = scratch.factors.data();
    work_.kernel.multiply(&factors, 1, scratch.rows.data(), scratch.rows.size(), &gradient, 1,
                          words.stride(), false);
    const std::uint32_t word = plan.rows[row];
    work_.descend(words.row(word), work_.state.squares.context.row(word), gradient,
                  work_.rate * work_.options.context_rate, words.stride());
  }

  const Work& work_;
  Matrix values_;  // a of each run
};

}  // namespace bitsense
