#include "train/plan.hpp"

#include <algorithm>
#include <numeric>

#include "core/errors.hpp"

namespace bitsense {

namespace {

// Names of the streams of random numbers, so that no two share one.
enum Stream : std::uint64_t { kOrder = 1, kNoise, kKeep };

constexpr std::uint32_t kUnseen = NoiseDistribution::kUnseen;

// Targets of a document of this many words in one block: short documents get shorter runs, so that
// they too move several times an epoch.
std::size_t run_of(std::size_t words) {
  constexpr std::size_t kShortestRun = 4;
  constexpr std::size_t kMoves = 4;
  return std::max(kShortestRun, (words + kMoves - 1) / kMoves);
}

}  // namespace

Planner::Planner(const Documents& documents, const NoiseDistribution& noise,
                 const TrainOptions& options, std::size_t worker, std::size_t workers)
    : documents_(documents),
      options_(options),
      noise_(noise),
      worker_(worker),
      workers_(workers),
      order_(documents.count()),
      words_total_(documents.ids.size() / workers * options.epochs),
      place_of_(noise.words(), kUnseen) {
  begin_epoch();
}

void Planner::begin_epoch() {
  std::iota(order_.begin(), order_.end(), 0U);
  Rng rng(stream(options_.seed, kOrder, epoch_));
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[rng.below(static_cast<std::uint32_t>(i))]);
  next_in_order_ = worker_;
}

bool Planner::next_document(std::uint32_t& document) {
  while (next_in_order_ < order_.size()) {
    document = order_[next_in_order_];
    next_in_order_ += workers_;
    if (!documents_[document].empty()) return true;
  }
  return false;
}

void Planner::complete(Plan& plan) {
  draw_noise(plan);
  collect_rows(plan);
  collect_context(plan);
}

void Planner::go_to(std::uint64_t epoch, std::uint64_t plans) {
  if (epoch <= epoch_ || epoch >= options_.epochs) return;
  epoch_ = epoch;
  block_ = plans;
  words_done_ = epoch * documents_.ids.size();
  begin_epoch();
}

void Planner::skip(std::uint64_t plans) {
  Plan plan;
  while (plans > 0 && take_targets(plan)) --plans;
}

// Plans without any are passed over.
bool Planner::take_targets(Plan& plan) {
  while (epoch_ < options_.epochs) {
    plan.progress = static_cast<float>(
        std::min(1.0, static_cast<double>(words_done_) / static_cast<double>(words_total_ + 1)));
    plan.epoch = epoch_;
    plan.words_read = 0;
    plan.runs.clear();
    plan.targets.clear();
    plan.target_run.clear();
    plan.target_weight.clear();
    plan.target_input.clear();
    plan.context.clear();
    plan.document_runs.clear();
    if (!take(plan)) {
      ++epoch_;
      if (epoch_ < options_.epochs) begin_epoch();
      continue;
    }
    words_done_ += plan.words_read;
    if (plan.runs.empty()) continue;
    plan.number = block_++;
    return true;
  }
  return false;
}

RunPlanner::RunPlanner(const Documents& documents, std::span<const std::uint64_t> counts,
                       const NoiseDistribution& noise, const TrainOptions& options,
                       std::size_t worker, std::size_t workers)
    : Planner(documents, noise, options, worker, workers), subsample_(counts, options.subsample) {}

// Puts the next document with words into the place; false when the epoch has no more.
bool RunPlanner::fill(Place& place) {
  place.position = 0;
  return next_document(place.document);
}

bool RunPlanner::take(Plan& plan) {
  Place place;
  while (places_.size() < options_.batch && fill(place)) places_.push_back(place);
  if (places_.empty()) return false;
  for (Place& p : places_) take_run(p, plan);
  std::size_t kept_places = 0;
  for (Place& p : places_)
    if (p.position < documents_[p.document].size() || fill(p)) places_[kept_places++] = p;
  places_.resize(kept_places);
  return true;
}

