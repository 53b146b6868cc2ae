#include "train/cbow_step.hpp"

#include <algorithm>

namespace bitsense {

namespace {

constexpr std::size_t kRun = Cbow::kRun;

}  // namespace

CbowStep::CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
                   std::size_t threads)
    : floats_(*kernels.floats),
      words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      used_(used_columns(options, tables.output)),
      g_size_(padded(kRun * (options.negatives + 1))),
      hidden_(kBlockCentres * n_),
      g_(kMostRuns * g_size_),
      losses_(kMostRuns * kLossParts),
      scratch_(threads) {
  rows_.fill({tables.input, tables.output, {hidden_.data(), kBlockCentres, n_}});
  if (sums())
    for (std::size_t half = 0; half < 2; ++half) {
      Rows& rows = rows_[half];
      take_half({&rows.input, &rows.output, &rows.hidden}, half);
    }
  if (sums()) halves_ = AlignedFloats(2 * g_.size());
  for (std::size_t half = 0; half < 2; ++half) {
    Pointers& to = pointers_[half];
    for (std::size_t c = 0; c < kBlockCentres; ++c) to.hidden.push_back(rows_[half].hidden.row(c));
    to.targets.resize(kBlockCentres);
    to.places = options.negatives;
    to.noise.resize(kMostRuns * to.places);
    to.runs.resize(kMostRuns);
  }
  for (Scratch& scratch : scratch_) {
    scratch.weight = AlignedFloats(g_size_);
    scratch.label = AlignedFloats(g_size_);
    scratch.sum = AlignedFloats(n_);
    scratch.copy = AlignedFloats(2 * kRun * n_);
  }
}

void CbowStep::lay_out(WordPlan& plan) const {
  plan.tiles.clear(plan.centres.size(), 0, plan.noise.size());
  plan.for_each_run(kRun, [&](std::size_t c, std::size_t count) {
    Cbow::add_tile(plan, c, options_.negatives, plan.tiles);
    if (scratch_.size() == 1) prefetch_first(plan, c, count, tables_);
  });
  Cbow::add_contexts(plan, tables_.bags);
}

CbowStep::Run CbowStep::run_of(const Block& block, std::size_t run) const {
  const auto [first, last] = block.run(run, kRun);
  Tile tile;
  block.plan->tiles.get(block.begin + first, tile);
  return {first, last - first, tile.noise, tile.uses};
}

void CbowStep::point(const Block& block, std::size_t r, const Rows& rows, Pointers& to) const {
  const Run& run = to.runs[r] = run_of(block, r);
  for (std::size_t c = run.first; c < run.first + run.size; ++c)
    to.targets[c] = rows.output.row(block.word(c));
  for (std::size_t j = 0; j < run.noise.size(); ++j)
    to.noise_of(r)[j] = rows.output.row(run.noise[j]);
}

void CbowStep::prefetch(std::size_t r, Slice slice, Pointers& at) {
  for (std::size_t j = 0; j < at.runs[r].noise.size(); ++j) prefetch_row(at.noise_of(r)[j], slice);
}

void CbowStep::own(std::size_t r, Slice slice, Pointers& at) {
  const Run& run = at.runs[r];
  for (std::size_t j = 0; j < run.noise.size(); ++j) own_row(at.noise_of(r)[j], slice);
  for (std::size_t c = run.first; c < run.first + run.size; ++c) own_row(at.targets[c], slice);
}

// The hidden vectors of some centres of a group.
void CbowStep::compose(const Block& block, Block::Range centres, const Rows& rows, Share share,
                       Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const std::size_t first = block.begin + centres.begin;
  const std::size_t count = centres.end - centres.begin;
  const RowsAt<float> hidden = {rows.hidden.row(centres.begin), rows.hidden.stride};
  const Slice slice = share.summed_columns(used_);
  if (!tables_.bags.empty()) {
    const Windows bags = scratch.bags.fill(plan, first, count, tables_.bags);
    words_.means(rows.input, scratch.bags.ids.data(), bags, hidden, nullptr, slice);
    return;
  }
  const float* ahead[kGroup];
  point_ahead(plan, first + early_input(share), count, rows.input, ahead);
  words_.means(rows.input, plan.tokens.data(), plan.contexts.windows(first, count), hidden, ahead,
               slice);
}

