#include "train/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "core/rng.hpp"
#include "models/registry.hpp"
#include "train/bag_planner.hpp"
#include "train/barrier.hpp"
#include "train/loss_meter.hpp"
#include "train/plan.hpp"
#include "train/plans_ahead.hpp"
#include "train/step.hpp"
#include "train/tasks.hpp"

namespace bitsense {

namespace {

class Training {
 public:
  Training(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, TrainState& state, Position& position,
           std::vector<double>& losses, const Watch& watch, const Neighbors& neighbors)
      : model_(model),
        documents_(documents),
        counts_(counts),
        options_(options),
        kernels_(kernels),
        noise_(counts),
        state_(state),
        n_(state.parameters->output.stride()),
        widest_(
            std::max({n_, state.parameters->hidden.stride(), state.parameters->context.stride()})),
        position_(position),
        done_(position.blocks),
        meter_(position, losses),
        watch_(watch),
        neighbors_(neighbors) {
    if (inputs_of(model) == Inputs::kWords)
      bags_ = std::make_unique<WordBags>(documents, counts.size(), state.idf);
  }

  void together();
  void apart();

 private:
  StepScratch scratch() const { return {n_, widest_, options_.negatives * options_.run}; }
  // Of the plans that are left. Threads that train apart share those that are done evenly.
  std::unique_ptr<Planner> planner(std::size_t worker = 0, std::size_t workers = 1) const {
    std::unique_ptr<Planner> made;
    if (bags_)
      made = std::make_unique<BagPlanner>(documents_, *bags_, neighbors_, noise_, options_, worker,
                                          workers);
    else
      made = std::make_unique<RunPlanner>(documents_, counts_, noise_, options_, worker, workers);
    if (workers > 1) {
      made->skip(done_ / workers);
    } else {
      made->go_to(position_.epoch, position_.before);
      made->skip(done_ - std::min(done_, position_.before));
    }
    return made;
  }
  std::unique_ptr<Step> step(std::size_t team) {
    return make_step(model_, kernels_, options_, noise_, state_, team);
  }
  void report(const Plan& plan, const Step& step) {
    if (plan.epoch != position_.epoch) {
      position_.epoch = plan.epoch;
      position_.before = position_.blocks;
    }
    ++position_.blocks;
    position_.words += plan.words_read;
    loss_ = step.loss();
    meter_.add(plan.epoch, loss_, plan.weight());
  }
  void watch(const Plan& plan) {
    if (watch_) watch_({plan.epoch, plan.progress, position_.words, loss_ / plan.weight()});
  }

  std::string model_;
  Documents documents_;
  std::span<const std::uint64_t> counts_;
  TrainOptions options_;
  const Kernels& kernels_;
  NoiseDistribution noise_;
  TrainState& state_;
  std::size_t n_;
  std::size_t widest_;
  Position& position_;
  std::uint64_t done_;  // blocks, before this call
  LossMeter meter_;
  const Watch& watch_;
  Neighbors neighbors_;
  std::unique_ptr<WordBags> bags_;  // of the encoders alone
  double loss_ = 0.0;
};

// All threads on one block: documents, barrier, output rows, barrier. Plans are made before rows,
// which are many small tasks that others take over.
void Training::together() {
  const std::unique_ptr<Planner> made = planner();
  PlansAhead plans(*made, options_.threads);
  std::unique_ptr<Step> work = step(options_.threads);
  std::atomic<bool> failed{false};
  Barrier barrier(options_.threads, failed);
  Tasks tiles(options_.threads);
  Tasks rows(options_.threads);
  const auto begin = [&] {
    work->begin(plans.current());
    tiles.begin(work->tile_tasks());
    rows.begin(work->row_tasks());
  };
  if (plans.more()) begin();
  run_team(
      options_.threads,
      [&](std::size_t thread) {
        StepScratch mine = scratch();
        while (plans.more()) {
          std::size_t task = 0;
          while (tiles.take(thread, task)) work->score_tile(task, mine);
          if (!barrier.wait()) return;
          plans.make(thread);
          while (rows.take(thread, task)) work->move_rows(task, mine);
          if (!barrier.wait()) return;
          if (thread == 0) {
            report(plans.current(), *work);
            watch(plans.current());
            plans.go_on();
            if (plans.more()) begin();
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
        const std::unique_ptr<Planner> plans = planner(thread, options_.threads);
        std::unique_ptr<Step> work = step(1);
        StepScratch mine = scratch();
        Plan plan;
        while (!failed.load() && plans->next(plan)) {
          work->begin(plan);
          for (std::size_t task = 0; task < work->tile_tasks(); ++task)
            work->score_tile(task, mine);
          for (std::size_t task = 0; task < work->row_tasks(); ++task) work->move_rows(task, mine);
          std::scoped_lock hold(lock);
          report(plan, *work);
          if (thread == 0) watch(plan);
        }
      },
      &failed);
}

}  // namespace

void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, TrainState& state, Position& position,
           std::vector<double>& losses, const Watch& watch, const Neighbors& neighbors) {
  Training training(model, documents, counts, options, kernels, state, position, losses, watch,
                    neighbors);
  if (options.deterministic || options.threads == 1)
    training.together();
  else
    training.apart();
}

void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, Parameters& parameters, std::vector<double>& losses,
           const Watch& watch, const Neighbors& neighbors) {
  TrainState state{&parameters, first_squares(parameters, options.optimizer), {}};
  Position begin;
  train(model, documents, counts, options, kernels, state, begin, losses, watch, neighbors);
}

}  // namespace bitsense