// Decided by a hash of the seed, the epoch, the document and the word's place in it alone.
bool RunPlanner::kept(std::uint32_t word, std::uint64_t document_seed,
                      std::uint64_t position) const {
  return subsample_.keeps(word, static_cast<std::uint32_t>(mix(document_seed + position) >> 32));
}

void RunPlanner::take_run(Place& place, Plan& plan) {
  const auto words = documents_[place.document];
  const auto first = static_cast<std::uint32_t>(plan.targets.size());
  const std::uint64_t start = place.position;
  const std::uint64_t document_seed =
      stream(options_.seed ^ (std::uint64_t{kKeep} << 56), epoch_, place.document);
  std::uint32_t count = 0;
  const std::size_t most = std::min(options_.run, run_of(words.size()));
  const std::size_t slots = 2 * options_.context;
  const auto first_run = static_cast<std::uint32_t>(plan.runs.size());
  positions_.resize(most);
  for (; place.position < words.size() && count < most; ++place.position) {
    positions_[count] = place.position;  // no branch: what is kept is not foreseen
    count += kept(words[place.position], document_seed, place.position) ? 1 : 0;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = positions_[i];
    plan.target_run.push_back(static_cast<std::uint32_t>(plan.runs.size()));
    if (slots > 0) {
      plan.runs.push_back({place.document, static_cast<std::uint32_t>(plan.targets.size()), 1,
                           document_seed ^ mix(at + 1)});
      plan.context.resize(plan.context.size() + slots);
      words_around(words, at, options_.context, &plan.context[plan.context.size() - slots]);
    }
    plan.targets.push_back(words[at]);
  }
  plan.words_read += place.position - start;
  if (count == 0) return;
  plan.document_runs.push_back(first_run);
  if (slots == 0)
    plan.runs.push_back({place.document, first, count, document_seed ^ mix(start + 1)});
}

void Planner::draw_noise(Plan& plan) {
  const std::size_t draws = options_.objective == Objective::kSampledSoftmax
                                ? options_.negatives
                                : options_.negatives * options_.run;
  Rng rng(stream(options_.seed ^ (std::uint64_t{kNoise} << 56) ^ worker_, plan.epoch, plan.number));
  noise_.draw(rng, draws, place_of_, plan.noise);
}

void Planner::collect_rows(Plan& plan) {
  plan.rows = plan.noise.words;
  for (std::size_t i = 0; i < plan.rows.size(); ++i)
    place_of_[plan.rows[i]] = static_cast<std::uint32_t>(i);
  plan.row_entries.assign(plan.rows.size() + 1, 0);
  plan.target_noise.resize(plan.targets.size());
  std::vector<std::uint32_t>& begins = plan.row_entries;
  for (std::size_t t = 0; t < plan.targets.size(); ++t) {
    std::uint32_t& place = place_of_[plan.targets[t]];
    if (place == kUnseen) {
      place = static_cast<std::uint32_t>(plan.rows.size());
      plan.rows.push_back(plan.targets[t]);
      begins.push_back(0);
    }
    plan.target_noise[t] = place < plan.noise.words.size() ? place : kUnseen;
    ++begins[place + 1];
  }
  for (std::size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
  plan.entries.resize(plan.targets.size());
  for (std::size_t t = plan.targets.size(); t-- > 0;) {
    // Filled from the back: each row's begin has moved on to its end once.
    const std::uint32_t row = place_of_[plan.targets[t]];
    plan.entries[--begins[row + 1]] = static_cast<std::uint32_t>(t);
  }
  // begins[i + 1] is now the begin of row i: shift by one place.
  begins.erase(begins.begin());
  begins.push_back(static_cast<std::uint32_t>(plan.targets.size()));
  for (const std::uint32_t word : plan.rows) place_of_[word] = kUnseen;
}

}  // namespace bitsense