Windows CbowStep::BagsOfCentres::fill(const WordPlan& plan, std::size_t first, std::size_t count,
                                      const Bags& bags) {
  ids.clear();
  begins.assign(1, 0);
  for (std::size_t c = first; c < first + count; ++c) {
    const Centre& centre = plan.centres[c];
    for (std::uint32_t t = centre.first; t < centre.last; ++t) {
      if (t == centre.at) continue;
      const auto bag = bags[plan.tokens[t]];
      ids.insert(ids.end(), bag.begin(), bag.end());
    }
    begins.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  return {begins.data(), begins.data() + 1, begins.data() + 1, plan.contexts.share.data() + first,
          count};
}

template <class F>
void CbowStep::for_each_run(const Block& block, std::size_t group, Share share, F&& f) {
  Scratch& scratch = scratch_[share.index];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.summed_columns(used_);
  const auto [first, last] = block.runs_of(group, kRun);
  Pointers& at = pointers_[share.half()];
  for (std::size_t r = first; r < last; ++r) {
    point(block, r, rows, at);
    prefetch(r, slice, at);
  }
  compose(block, block.group(group), rows, share, scratch);
  for (std::size_t r = first; r < last; ++r) f(r, at.runs[r]);
}

void CbowStep::sum(const Block& block, std::size_t group, Share share) {
  const std::size_t half = share.half();
  Pointers& at = pointers_[half];
  for_each_run(block, group, share, [&](std::size_t r, const Run& run) {
    words_.half_pair_dots(at.hidden.data() + run.first, run.size, at.noise_of(r), run.noise.size(),
                          at.targets.data() + run.first, partial(half, r), used_ / 2);
  });
}

void CbowStep::score(const Block& block, std::size_t group, Share share) {
  Scratch& scratch = scratch_[share.index];
  Pointers& at = pointers_[share.half()];
  if (!sums()) {
    for_each_run(block, group, share, [&](std::size_t r, const Run& run) {
      words_.pair_dots(at.hidden.data() + run.first, run.size, at.noise_of(r), run.noise.size(),
                       at.targets.data() + run.first, g(r), used_);
      differentiate(block, r, run, scratch);
    });
    return;
  }
  const auto [first, last] = block.runs_of(group, kRun);
  for (std::size_t r = first; r < last; ++r) {
    for (std::size_t half = 0; half < 2; ++half)
      prefetch_scalars(partial(half, r), g_size_, r, block.runs(kRun));
    const Run& run = at.runs[r];
    for (std::size_t k = 0; k < run.pairs(); ++k) g(r)[k] = partial(0, r)[k] + partial(1, r)[k];
    differentiate(block, r, run, scratch);
  }
}

// The logits of a run become their gradients; also what its loss is made of.
void CbowStep::differentiate(const Block& block, std::size_t r, const Run& run, Scratch& scratch) {
  const std::size_t columns = run.noise.size();
  const std::size_t size = run.pairs();
  float* weight = scratch.weight.data();
  float* label = scratch.label.data();
  float largest = 1.0F;
  std::fill(weight + size, weight + padded(size), 0.0F);
  for (std::size_t i = 0; i < run.size; ++i) {
    const std::uint32_t own = block.word(run.first + i);
    // A centre is no noise for itself: that draw is void.
    for (std::size_t j = 0; j < columns; ++j, ++weight, ++label) {
      *weight = run.noise[j] == own ? 0.0F : run.uses[j].weight[0];
      largest = std::max(largest, *weight);
      *label = 0.0F;
    }
    *weight++ = *label++ = 1.0F;
  }
  std::fill(g(r) + size, g(r) + padded(size), 0.0F);  // what is not there has z = 0 and weight 0
  words_.sampling_gradient(g(r), scratch.weight.data(), scratch.label.data(), block.rate, size,
                           largest <= kLargestWeight, losses_.data() + r * kLossParts);
}

LossSum CbowStep::loss(const Block& block) const {
  return {words_.sampling_loss(losses_.data(), block.runs(kRun)),
          static_cast<double>(block.size())};
}

// The output rows of a run, and what pulls its hidden vectors: all from the rows before the run.
void CbowStep::move(const Block& block, std::size_t group, Share share) {
  Pointers& at = pointers_[share.half()];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.moved_columns(used_);
  if (slice.size() == 0) return;
  const auto [first, last] = block.runs_of(group, kRun);
  for (std::size_t r = first; r < last; ++r) {
    // Other threads have read the rows: a line must be won back before it is written.
    if (share.shares_rows() && r + 1 < block.runs(kRun)) own(r + 1, slice, at);
    if (share.count > 1) prefetch_scalars(g(r), g_size_, r, block.runs(kRun));
    const Run& run = at.runs[r];
    const float* ahead[kRun];
    point_ahead(*block.plan, block.begin + run.first + kEarlyOutput, run.size, rows.output, ahead);
    words_.pair_pull({rows.hidden.row(run.first), rows.hidden.stride}, run.size, at.noise_of(r),
                     run.noise.size(), at.targets.data() + run.first, g(r), ahead, slice,
                     options_.move_output, scratch_[share.index].copy.data());
  }
}

// Each token of the block as a context word, in the order of the tokens.
void CbowStep::move_shared(const Block& block, Share share) {
  const Slice slice = share.moved_columns(used_);
  if (!options_.move_input || slice.size() == 0) return;
  const Rows& rows = rows_[share.half()];
  const WordPlan& plan = *block.plan;
  const Windows windows = plan.contexts.windows(block.begin, block.size());
  const auto [begin, end] = plan.contexts.tokens[block.number];
  if (!tables_.bags.empty()) {
    for (std::size_t t = begin; t < end; ++t)
      move_bag(rows, windows, plan.tokens[t], t, slice, scratch_[share.index].sum.data());
    return;
  }
  const std::size_t most = share.shares_rows() ? kGroup : end - begin;
  for (std::size_t t = begin; t < end; t += most) {
    const std::size_t some = std::min<std::size_t>(end, t + most);
    if (share.shares_rows())
      for (std::size_t ahead = some; ahead < std::min<std::size_t>(end, some + most); ++ahead)
        own_row(rows.input.row(plan.tokens[ahead]), slice);
    words_.mixes(rows.hidden, windows, options_.window, rows.input, plan.tokens.data() + t, t, some,
                 slice);
  }
}

// The same of one token, whose word has several rows.
void CbowStep::move_bag(const Rows& rows, const Windows& windows, std::uint32_t word,
                        std::size_t token, Slice slice, float* sum) const {
  constexpr std::uint32_t kFirst = 0;
  std::fill(sum + slice.begin, sum + slice.end, 0.0F);
  words_.mixes(rows.hidden, windows, options_.window, {sum, 0}, &kFirst, token, token + 1, slice);
  for (const std::uint32_t row : tables_.bags[word])
    floats_.axpy(1.0F, sum + slice.begin, rows.input.row(row) + slice.begin, slice.size());
}

}  // namespace bitsense
