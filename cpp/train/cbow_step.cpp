#include "train/cbow_step.hpp"

#include <algorithm>

#include "models/cbow.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kRun = Cbow::kRun;
constexpr std::size_t kMostRuns = (kBlockCentres + kRun - 1) / kRun;

}  // namespace

CbowStep::CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
                   std::size_t threads)
    : words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      g_size_(padded(kRun * (options.negatives + 1))),
      hidden_(kBlockCentres * n_),
      pulls_(kBlockCentres * n_),
      shares_(kBlockCentres),
      noise_(kMostRuns),
      g_(kMostRuns * g_size_),
      losses_(kMostRuns),
      scratch_(threads) {
  for (Scratch& scratch : scratch_) {
    scratch.in.resize(kRun);
    scratch.out.resize(std::max(kRun, options.negatives));
    scratch.pulls.resize(kBlockCentres);
    scratch.factors.resize(kBlockCentres);
    scratch.weight = AlignedFloats(g_size_);
    scratch.label = AlignedFloats(g_size_);
    scratch.sum = AlignedFloats(n_);
  }
}

std::size_t CbowStep::runs(const Block& block) const { return (block.size() + kRun - 1) / kRun; }
std::size_t CbowStep::first_of(std::size_t run) const { return run * kRun; }
std::size_t CbowStep::size_of(const Block& block, std::size_t run) const {
  return std::min(kRun, block.size() - first_of(run));
}
std::uint32_t CbowStep::target(const Block& block, std::size_t c) const {
  return block.plan->tokens[block.plan->centres[block.begin + c].at];
}

// Gathers the noise of a run and asks for the rows that no run of this share had before.
void CbowStep::prepare(const Block& block, std::size_t run, Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const std::size_t begin = first_of(run);
  Noise& noise = noise_[run];
  noise.words.clear();
  noise.times.clear();
  noise.plain = true;
  const std::uint32_t* drawn = plan.noise.data() + (block.begin + begin) * options_.negatives;
  for (std::size_t k = 0; k < options_.negatives; ++k) {
    const auto found = std::find(noise.words.begin(), noise.words.end(), drawn[k]);
    if (found == noise.words.end()) {
      noise.words.push_back(drawn[k]);
      noise.times.push_back(1.0F);
      prefetch_row(tables_.output.row(drawn[k]), n_);
    } else {
      noise.times[static_cast<std::size_t>(found - noise.words.begin())] += 1.0F;
      noise.plain = false;
    }
  }
  for (std::size_t c = begin; c < begin + size_of(block, run); ++c) {
    prefetch_row(tables_.output.row(target(block, c)), n_);
    if (!tables_.bags.empty()) continue;
    const Centre& centre = plan.centres[block.begin + c];
    for (std::uint32_t j = std::max(centre.first, scratch.asked); j < centre.last; ++j)
      prefetch_row(tables_.input.row(plan.tokens[j]), n_);
    scratch.asked = std::max(scratch.asked, centre.last);
  }
}

// The hidden vector of the c-th centre of the block.
void CbowStep::compose(const Block& block, std::size_t c, Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const Centre& centre = plan.centres[block.begin + c];
  scratch.rows.clear();
  for (std::uint32_t j = centre.first; j < centre.last; ++j) {
    if (j == centre.at) continue;
    if (tables_.bags.empty()) {
      scratch.rows.push_back(tables_.input.row(plan.tokens[j]));
      continue;
    }
    for (const std::uint32_t row : tables_.bags[plan.tokens[j]])
      scratch.rows.push_back(tables_.input.row(row));
  }
  words_.mean(scratch.rows.data(), scratch.rows.size(), hidden_.data() + c * n_, n_);
  shares_[c] = 1.0F / static_cast<float>(scratch.rows.size());
}

void CbowStep::score_run(const Block& block, std::size_t run, Scratch& scratch) {
  const Noise& noise = noise_[run];
  const std::size_t first = first_of(run);
  const std::size_t rows = size_of(block, run);
  const std::size_t columns = noise.words.size();
  float* z = g_.data() + run * g_size_;
  for (std::size_t i = 0; i < rows; ++i) {
    compose(block, first + i, scratch);
    scratch.in[i] = hidden_.data() + (first + i) * n_;
  }
  for (std::size_t j = 0; j < columns; ++j) scratch.out[j] = tables_.output.row(noise.words[j]);
  words_.pair_dots(scratch.in.data(), rows, scratch.out.data(), columns, z, n_);
  float* weight = scratch.weight.data();
  float* label = scratch.label.data();
  const std::size_t size = rows * (columns + 1);
  std::fill_n(label, padded(size), 0.0F);
  std::fill(weight + size, weight + padded(size), 0.0F);
  std::fill(z + size, z + padded(size), 0.0F);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t own = target(block, first + i);
    // A centre is no noise for itself: that draw is void.
    for (std::size_t j = 0; j < columns; ++j)
      weight[i * columns + j] = noise.words[j] == own ? 0.0F : noise.times[j];
    const std::size_t at = rows * columns + i;
    weight[at] = label[at] = 1.0F;
    scratch.out[i] = tables_.output.row(own);
    words_.pair_dots(&scratch.in[i], 1, &scratch.out[i], 1, z + at, n_);
  }
  losses_[run] = {words_.sampling_gradient(z, weight, label, block.rate, padded(size), noise.plain),
                  static_cast<double>(rows)};
}

