// A plan says what one block trains on: which run of which documents, which noise, and which output
// rows get gradients from whom. It is made from ids and the seed alone, never from the parameters,
// so it can be made ahead of time, by any thread, with the same result.
//
// Documents are visited in an order shuffled anew for each epoch. A block holds a run of targets of
// each of up to `batch` documents; a document stays in its place of the block from block to block
// until its words are used up, then the next document of the order takes the place.
//
// That is how RunPlanner goes about it; BagPlanner (train/bag_planner.hpp) takes whole documents.
//
// Each run of the plan is a hidden vector. Where options.context is 0 it serves all targets of one
// document; else each target is a run of its own, made from the words around it as well, and the
// runs of one document follow one another.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.hpp"
#include "train/noise.hpp"
#include "train/options.hpp"
#include "train/subsample.hpp"

namespace bitsense {

struct Run {
  std::uint32_t document;
  std::uint32_t first;  // of its targets in Plan::targets
  std::uint32_t count;
  std::uint64_t seed;  // of what is random in this run, for example its dropout
};

struct Plan {
  float progress = 0.0F;  // of the whole training, in [0, 1]
  std::size_t epoch = 0;
  std::uint64_t number = 0;    // of the worker's plans, from 0
  std::size_t words_read = 0;  // of the corpus, thinned-out ones included
  std::vector<Run> runs;
  std::vector<std::uint32_t> targets;       // word ids, run after run
  std::vector<std::uint32_t> target_run;    // the run of each target
  std::vector<std::uint32_t> target_noise;  // its place in noise.words, or kUnseen
  // Of the encoders alone, else empty: how much each target counts, and what its word contributes
  // to the hidden vector of its run as an input.
  std::vector<float> target_weight;
  std::vector<float> target_input;
  NoiseSet noise;

  // What the targets count for, all together.
  double weight() const {
    if (target_weight.empty()) return static_cast<double>(targets.size());
    double sum = 0.0;
    for (const float each : target_weight) sum += static_cast<double>(each);
    return sum;
  }

  // Output rows with gradients: the noise words first, in their order, then the other targets.
  // Row i collects from the targets entries[row_entries[i] .. row_entries[i + 1]).
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> row_entries;
  std::vector<std::uint32_t> entries;

  // With context: the words around the target of each run, `slots` of them, kUnseen where there is
  // none; those without repetition in the order of their first coming; and where they stand: row i
  // collects from the places context_entries[context_begins[i] .. context_begins[i + 1]) of
  // `context`.
  std::size_t slots = 0;
  std::vector<std::uint32_t> context;
  std::vector<std::uint32_t> context_rows;
  std::vector<std::uint32_t> context_begins;
  std::vector<std::uint32_t> context_entries;
  // The first run of each document, and their number at the end.
  std::vector<std::uint32_t> document_runs;
};

// Fills the words around one place of a document, 2 * width of them, kUnseen where there is none.
void words_around(std::span<const std::uint32_t> words, std::size_t place, std::size_t width,
                  std::uint32_t* around);

// Makes the plans of one worker: of every `workers`-th document of the order, from the `worker`-th.
class Planner {
 public:
  virtual ~Planner() = default;

  // Makes the next plan; false when training is over.
  bool next(Plan& plan) {
    if (!take_targets(plan)) return false;
    complete(plan);
    return true;
  }
  // The same in two parts, so that one thread can take the targets of a plan while another
  // completes the one before it.
  bool take_targets(Plan& plan);
  void complete(Plan& plan);

  // Goes to the beginning of an epoch, before which there are so many plans, if it is not past it.
  // Only where there is one worker.
  void go_to(std::uint64_t epoch, std::uint64_t plans);
  // Passes over the next plans without making all of them.
  void skip(std::uint64_t plans);

 protected:
  Planner(const Documents& documents, const NoiseDistribution& noise, const TrainOptions& options,
          std::size_t worker, std::size_t workers);

  // Takes the next documents or runs of them into an empty plan; false when the epoch has no more.
  virtual bool take(Plan& plan) = 0;
  // The next document with words of this epoch's order; false when there is none.
  bool next_document(std::uint32_t& document);

  Documents documents_;
  TrainOptions options_;
  std::size_t epoch_ = 0;

 private:
  void begin_epoch();
  void draw_noise(Plan& plan);
  void collect_rows(Plan& plan);
  void collect_context(Plan& plan);

  const NoiseDistribution& noise_;
  std::size_t worker_;
  std::size_t workers_;
  std::vector<std::uint32_t> order_;  // of the documents, this epoch
  std::size_t next_in_order_ = 0;
  std::uint64_t block_ = 0;
  std::uint64_t words_done_ = 0;
  std::uint64_t words_total_ = 0;
  std::vector<std::uint32_t> place_of_;  // per word: its row in the plan at hand, or kUnseen
};

class RunPlanner final : public Planner {
 public:
  RunPlanner(const Documents& documents, std::span<const std::uint64_t> counts,
             const NoiseDistribution& noise, const TrainOptions& options, std::size_t worker = 0,
             std::size_t workers = 1);

 private:
  struct Place {
    std::uint32_t document;
    std::uint64_t position;  // of the next word in the document
  };
  bool take(Plan& plan) override;
  bool fill(Place& place);
  void take_run(Place& place, Plan& plan);
  bool kept(std::uint32_t word, std::uint64_t document_seed, std::uint64_t position) const;

  Subsample subsample_;
  std::vector<Place> places_;
  std::vector<std::uint64_t> positions_;  // of a run's targets
};

}  // namespace bitsense
