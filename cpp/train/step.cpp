#include "train/step.hpp"

#include <algorithm>

#include "models/registry.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kNoiseRowsPerTask = 12;
constexpr std::size_t kTargetRowsPerTask = 64;

// Most contributions to one output row that plain SGD takes at full weight from one block: the sum
// acts as one step, which is stable only below about 8 / (rate * |h|^2).
constexpr float kRowCap = 32.0F;

std::size_t ceil_divide(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

template <class Model>
class ModelStep final : public Step {
 public:
  ModelStep(const Kernels& kernels, const TrainOptions& options, const NoiseDistribution& noise,
            TrainState& state)
      : kernel_(*kernels.floats),
        options_(options),
        objective_(options.objective, options.negatives, noise),
        state_(state),
        parameters_(*state.parameters),
        n_(parameters_.output.stride()),
        hidden_(options.batch, parameters_.output.dim()) {}

  void begin(const Plan& plan) override {
    plan_ = &plan;
    rate_ = options_.learning_rate * std::max(1e-4F, 1.0F - plan.progress);
    objective_.noise_terms(plan.noise, parameters_.bias.data(), terms_);
    noise_rows_.clear();
    for (const std::uint32_t word : plan.noise.words)
      noise_rows_.push_back(parameters_.output.row(word));
    const std::size_t tile_size = kTile * noise_rows_.size();
    if (tiles_.size() < tile_size * tile_tasks()) tiles_ = AlignedFloats(tile_size * tile_tasks());
    coefficients_.resize(plan.targets.size());
    losses_.assign(plan.runs.size(), 0.0);
  }

  std::size_t tile_tasks() const override { return ceil_divide(plan_->runs.size(), kTile); }
  std::size_t row_tasks() const override {
    return noise_tasks() + ceil_divide(plan_->rows.size() - noise_rows_.size(), kTargetRowsPerTask);
  }

  void move_documents(std::size_t task, StepScratch& scratch) override;
  void move_rows(std::size_t task, StepScratch& scratch) override;

  double loss() const override {
    double total = 0.0;
    for (const double loss : losses_) total += loss;
    return total;
  }

 private:
  std::size_t noise_tasks() const { return ceil_divide(noise_rows_.size(), kNoiseRowsPerTask); }
  float* tile(std::size_t task) { return tiles_.data() + task * kTile * noise_rows_.size(); }

  void score_targets(const Run& run, const float* hidden, StepScratch& scratch);
  void pull_targets(const Run& run, float* gradient, StepScratch& scratch);
  void drop(const Run& run, float* values) const;
  void descend(float* w, float* squares, const float* gradient);
  void move_noise_rows(std::size_t first, std::size_t count, StepScratch& scratch);
  void move_row(std::size_t row, float* gradient, float bias_gradient, bool accumulate,
                StepScratch& scratch);

  const FloatKernels& kernel_;
  TrainOptions options_;
  BlockObjective objective_;
  TrainState& state_;
  Parameters& parameters_;
  std::size_t n_;
  const Plan* plan_ = nullptr;
  float rate_ = 0.0F;
  Matrix hidden_;  // h of each run
  NoiseTerms terms_;
  std::vector<const float*> noise_rows_;
  AlignedFloats tiles_;              // logits, then gradients, of noise: a tile per kTile runs
  std::vector<float> coefficients_;  // the same of each target
  std::vector<double> losses_;
};

template <class Model>
void ModelStep<Model>::move_documents(std::size_t task, StepScratch& scratch) {
  const std::size_t first = task * kTile;
  const std::size_t count = std::min(kTile, plan_->runs.size() - first);
  const float* hidden[kTile];
  float* gradients[kTile];
  TargetTerms targets[kTile];
  for (std::size_t l = 0; l < count; ++l) {
    const Run& run = plan_->runs[first + l];
    float* h = hidden_.row(first + l);
    Model::forward(kernel_, parameters_.hidden.row(run.document), h, n_);
    drop(run, h);
    hidden[l] = h;
    gradients[l] = scratch.gradients.data() + l * n_;
    score_targets(run, h, scratch);
    targets[l] = {{coefficients_.data() + run.first, run.count},
                  {},
                  {plan_->target_noise.data() + run.first, run.count}};
  }
  scratch.tile.noise_logits(kernel_, {hidden, count}, noise_rows_, tile(task));
  objective_.score(kernel_, terms_, tile(task), {targets, count}, losses_.data() + first);
  scratch.tile.pull_noise(kernel_, noise_rows_, tile(task), {gradients, count});
  for (std::size_t l = 0; l < count; ++l) {
    const Run& run = plan_->runs[first + l];
    pull_targets(run, gradients[l], scratch);
    drop(run, gradients[l]);
    float* d = parameters_.hidden.row(run.document);
    Model::backward(kernel_, d, gradients[l], n_);
    kernel_.adagrad(d, state_.squares.hidden.row(run.document), gradients[l],
                    rate_ * options_.document_rate, n_);
  }
}

// The logits of a run's targets, into coefficients_.
template <class Model>
void ModelStep<Model>::score_targets(const Run& run, const float* hidden, StepScratch& scratch) {
  scratch.rows.resize(run.count);
  const std::uint32_t* words = plan_->targets.data() + run.first;
  for (std::size_t t = 0; t < run.count; ++t) scratch.rows[t] = parameters_.output.row(words[t]);
  float* logits = coefficients_.data() + run.first;
  kernel_.dots(hidden, scratch.rows.data(), run.count, logits, n_);
  for (std::size_t t = 0; t < run.count; ++t)
    logits[t] += parameters_.bias[words[t]] + objective_.target_shift(words[t], plan_->noise.draws);
}

template <class Model>
void ModelStep<Model>::pull_targets(const Run& run, float* gradient, StepScratch& scratch) {
  scratch.rows.resize(run.count);
  for (std::size_t t = 0; t < run.count; ++t)
    scratch.rows[t] = parameters_.output.row(plan_->targets[run.first + t]);
  const float* factors = coefficients_.data() + run.first;
  kernel_.multiply(&factors, 1, scratch.rows.data(), run.count, &gradient, 1, n_, true);
}

// Dropout of single components with inverted scaling; the same ones in both directions.
template <class Model>
void ModelStep<Model>::drop(const Run& run, float* values) const {
  if (options_.dropout <= 0.0F) return;
  const float scale = 1.0F / (1.0F - options_.dropout);
  Rng rng(run.seed);
  for (std::size_t x = 0; x < n_; ++x) values[x] *= rng.uniform() < options_.dropout ? 0.0F : scale;
}

template <class Model>
void ModelStep<Model>::descend(float* w, float* squares, const float* gradient) {
  if (options_.optimizer == Optimizer::kAdaGrad)
    kernel_.adagrad(w, squares, gradient, rate_, n_);
  else
    kernel_.axpy(-rate_, gradient, w, n_);
}

template <class Model>
void ModelStep<Model>::move_rows(std::size_t task, StepScratch& scratch) {
  if (task < noise_tasks()) {
    const std::size_t first = task * kNoiseRowsPerTask;
    move_noise_rows(first, std::min(kNoiseRowsPerTask, noise_rows_.size() - first), scratch);
    return;
  }
  const std::size_t first = noise_rows_.size() + (task - noise_tasks()) * kTargetRowsPerTask;
  const std::size_t last = std::min(first + kTargetRowsPerTask, plan_->rows.size());
  for (std::size_t row = first; row < last; ++row)
    move_row(row, scratch.gradients.data(), 0.0F, false, scratch);
}

template <class Model>
void ModelStep<Model>::move_noise_rows(std::size_t first, std::size_t count, StepScratch& scratch) {
  float* gradients[kNoiseRowsPerTask];
  float bias_gradients[kNoiseRowsPerTask] = {};
  for (std::size_t i = 0; i < count; ++i) gradients[i] = scratch.gradients.data() + i * n_;
  for (std::size_t task = 0; task < tile_tasks(); ++task) {
    const std::size_t documents = std::min(kTile, plan_->runs.size() - task * kTile);
    const float* hidden[kTile];
    const float* pulls[kNoiseRowsPerTask];
    for (std::size_t l = 0; l < documents; ++l) hidden[l] = hidden_.row(task * kTile + l);
    for (std::size_t i = 0; i < count; ++i) {
      pulls[i] = tile(task) + kTile * (first + i);
      for (std::size_t l = 0; l < documents; ++l) bias_gradients[i] += pulls[i][l];
    }
    kernel_.multiply(pulls, 1, hidden, documents, gradients, count, n_, task > 0);
  }
  for (std::size_t i = 0; i < count; ++i)
    move_row(first + i, gradients[i], bias_gradients[i], true, scratch);
}

// Adds what the targets ask of the row to its gradient, or starts from it, and moves the row.
template <class Model>
void ModelStep<Model>::move_row(std::size_t row, float* gradient, float bias_gradient,
                                bool accumulate, StepScratch& scratch) {
  const std::size_t begin = plan_->row_entries[row];
  const std::size_t count = plan_->row_entries[row + 1] - begin;
  scratch.rows.resize(count);
  scratch.factors.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t target = plan_->entries[begin + i];
    scratch.rows[i] = hidden_.row(plan_->target_run[target]);
    scratch.factors[i] = coefficients_[target];
    bias_gradient += scratch.factors[i];
  }
  const float* factors = scratch.factors.data();
  kernel_.multiply(&factors, 1, scratch.rows.data(), count, &gradient, 1, n_, accumulate);
  const std::uint32_t word = plan_->rows[row];
  if (options_.optimizer == Optimizer::kSgd && static_cast<float>(count) > kRowCap) {
    const float scale = kRowCap / static_cast<float>(count);
    for (std::size_t x = 0; x < n_; ++x) gradient[x] *= scale;
    bias_gradient *= scale;
  }
  descend(parameters_.output.row(word), state_.squares.output.row(word), gradient);
  if (options_.optimizer == Optimizer::kAdaGrad) {
    float& square = state_.squares.bias[word];
    square += bias_gradient * bias_gradient;
    parameters_.bias[word] -= rate_ * bias_gradient / std::sqrt(square);
  } else {
    parameters_.bias[word] -= rate_ * bias_gradient;
  }
}

}  // namespace

StepScratch::StepScratch(std::size_t n, std::size_t noise_rows)
    : tile(n, noise_rows), gradients(n * kTile) {}

std::unique_ptr<Step> make_step(const std::string& model, const Kernels& kernels,
                                const TrainOptions& options, const NoiseDistribution& noise,
                                TrainState& state) {
  return Models::with(model, [&](auto m) -> std::unique_ptr<Step> {
    return std::make_unique<ModelStep<decltype(m)>>(kernels, options, noise, state);
  });
}

}  // namespace bitsense