void CbowStep::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t end = share.end(runs(block));
  std::size_t run = share.begin(runs(block));
  scratch.asked = 0;
  if (run < end) prepare(block, run, scratch);
  for (; run < end; ++run) {
    if (run + 1 < end) prepare(block, run + 1, scratch);
    score_run(block, run, scratch);
  }
}

LossSum CbowStep::loss(const Block& block) const {
  LossSum total;
  for (std::size_t run = 0; run < runs(block); ++run) total.add(losses_[run]);
  return total;
}

void CbowStep::move(const Block& block, Share share, std::size_t thread) {
  const auto [x, n] = share.columns(n_);
  if (n == 0) return;
  for (std::size_t run = 0; run < runs(block); ++run) move_run(block, run, x, n, scratch_[thread]);
  if (options_.move_input) move_tokens(block, x, n, scratch_[thread]);
}

// The output rows of a run, and what pulls its hidden vectors: all from the rows before the run.
void CbowStep::move_run(const Block& block, std::size_t run, std::size_t x, std::size_t n,
                        Scratch& scratch) {
  const Noise& noise = noise_[run];
  const std::size_t first = first_of(run);
  const std::size_t rows = size_of(block, run);
  const std::size_t columns = noise.words.size();
  const float* g = g_.data() + run * g_size_;
  const float* own = g + rows * columns;
  float* pulls[kRun];
  for (std::size_t i = 0; i < rows; ++i) {
    scratch.in[i] = hidden_.data() + (first + i) * n_ + x;
    pulls[i] = pulls_.data() + (first + i) * n_ + x;
    words_.scaled(own[i], tables_.output.row(target(block, first + i)) + x, pulls[i], n);
  }
  for (std::size_t j = 0; j < columns; ++j) scratch.out[j] = tables_.output.row(noise.words[j]) + x;
  words_.pair_pull(scratch.in.data(), rows, scratch.out.data(), columns, g, pulls, n,
                   options_.move_output);
  if (!options_.move_output) return;
  for (std::size_t i = 0; i < rows; ++i) {
    const float* hidden[1] = {scratch.in[i]};
    words_.mix(hidden, own + i, 1, tables_.output.row(target(block, first + i)) + x, n);
  }
}

// Each token of the block as a context word, in the order of the tokens.
void CbowStep::move_tokens(const Block& block, std::size_t x, std::size_t n, Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const std::size_t count = block.size();
  const auto centre = [&](std::size_t c) -> const Centre& { return plan.centres[block.begin + c]; };
  std::uint32_t token = UINT32_MAX;
  std::uint32_t end = 0;
  for (std::size_t c = 0; c < count; ++c) {
    token = std::min(token, centre(c).first);
    end = std::max(end, centre(c).last);
  }
  std::size_t begin = 0;
  for (; token < end; ++token) {
    // Centres rise with their tokens, and none reaches further than the window.
    while (begin < count && centre(begin).at + options_.window < token) ++begin;
    std::size_t found = 0;
    for (std::size_t c = begin; c < count && centre(c).at <= token + options_.window; ++c) {
      if (token < centre(c).first || token >= centre(c).last || token == centre(c).at) continue;
      scratch.pulls[found] = pulls_.data() + c * n_ + x;
      scratch.factors[found++] = shares_[c];
    }
    if (found == 0) continue;
    const std::uint32_t word = plan.tokens[token];
    if (tables_.bags.empty()) {
      words_.mix(scratch.pulls.data(), scratch.factors.data(), found,
                 tables_.input.row(word) + x, n);
      continue;
    }
    std::fill_n(scratch.sum.data(), n, 0.0F);
    words_.mix(scratch.pulls.data(), scratch.factors.data(), found, scratch.sum.data(), n);
    const float* sum[1] = {scratch.sum.data()};
    constexpr float kOne = 1.0F;
    for (const std::uint32_t row : tables_.bags[word])
      words_.mix(sum, &kOne, 1, tables_.input.row(row) + x, n);
  }
}

}  // namespace bitsense
