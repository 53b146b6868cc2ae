#include "train/step.hpp"

#include <algorithm>

#include "core/prefetch.hpp"

namespace bitsense {

namespace {

// Where there are several threads, a target's row comes from the core that has moved it in the
// block before: it is asked for so many targets before it is needed.
constexpr std::size_t kTargetsAhead = 16;

// Of a task: as many as suit the kernels, fewer where threads would have nothing to do, but no
// fewer than are worth one. Runs of a part of a tile leave lanes empty.
constexpr std::size_t kFewestRuns = 2;
constexpr std::size_t kMostNoiseRows = 12;
constexpr std::size_t kFewestNoiseRows = 3;
constexpr std::size_t kMostTargetRows = 64;
constexpr std::size_t kFewestTargetRows = 8;

std::size_t ceil_divide(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// Items of a task, from `most` down to `fewest`, such that there are so many tasks if that can be.
std::size_t per_task(std::size_t items, std::size_t tasks, std::size_t most, std::size_t fewest) {
  while (most > fewest && ceil_divide(items, most) < tasks) most /= 2;
  return most;
}

class BlockStep final : public Step {
 public:
  BlockStep(const std::string& model, const Kernels& kernels, const TrainOptions& options,
            const NoiseDistribution& noise, TrainState& state, std::size_t team)
      : kernel_(*kernels.floats),
        options_(options),
        team_(team),
        objective_(options.objective, options.negatives, noise),
        parameters_(*state.parameters),
        n_(parameters_.output.stride()),
        work_{kernel_, options_, state},
        composition_(make_composition(model, work_)) {}

  void begin(const Plan& plan) override {
    plan_ = work_.plan = &plan;
    work_.rate = options_.learning_rate * std::max(1e-4F, 1.0F - plan.progress);
    if (hidden_.rows() < plan.runs.size()) {
      hidden_ = Matrix(plan.runs.size(), parameters_.output.dim());
      work_.gradients = Matrix(plan.runs.size() + 1, parameters_.output.dim());
    }
    composition_->begin();
    objective_.noise_terms(plan.noise, parameters_.bias.data(), terms_);
    noise_rows_.clear();
    for (const std::uint32_t word : plan.noise.words)
      noise_rows_.push_back(parameters_.output.row(word));
    share_out();
    const std::size_t tile_size = kTile * noise_rows_.size();
    if (tiles_.size() < tile_size * tile_tasks()) tiles_ = AlignedFloats(tile_size * tile_tasks());
    coefficients_.resize(plan.targets.size());
    losses_.assign(plan.runs.size(), 0.0);
  }

  std::size_t tile_tasks() const override { return ceil_divide(plan_->runs.size(), task_runs_); }
  std::size_t row_tasks() const override { return output_tasks() + composition_->row_tasks(); }

  void score_tile(std::size_t task, StepScratch& scratch) override;
  void move_rows(std::size_t task, StepScratch& scratch) override;

  double loss() const override {
    double total = 0.0;
    for (const double loss : losses_) total += loss;
    return total;
  }

 private:
  void share_out() {
    task_runs_ = per_task(plan_->runs.size(), team_, kTile, kFewestRuns);
    task_noise_rows_ = per_task(noise_rows_.size(), team_, kMostNoiseRows, kFewestNoiseRows);
    task_target_rows_ = per_task(target_rows(), 2 * team_, kMostTargetRows, kFewestTargetRows);
  }
  std::size_t target_rows() const { return plan_->rows.size() - noise_rows_.size(); }
  std::size_t output_tasks() const {
    return noise_tasks() + ceil_divide(target_rows(), task_target_rows_);
  }
  std::size_t noise_tasks() const { return ceil_divide(noise_rows_.size(), task_noise_rows_); }
  float* tile(std::size_t task) { return tiles_.data() + task * kTile * noise_rows_.size(); }

  std::span<const float> weights_of(const Run& run) const {
    if (plan_->target_weight.empty()) return {};
    return {plan_->target_weight.data() + run.first, run.count};
  }
  void score_targets(const Run& run, const float* hidden, StepScratch& scratch);
  void pull_targets(const Run& run, float* gradient, StepScratch& scratch);
  void drop(const Run& run, float* values) const;
  void move_noise_rows(std::size_t first, std::size_t count, StepScratch& scratch);
  void move_row(std::size_t row, float* gradient, float bias_gradient, bool accumulate,
                StepScratch& scratch);

  // Nothing is asked for past the last target.
  void ask_for_target(std::size_t target) const {
    if (work_.shares_rows() && target < plan_->targets.size())
      ask_for_lines(parameters_.output.row(plan_->targets[target]), n_ * sizeof(float));
  }
  void own_row(std::size_t row) const {
    work_.own(parameters_.output, work_.state.squares.output, plan_->rows[row]);
  }

  const FloatKernels& kernel_;
  TrainOptions options_;
  std::size_t team_;  // threads that share a block; others may share the tables
  BlockObjective objective_;
  Parameters& parameters_;
  std::size_t n_;
  Work work_;
  std::unique_ptr<Composition> composition_;
  const Plan* plan_ = nullptr;
  std::size_t task_runs_ = 0;
  std::size_t task_noise_rows_ = 0;
  std::size_t task_target_rows_ = 0;
  Matrix hidden_;  // h of each run
  NoiseTerms terms_;
  std::vector<const float*> noise_rows_;
  AlignedFloats tiles_;              // logits, then gradients, of noise: a tile per task
  std::vector<float> coefficients_;  // the same of each target
  std::vector<double> losses_;
};

void BlockStep::score_tile(std::size_t task, StepScratch& scratch) {
  const std::size_t first = task * task_runs_;
  const std::size_t count = std::min(task_runs_, plan_->runs.size() - first);
  const float* hidden[kTile];
  float* gradients[kTile];
  TargetTerms targets[kTile];
  for (std::size_t t = 0; t < kTargetsAhead; ++t) ask_for_target(plan_->runs[first].first + t);
  for (std::size_t l = 0; l < count; ++l) {
    const Run& run = plan_->runs[first + l];
    float* h = hidden_.row(first + l);
    composition_->compose(first + l, h, scratch);
    drop(run, h);
    hidden[l] = h;
    gradients[l] = work_.gradients.row(first + l);
    score_targets(run, h, scratch);
    targets[l] = {{coefficients_.data() + run.first, run.count},
                  weights_of(run),
                  {plan_->target_noise.data() + run.first, run.count}};
  }
  scratch.tile.noise_logits(kernel_, {hidden, count}, noise_rows_, tile(task));
  objective_.score(kernel_, terms_, tile(task), {targets, count}, losses_.data() + first);
  scratch.tile.pull_noise(kernel_, noise_rows_, tile(task), {gradients, count});
  for (std::size_t l = 0; l < count; ++l) {
    const Run& run = plan_->runs[first + l];
    pull_targets(run, gradients[l], scratch);
    drop(run, gradients[l]);
    composition_->send_back(first + l, gradients[l], scratch);
  }
}

// The logits of a run's targets, into coefficients_.
void BlockStep::score_targets(const Run& run, const float* hidden, StepScratch& scratch) {
  scratch.rows.resize(run.count);
  const std::uint32_t* words = plan_->targets.data() + run.first;
  for (std::size_t t = 0; t < run.count; ++t) {
    scratch.rows[t] = parameters_.output.row(words[t]);
    ask_for_target(run.first + t + kTargetsAhead);
  }
  float* logits = coefficients_.data() + run.first;
  kernel_.dots(hidden, scratch.rows.data(), run.count, logits, n_);
  for (std::size_t t = 0; t < run.count; ++t)
    logits[t] += parameters_.bias[words[t]] + objective_.target_shift(words[t], plan_->noise);
}

void BlockStep::pull_targets(const Run& run, float* gradient, StepScratch& scratch) {
  scratch.rows.resize(run.count);
  for (std::size_t t = 0; t < run.count; ++t)
    scratch.rows[t] = parameters_.output.row(plan_->targets[run.first + t]);
  const float* factors = coefficients_.data() + run.first;
  kernel_.multiply(&factors, 1, scratch.rows.data(), run.count, &gradient, 1, n_, true);
}

// Dropout of single components with inverted scaling; the same ones in both directions.
void BlockStep::drop(const Run& run, float* values) const {
  if (options_.dropout <= 0.0F) return;
  const float scale = 1.0F / (1.0F - options_.dropout);
  Rng rng(run.seed);
  for (std::size_t x = 0; x < n_; ++x) values[x] *= rng.uniform() < options_.dropout ? 0.0F : scale;
}

void BlockStep::move_rows(std::size_t task, StepScratch& scratch) {
  if (task < noise_tasks()) {
    const std::size_t first = task * task_noise_rows_;
    move_noise_rows(first, std::min(task_noise_rows_, noise_rows_.size() - first), scratch);
    return;
  }
  if (task >= output_tasks()) {
    composition_->move_rows(task - output_tasks(), scratch);
    return;
  }
  const std::size_t first = noise_rows_.size() + (task - noise_tasks()) * task_target_rows_;
  const std::size_t last = std::min(first + task_target_rows_, plan_->rows.size());
  ask_and_move(
      first, last, [&](std::size_t row) { own_row(row); },
      [&](std::size_t row) { move_row(row, scratch.gradients.data(), 0.0F, false, scratch); });
}

void BlockStep::move_noise_rows(std::size_t first, std::size_t count, StepScratch& scratch) {
  float* gradients[kMostNoiseRows];
  float bias_gradients[kMostNoiseRows] = {};
  for (std::size_t i = 0; i < count; ++i) own_row(first + i);
  for (std::size_t i = 0; i < count; ++i) gradients[i] = scratch.gradients.data() + i * n_;
  for (std::size_t task = 0; task < tile_tasks(); ++task) {
    const std::size_t begin = task * task_runs_;
    const std::size_t runs = std::min(task_runs_, plan_->runs.size() - begin);
    const float* hidden[kTile];
    const float* pulls[kMostNoiseRows];
    for (std::size_t l = 0; l < runs; ++l) hidden[l] = hidden_.row(begin + l);
    for (std::size_t i = 0; i < count; ++i) {
      pulls[i] = tile(task) + kTile * (first + i);
      for (std::size_t l = 0; l < runs; ++l) bias_gradients[i] += pulls[i][l];
    }
    kernel_.multiply(pulls, 1, hidden, runs, gradients, count, n_, task > 0);
  }
  for (std::size_t i = 0; i < count; ++i)
    move_row(first + i, gradients[i], bias_gradients[i], true, scratch);
}

// Adds what the targets ask of the row to its gradient, or starts from it, and moves the row.
void BlockStep::move_row(std::size_t row, float* gradient, float bias_gradient, bool accumulate,
                         StepScratch& scratch) {
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
  const std::uint32_t word = plan_->rows[row];
  Parameters& squares = work_.state.squares;
  work_.descend(parameters_.output.row(word), squares.output.row(word), scratch.factors,
                scratch.rows.data(), gradient, accumulate, n_);
  bias_gradient *= work_.brake(count);
  if (options_.optimizer == Optimizer::kAdaGrad) {
    float& square = squares.bias[word];
    square += bias_gradient * bias_gradient;
    parameters_.bias[word] -= work_.rate * bias_gradient / std::sqrt(square);
  } else {
    parameters_.bias[word] -= work_.rate * bias_gradient;
  }
}

}  // namespace

std::unique_ptr<Step> make_step(const std::string& model, const Kernels& kernels,
                                const TrainOptions& options, const NoiseDistribution& noise,
                                TrainState& state, std::size_t team) {
  return std::make_unique<BlockStep>(model, kernels, options, noise, state, team);
}

}  // namespace bitsense
