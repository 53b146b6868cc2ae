#include "train/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "core/rng.hpp"
#include "train/barrier.hpp"
#include "train/loss_meter.hpp"
#include "train/plan.hpp"
#include "train/step.hpp"

namespace bitsense {

namespace {

constexpr std::uint64_t kInitStream = 0x696e6974;

TrainState make_state(Parameters& parameters, Optimizer optimizer) {
  auto filled = [](const Matrix& like) {
    Matrix squares(like.rows(), like.dim());
    for (std::size_t i = 0; i < like.rows(); ++i)
      std::fill_n(squares.row(i), like.stride(), kFirstSquare);
    return squares;
  };
  TrainState state{&parameters, {}};
  state.squares.hidden = filled(parameters.hidden);
  if (optimizer == Optimizer::kAdaGrad) {
    state.squares.output = filled(parameters.output);
    state.squares.bias.assign(parameters.bias.size(), kFirstSquare);
  }
  return state;
}

class Training {
 public:
  Training(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, Parameters& parameters, std::vector<double>& losses,
           const Watch& watch)
      : model_(model),
        documents_(documents),
        counts_(counts),
        options_(options),
        kernels_(kernels),
        noise_(counts),
        state_(make_state(parameters, options.optimizer)),
        n_(parameters.output.stride()),
        meter_(losses),
        watch_(watch) {}

  void together();
  void apart();

 private:
  StepScratch scratch() const { return {n_, options_.negatives * options_.run}; }
  std::unique_ptr<Step> step() { return make_step(model_, kernels_, options_, noise_, state_); }
  void report(const Plan& plan, const Step& step) {
    words_ += plan.words_read;
    loss_ = step.loss();
    meter_.add(plan.epoch, loss_, static_cast<double>(plan.targets.size()));
  }
  void watch(const Plan& plan) {
    if (watch_)
      watch_({plan.epoch, plan.progress, words_, loss_ / static_cast<double>(plan.targets.size())});
  }

  std::string model_;
  Documents documents_;
  std::span<const std::uint64_t> counts_;
  TrainOptions options_;
  const Kernels& kernels_;
  NoiseDistribution noise_;
  TrainState state_;
  std::size_t n_;
  LossMeter meter_;
  const Watch& watch_;
  std::uint64_t words_ = 0;
  double loss_ = 0.0;
};

// All threads on one block: documents, barrier, output rows, barrier. The next plan is made beside
// the first phase.
void Training::together() {
  Planner planner(documents_, counts_, noise_, options_);
  Plan plans[2];
  std::unique_ptr<Step> work = step();
  std::atomic<bool> failed{false};
  Barrier barrier(options_.threads, failed);
  bool more = planner.next(plans[0]);
  std::atomic<std::size_t> next_first{0};
  std::atomic<std::size_t> next_second{0};
  if (more) work->begin(plans[0]);
  bool next_more = false;
  run_team(
      options_.threads,
      [&](std::size_t thread) {
        StepScratch mine = scratch();
        for (std::size_t current = 0; more; current ^= 1) {
          for (std::size_t task; (task = next_first.fetch_add(1)) <= work->tile_tasks();) {
            if (task == 0)
              next_more = planner.next(plans[current ^ 1]);
            else
              work->move_documents(task - 1, mine);
          }
          if (!barrier.wait()) return;
          for (std::size_t task; (task = next_second.fetch_add(1)) < work->row_tasks();)
            work->move_rows(task, mine);
          if (!barrier.wait()) return;
          if (thread == 0) {
            report(plans[current], *work);
            watch(plans[current]);
            more = next_more;
            next_first.store(0);
            next_second.store(0);
            if (more) work->begin(plans[current ^ 1]);
          }
          if (!barrier.wait()) return;
        }
      },
      &failed);
}

void Training::apart() {
  std::mutex lock;
  std::atomic<bool> failed{false};
  run_team(
      options_.threads,
      [&](std::size_t thread) {
        Planner planner(documents_, counts_, noise_, options_, thread, options_.threads);
        std::unique_ptr<Step> work = step();
        StepScratch mine = scratch();
        Plan plan;
        while (!failed.load() && planner.next(plan)) {
          work->begin(plan);
          for (std::size_t task = 0; task < work->tile_tasks(); ++task)
            work->move_documents(task, mine);
          for (std::size_t task = 0; task < work->row_tasks(); ++task) work->move_rows(task, mine);
          std::scoped_lock hold(lock);
          report(plan, *work);
          if (thread == 0) watch(plan);
        }
      },
      &failed);
}

}  // namespace

Parameters make_parameters(std::size_t documents, std::span<const std::uint64_t> counts,
                           std::size_t dim, const InitOptions& init, std::uint64_t seed) {
  Parameters parameters{Matrix(documents, dim), Matrix(counts.size(), dim),
                        std::vector<float>(counts.size())};
  for (std::size_t i = 0; i < documents; ++i) {
    Rng rng(stream(seed, kInitStream, i));
    float* row = parameters.hidden.row(i);
    for (std::size_t x = 0; x < dim; ++x) row[x] = (2.0F * rng.uniform() - 1.0F) * init.scale;
  }
  for (std::size_t w = 0; w < counts.size(); ++w)
    parameters.bias[w] =
        init.bias_power * float_log(static_cast<double>(std::max<std::uint64_t>(counts[w], 1)));
  return parameters;
}

void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, Parameters& parameters, std::vector<double>& losses,
           const Watch& watch) {
  losses.clear();
  Training training(model, documents, counts, options, kernels, parameters, losses, watch);
  if (options.deterministic || options.threads == 1)
    training.together();
  else
    training.apart();
}

}  // namespace bitsense
