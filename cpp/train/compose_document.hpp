// Hidden vectors that are made from the row of a document alone. A document has one run in a block,
// so its row moves in the first phase.
#pragma once

#include <algorithm>

#include "train/composition.hpp"

namespace bitsense {

template <class Model>
class ComposeDocument final : public Composition {
 public:
  explicit ComposeDocument(const Work& work) : work_(work) {}

  void begin() override {}
  void compose(std::size_t run, float* h, StepScratch& /*scratch*/) override {
    const Matrix& documents = work_.parameters().hidden;
    Model::forward(work_.kernel, documents.row(work_.plan->runs[run].document), h,
                   documents.stride());
  }
  void send_back(std::size_t run, float* g, StepScratch& /*scratch*/) override {
    const std::uint32_t document = work_.plan->runs[run].document;
    Matrix& documents = work_.parameters().hidden;
    Model::backward(work_.kernel, documents.row(document), g, documents.stride());
    work_.kernel.adagrad(documents.row(document), work_.state.squares.hidden.row(document), g,
                         work_.rate * work_.options.document_rate, documents.stride());
  }
  std::size_t row_tasks() const override { return 0; }
  void move_rows(std::size_t /*task*/, StepScratch& /*scratch*/) override {}

 private:
  const Work& work_;
};

// The row of the document under a projection, whose rows move in the second phase by the documents
// as they were in the first.
template <class Model>
class ComposeProjected final : public Composition {
 public:
  explicit ComposeProjected(const Work& work) : work_(work) {
    const Matrix& projection = work.parameters().projection;
    for (std::size_t j = 0; j < projection.rows(); ++j) rows_.push_back(projection.row(j));
  }

  void begin() override {
    const std::size_t runs = work_.plan->runs.size();
    if (inputs_.rows() >= runs) return;
    inputs_ = Matrix(runs, work_.parameters().hidden.dim());
    values_ = Matrix(runs, rows_.size());
  }

  void compose(std::size_t run, float* h, StepScratch& /*scratch*/) override {
    const float* r = work_.parameters().hidden.row(work_.plan->runs[run].document);
    std::copy_n(r, inputs_.stride(), inputs_.row(run));
    float* a = values_.row(run);
    Model::project(work_.kernel, r, rows_.data(), rows_.size(), a, inputs_.stride());
    Model::forward(work_.kernel, a, h, values_.stride());
  }

  void send_back(std::size_t run, float* g, StepScratch& scratch) override {
    const std::uint32_t document = work_.plan->runs[run].document;
    const std::size_t n = inputs_.stride();
    float* pull = scratch.input.data();
    Model::backward(work_.kernel, values_.row(run), g, values_.stride());
    Model::project_back(work_.kernel, g, rows_.data(), rows_.size(), pull, n);
    work_.kernel.adagrad(work_.parameters().hidden.row(document),
                         work_.state.squares.hidden.row(document), pull,
                         work_.rate * work_.options.document_rate, n);
  }

  std::size_t row_tasks() const override {
    return (rows_.size() + kRowsPerTask - 1) / kRowsPerTask;
  }

  void move_rows(std::size_t task, StepScratch& scratch) override {
    const std::size_t first = task * kRowsPerTask;
    const std::size_t count = std::min(kRowsPerTask, rows_.size() - first);
    const std::size_t runs = work_.plan->runs.size();
    const std::size_t n = inputs_.stride();
    const float* pulls[kRowsPerTask];
    float* gradients[kRowsPerTask];
    for (std::size_t j = 0; j < count; ++j) {
      pulls[j] = work_.gradients.row(0) + first + j;
      gradients[j] = scratch.gradients.data() + j * n;
    }
    scratch.rows.resize(runs);
    for (std::size_t i = 0; i < runs; ++i) scratch.rows[i] = inputs_.row(i);
    work_.kernel.multiply(pulls, work_.gradients.stride(), scratch.rows.data(), runs, gradients,
                          count, n, false);
    for (std::size_t j = 0; j < count; ++j)
      work_.kernel.adagrad(work_.parameters().projection.row(first + j),
                           work_.state.squares.projection.row(first + j), gradients[j],
                           work_.rate * work_.options.projection_rate, n);
  }

 private:
  static constexpr std::size_t kRowsPerTask = 12;

  const Work& work_;
  std::vector<const float*> rows_;  // of the projection
  Matrix inputs_;                   // r of each run
  Matrix values_;                   // a of each run
};

}  // namespace bitsense
