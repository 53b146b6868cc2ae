// Hidden vectors that are made from the row of a document and those of the words around a target,
// as their mean or side by side. A row serves many runs of a block, so all move in the second
// phase.
#pragma once

#include <algorithm>

#include "models/inputs.hpp"
#include "train/composition.hpp"

namespace bitsense {

// Writes the words' part of h: under kMean adds their rows to it and returns their number, else
// writes the part of each behind `dim` and zeros for absent ones. `input` has room for a row.
template <class Model>
std::size_t add_context(const FloatKernels& kernel, const float* const* words, std::size_t slots,
                        std::size_t dim, std::size_t stride, bool round, float* h, float* input) {
  std::size_t present = 0;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const float* word = words[slot];
    present += word != nullptr ? 1 : 0;
    if constexpr (Model::kInputs == Inputs::kMean) {
      if (word != nullptr) kernel.axpy(1.0F, word, h, stride);
      continue;
    } else if (word == nullptr) {
      std::fill_n(h + slot * dim, dim, 0.0F);
    } else {
      if (round)
        Model::forward(kernel, word, input, stride);
      else
        Model::soft_forward(kernel, word, input, stride);
      std::copy_n(input, dim, h + slot * dim);
    }
  }
  return present;
}

template <class Model>
class ComposeContext final : public Composition {
 public:
  explicit ComposeContext(const Work& work) : work_(work) {}

  void begin() override {
    if constexpr (kMean) shares_.resize(work_.plan->runs.size());
  }
  void compose(std::size_t run, float* h, StepScratch& scratch) override;
  void send_back(std::size_t /*run*/, float* /*g*/, StepScratch& /*scratch*/) override {}

  std::size_t row_tasks() const override { return document_tasks() + context_tasks(); }
  void move_rows(std::size_t task, StepScratch& scratch) override {
    const bool documents = task < document_tasks();
    const std::size_t first = (documents ? task : task - document_tasks()) * kRowsPerTask;
    const std::size_t all = documents ? document_count() : work_.plan->context_rows.size();
    const std::size_t last = std::min(first + kRowsPerTask, all);
    if (documents) {
      for (std::size_t i = first; i < last; ++i) move_document(i, scratch);
      return;
    }
    ask_and_move(
        first, last, [&](std::size_t i) { own_word(i); },
        [&](std::size_t i) { move_word(i, scratch); });
  }

 private:
  static constexpr bool kMean = Model::kInputs == Inputs::kMean;
  static constexpr std::size_t kRowsPerTask = 16;

  std::size_t document_count() const { return work_.plan->document_runs.size() - 1; }
  std::size_t document_tasks() const {
    return (document_count() + kRowsPerTask - 1) / kRowsPerTask;
  }
  std::size_t context_tasks() const {
    return (work_.plan->context_rows.size() + kRowsPerTask - 1) / kRowsPerTask;
  }
  void own_word(std::size_t i) const {
    work_.own(work_.parameters().context, work_.state.squares.context, work_.plan->context_rows[i]);
  }
  void move_document(std::size_t i, StepScratch& scratch);
  void move_word(std::size_t i, StepScratch& scratch);
  float* gathered(const Matrix& table, StepScratch& scratch) const;

  const Work& work_;
  std::vector<float> shares_;  // 1 / the rows of each run's mean
};

template <class Model>
void ComposeContext<Model>::compose(std::size_t run, float* h, StepScratch& scratch) {
  const Plan& plan = *work_.plan;
  const Parameters& parameters = work_.parameters();
  const Matrix& documents = parameters.hidden;
  const Matrix& context = parameters.context;
  const std::uint32_t* words = plan.context.data() + run * plan.slots;
  scratch.rows.resize(plan.slots);
  for (std::size_t slot = 0; slot < plan.slots; ++slot)
    scratch.rows[slot] =
        words[slot] == NoiseDistribution::kUnseen ? nullptr : context.row(words[slot]);
  Model::forward(work_.kernel, documents.row(plan.runs[run].document), scratch.input.data(),
                 documents.stride());
  std::copy_n(scratch.input.data(), documents.dim(), h);
  const std::size_t present = add_context<Model>(
      work_.kernel, scratch.rows.data(), plan.slots, context.dim(), context.stride(),
      work_.options.round_words, kMean ? h : h + documents.dim(), scratch.input.data());
  if constexpr (kMean) {
    shares_[run] = 1.0F / static_cast<float>(1 + present);
    for (std::size_t x = 0; x < documents.stride(); ++x) h[x] *= shares_[run];
  }
}

// The sum of the gradients in scratch.rows, each times its factor; the reads past a part of a
// hidden vector are taken back.
template <class Model>
float* ComposeContext<Model>::gathered(const Matrix& table, StepScratch& scratch) const {
  float* gradient = scratch.gradients.data();
  const float* factors = scratch.factors.data();
  work_.kernel.multiply(&factors, 1, scratch.rows.data(), scratch.rows.size(), &gradient, 1,
                        table.stride(), false);
  std::fill(gradient + table.dim(), gradient + table.stride(), 0.0F);
  return gradient;
}

template <class Model>
void ComposeContext<Model>::move_document(std::size_t i, StepScratch& scratch) {
  const Plan& plan = *work_.plan;
  Matrix& documents = work_.parameters().hidden;
  const std::size_t first = plan.document_runs[i];
  const std::size_t count = plan.document_runs[i + 1] - first;
  const std::uint32_t document = plan.runs[first].document;
  scratch.rows.resize(count);
  scratch.factors.assign(count, 1.0F);
  for (std::size_t r = 0; r < count; ++r) {
    scratch.rows[r] = work_.gradients.row(first + r);
    if constexpr (kMean) scratch.factors[r] = shares_[first + r];
  }
  float* gradient = gathered(documents, scratch);
  Model::backward(work_.kernel, documents.row(document), gradient, documents.stride());
  work_.kernel.adagrad(documents.row(document), work_.state.squares.hidden.row(document), gradient,
                       work_.rate * work_.options.document_rate, documents.stride());
}

template <class Model>
void ComposeContext<Model>::move_word(std::size_t i, StepScratch& scratch) {
  const Plan& plan = *work_.plan;
  Matrix& context = work_.parameters().context;
  const std::size_t begin = plan.context_begins[i];
  const std::size_t count = plan.context_begins[i + 1] - begin;
  scratch.rows.resize(count);
  scratch.factors.assign(count, 1.0F);
  for (std::size_t e = 0; e < count; ++e) {
    const std::size_t run = plan.context_entries[begin + e] / plan.slots;
    const std::size_t slot = plan.context_entries[begin + e] % plan.slots;
    scratch.rows[e] = work_.gradients.row(run);
    if constexpr (kMean)
      scratch.factors[e] = shares_[run];
    else
      scratch.rows[e] += work_.parameters().hidden.dim() + slot * context.dim();
  }
  float* gradient = gathered(context, scratch);
  const std::uint32_t word = plan.context_rows[i];
  Model::backward(work_.kernel, context.row(word), gradient, context.stride());
  const float brake = work_.brake(count);
  for (std::size_t x = 0; x < context.stride(); ++x) gradient[x] *= brake;
  work_.descend(context.row(word), work_.state.squares.context.row(word), gradient,
                work_.rate * work_.options.context_rate, context.stride());
}

}  // namespace bitsense
