#include "train/cbow_step.hpp"

#include <algorithm>

namespace bitsense {

namespace {

constexpr std::size_t kRun = Cbow::kRun;

// The slots of a block.
struct Slots {
  std::size_t count;
  const std::uint32_t* words;
  const std::uint32_t* counts;
  const std::uint8_t* centres;  // of each, with room for `width`
  std::size_t width;
  const float* shares;  // of the block's centres
};

Slots slots_of(const Block& block) {
  const Contexts& contexts = block.plan->contexts;
  const std::size_t first = contexts.slots[block.number];
  return {contexts.slots[block.number + 1] - first,
          block.plan->tokens.data() + contexts.tokens[block.number],
          contexts.counts.data() + first,
          contexts.centres.data() + first * contexts.width,
          contexts.width,
          contexts.shares.data() + block.begin};
}

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
      pulls_(kBlockCentres * n_),
      g_(kMostRuns * g_size_),
      losses_(kMostRuns * kLossParts),
      scratch_(threads) {
  rows_.fill({tables.input,
              tables.output,
              {hidden_.data(), kBlockCentres, n_},
              {pulls_.data(), kBlockCentres, n_}});
  if (sums())
    for (std::size_t half = 0; half < 2; ++half) {
      Rows& rows = rows_[half];
      take_half({&rows.input, &rows.output, &rows.hidden, &rows.pulls}, half);
    }
  if (sums()) halves_ = AlignedFloats(2 * g_.size());
  for (std::size_t half = 0; half < 2; ++half) {
    Pointers& to = pointers_[half];
    for (std::size_t c = 0; c < kBlockCentres; ++c) {
      to.hidden.push_back(rows_[half].hidden.row(c));
      to.pulls.push_back(rows_[half].pulls.row(c));
    }
    to.targets.resize(kBlockCentres);
    to.places = options.negatives;
    to.noise.resize(kMostRuns * to.places);
    to.runs.resize(kMostRuns);
  }
  for (Scratch& scratch : scratch_) {
    scratch.weight = AlignedFloats(g_size_);
    scratch.label = AlignedFloats(g_size_);
    scratch.sum = AlignedFloats(n_);
  }
}

void CbowStep::lay_out(WordPlan& plan) const {
  plan.tiles.clear(plan.centres.size(), 0, plan.noise.size());
  plan.for_each_run(kRun, [&](std::size_t c, std::size_t count) {
    Cbow::add_tile(plan, c, options_.negatives, plan.tiles);
    if (scratch_.size() == 1) prefetch_first(plan, c, count, tables_);
  });
  Cbow::turn_contexts(plan, options_.window);
  Contexts& contexts = plan.contexts;
  contexts.shares.resize(plan.centres.size());
  for (std::size_t c = 0; c < plan.centres.size(); ++c) {
    std::size_t rows = contexts.begins[c + 1] - contexts.begins[c];
    if (!tables_.bags.empty()) {
      rows = 0;
      for (std::uint32_t k = contexts.begins[c]; k < contexts.begins[c + 1]; ++k)
        rows += tables_.bags[contexts.words[k]].size();
    }
    contexts.shares[c] = 1.0F / static_cast<float>(rows);
  }
}

CbowStep::Run CbowStep::run_of(const Block& block, std::size_t run) const {
  const auto [first, last] = block.run(run, kRun);
  const Tile tile = block.plan->tiles[block.begin + first];
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
  const Contexts& contexts = block.plan->contexts;
  const std::uint32_t* ids = contexts.words.data();
  const std::uint32_t* begins = contexts.begins.data() + block.begin + centres.begin;
  const std::size_t count = centres.end - centres.begin;
  const float* ahead[kGroupCentres];
  if (tables_.bags.empty()) {
    point_ahead(*block.plan, block.begin + centres.begin + early_input(share), count, rows.input,
                ahead);
  } else {
    scratch.ids.clear();
    scratch.begins.assign(1, 0);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::uint32_t k = begins[i]; k < begins[i + 1]; ++k) {
        const auto bag = tables_.bags[ids[k]];
        scratch.ids.insert(scratch.ids.end(), bag.begin(), bag.end());
      }
      scratch.begins.push_back(static_cast<std::uint32_t>(scratch.ids.size()));
    }
    ids = scratch.ids.data();
    begins = scratch.begins.data();
  }
  const RowsAt<float> hidden = {rows.hidden.row(centres.begin), rows.hidden.stride};
  words_.means(rows.input, ids, begins, count, hidden, tables_.bags.empty() ? ahead : nullptr,
               share.summed_columns(used_));
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
    words_.pair_pull(at.hidden.data() + run.first, run.size, at.noise_of(r), run.noise.size(),
                     at.targets.data() + run.first, g(r), at.pulls.data() + run.first, ahead, slice,
                     options_.move_output);
  }
}

// Each token of the block as a context word, in the order of the tokens.
void CbowStep::move_shared(const Block& block, Share share) {
  const Slice slice = share.moved_columns(used_);
  if (!options_.move_input || slice.size() == 0) return;
  Scratch& scratch = scratch_[share.index];
  const Rows& rows = rows_[share.half()];
  if (!tables_.bags.empty()) return move_bags(block, rows, slice, scratch);
  const Slots slots = slots_of(block);
  const std::size_t most = share.shares_rows() ? kGroupCentres : slots.count;
  for (std::size_t s = 0; s < slots.count; s += most) {
    if (share.shares_rows())
      for (std::size_t ahead = s + most; ahead < std::min(slots.count, s + 2 * most); ++ahead)
        own_row(rows.input.row(slots.words[ahead]), slice);
    words_.mixes(rows.pulls, slots.shares, slots.centres + s * slots.width, slots.width,
                 slots.counts + s, std::min(slots.count - s, most), rows.input, slots.words + s,
                 slice);
  }
}

// The same where a word has several rows.
void CbowStep::move_bags(const Block& block, const Rows& rows, Slice slice, Scratch& scratch) {
  const Slots slots = slots_of(block);
  float* sum = scratch.sum.data();
  constexpr std::uint32_t kFirst = 0;
  for (std::size_t s = 0; s < slots.count; ++s) {
    if (slots.counts[s] == 0) continue;
    std::fill(sum + slice.begin, sum + slice.end, 0.0F);
    words_.mixes(rows.pulls, slots.shares, slots.centres + s * slots.width, slots.width,
                 slots.counts + s, 1, {sum, 0}, &kFirst, slice);
    for (const std::uint32_t row : tables_.bags[slots.words[s]])
      floats_.axpy(1.0F, sum + slice.begin, rows.input.row(row) + slice.begin, slice.size());
  }
}

}  // namespace bitsense
