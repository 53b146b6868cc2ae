#include "train/cbow_step.hpp"

#include <algorithm>

namespace bitsense {

namespace {

constexpr std::size_t kRun = Cbow::kRun;

std::size_t runs(const Block& block) { return (block.size() + kRun - 1) / kRun; }

}  // namespace

CbowStep::CbowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
                   std::size_t threads)
    : words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      g_size_(padded(kRun * (options.negatives + 1)) + kRowQuantum),
      hidden_(kBlockCentres * n_),
      pulls_(kBlockCentres * n_),
      g_(kMostRuns * g_size_),
      losses_(kMostRuns * kLossParts),
      scratch_(threads) {
  rows_.fill({tables.input,
              tables.output,
              {hidden_.data(), kBlockCentres, n_},
              {pulls_.data(), kBlockCentres, n_}});
  if (threads > 1)
    for (std::size_t half = 0; half < 2; ++half) {
      Rows& rows = rows_[half];
      if (tables.halved) take_half({&rows.input, &rows.output}, half);
      take_half({&rows.hidden, &rows.pulls}, half);
    }
  if (threads > 1) halves_ = AlignedFloats(2 * g_.size());
  for (Scratch& scratch : scratch_) {
    scratch.in.resize(kRun);
    scratch.out.resize(options.negatives);
    scratch.pulls.resize(kRun);
    scratch.targets.resize(kRun);
    scratch.parts.resize(kBlockCentres);
    scratch.factors.resize(kBlockCentres);
    scratch.shares.resize(kBlockCentres);
    scratch.weight = AlignedFloats(g_size_);
    scratch.label = AlignedFloats(g_size_);
    scratch.sum = AlignedFloats(n_);
  }
}

void CbowStep::lay_out(WordPlan& plan) const {
  plan.tiles.clear(plan.centres.size(), 0, plan.noise.size());
  for (std::size_t b = 0; b < plan.block_count(); ++b)
    for (std::size_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c)
      Cbow::add_tile(plan, c, (c - plan.blocks[b]) % kRun == 0, options_.negatives, plan.tiles);
  Cbow::turn_contexts(plan, options_.window);
}

CbowStep::Run CbowStep::run_of(const Block& block, std::size_t run) const {
  const std::size_t first = run * kRun;
  const Tile tile = block.plan->tiles[block.begin + first];
  return {first, std::min(kRun, block.size() - first), tile.noise, tile.noise_times, tile.plain};
}

void CbowStep::point(const Run& run, const Rows& rows, Scratch& scratch) {
  for (std::size_t i = 0; i < run.size; ++i) scratch.in[i] = rows.hidden.row(run.first + i);
  for (std::size_t j = 0; j < run.noise.size(); ++j) scratch.out[j] = rows.output.row(run.noise[j]);
}

// Asks for the rows of a run's noise.
void CbowStep::prefetch(const Run& run, const Rows& rows, Slice slice) const {
  for (const std::uint32_t word : run.noise) prefetch_row(rows.output.row(word), slice);
}

// Some columns of the hidden vector of the c-th centre of the block.
void CbowStep::compose(const Block& block, std::size_t c, const Rows& rows, Slice slice,
                       Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const Centre& centre = plan.centres[block.begin + c];
  std::size_t count = 0;
  if (tables_.bags.empty()) {
    scratch.rows.resize(centre.contexts() + 1);  // one place for the centre
    for (std::uint32_t j = centre.first; j < centre.last; ++j) {
      scratch.rows[count] = rows.input.row(plan.tokens[j]);
      count += j != centre.at ? 1 : 0;
    }
  } else {
    scratch.rows.clear();
    for (std::uint32_t j = centre.first; j < centre.last; ++j)
      if (j != centre.at)
        for (const std::uint32_t row : tables_.bags[plan.tokens[j]])
          scratch.rows.push_back(rows.input.row(row));
    count = scratch.rows.size();
  }
  words_.mean(scratch.rows.data(), count, rows.hidden.row(c), slice);
}

// How many rows a centre's hidden vector is the mean of.
std::size_t CbowStep::context_rows(const WordPlan& plan, const Centre& centre) const {
  if (tables_.bags.empty()) return centre.contexts();
  std::size_t rows = 0;
  for (std::uint32_t j = centre.first; j < centre.last; ++j)
    if (j != centre.at) rows += tables_.bags[plan.tokens[j]].size();
  return rows;
}

template <class F>
void CbowStep::for_each_run(const Block& block, Share share, Scratch& scratch, F&& f) {
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.half_of_columns(n_);
  const std::size_t early = early_input(share);
  for_each_asked(
      share.within_half(), runs(block),
      [&](std::size_t r) { prefetch(run_of(block, r), rows, slice); },
      [&](std::size_t r) {
        const Run run = run_of(block, r);
        for (std::size_t i = 0; i < run.size; ++i) {
          const std::size_t c = run.first + i;
          scratch.targets[i] = rows.output.row(target(block, c));
          compose(block, c, rows, slice, scratch);
          if (tables_.bags.empty())
            prefetch_early(*block.plan, block.begin + c + early, rows.input, slice);
        }
        point(run, rows, scratch);
        f(r, run);
      });
}

void CbowStep::sum(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t half = share.half();
  const Slice slice = Halves{n_}[half];
  for_each_run(block, share, scratch, [&](std::size_t r, const Run& run) {
    float* z = partial(half, r);
    const std::size_t columns = run.noise.size();
    words_.pair_dots(scratch.in.data(), run.size, scratch.out.data(), columns, z, slice);
    words_.row_dots(scratch.in.data(), scratch.targets.data(), run.size, z + run.size * columns,
                    slice);
  });
}

void CbowStep::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  if (share.count == 1) {
    for_each_run(block, share, scratch, [&](std::size_t r, const Run& run) {
      const Halves halves{n_};
      const std::size_t columns = run.noise.size();
      words_.halved_pair_dots(scratch.in.data(), run.size, scratch.out.data(), columns, g(r),
                              halves);
      words_.halved_row_dots(scratch.in.data(), scratch.targets.data(), run.size,
                             g(r) + run.size * columns, halves);
      differentiate(block, r, run, scratch);
    });
    return;
  }
  for (std::size_t r = share.begin(runs(block)); r < share.end(runs(block)); ++r) {
    for (std::size_t half = 0; half < 2; ++half)
      prefetch_scalars(partial(half, r), g_size_, r, runs(block));
    const Run run = run_of(block, r);
    const std::size_t size = run.size * (run.noise.size() + 1);
    for (std::size_t k = 0; k < size; ++k) g(r)[k] = partial(0, r)[k] + partial(1, r)[k];
    differentiate(block, r, run, scratch);
  }
}

// The logits of a run become their gradients; also what its loss is made of.
void CbowStep::differentiate(const Block& block, std::size_t r, const Run& run, Scratch& scratch) {
  const std::size_t columns = run.noise.size();
  const std::size_t noise = run.size * columns;  // pairs with noise, then those with targets
  const std::size_t size = noise + run.size;
  float* weight = scratch.weight.data();
  float* label = scratch.label.data();
  std::fill(weight + size, weight + padded(size), 0.0F);
  std::fill_n(label, noise, 0.0F);
  for (std::size_t i = 0; i < run.size; ++i) {
    const std::uint32_t own = target(block, run.first + i);
    // A centre is no noise for itself: that draw is void.
    for (std::size_t j = 0; j < columns; ++j)
      weight[i * columns + j] = run.noise[j] == own ? 0.0F : run.noise_times[j];
    weight[noise + i] = label[noise + i] = 1.0F;
  }
  std::fill(g(r) + size, g(r) + padded(size), 0.0F);  // what is not there has z = 0 and weight 0
  words_.sampling_gradient(g(r), weight, label, block.rate, size, run.plain,
                           losses_.data() + r * kLossParts);
}

LossSum CbowStep::loss(const Block& block) const {
  return {words_.sampling_loss(losses_.data(), runs(block)), static_cast<double>(block.size())};
}

void CbowStep::move(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.columns_within_half(n_);
  if (slice.size() == 0) return;
  const bool shared = share.shares_half();
  for (std::size_t r = 0; r < runs(block); ++r) {
    if (shared && r + 1 < runs(block)) own(block, run_of(block, r + 1), rows, slice);
    if (share.count > 1) prefetch_scalars(g(r), g_size_, r, runs(block));
    move_run(block, run_of(block, r), g(r), rows, slice, scratch);
  }
  if (options_.move_input) move_tokens(block, rows, slice, shared, scratch);
}

// Other threads have read the rows: a line must be won back before it is written.
void CbowStep::own(const Block& block, const Run& run, const Rows& rows, Slice slice) const {
  for (const std::uint32_t word : run.noise) own_row(rows.output.row(word), slice);
  for (std::size_t c = run.first; c < run.first + run.size; ++c)
    own_row(rows.output.row(target(block, c)), slice);
}

// The output rows of a run, and what pulls its hidden vectors: all from the rows before the run.
void CbowStep::move_run(const Block& block, const Run& run, const float* g, const Rows& rows,
                        Slice slice, Scratch& scratch) {
  const std::size_t columns = run.noise.size();
  const float* own = g + run.size * columns;
  for (std::size_t i = 0; i < run.size; ++i) {
    const std::size_t c = run.first + i;
    prefetch_early(*block.plan, block.begin + c + kEarlyOutput, rows.output, slice);
    scratch.pulls[i] = rows.pulls.row(c);
    words_.scaled(own[i], rows.output.row(target(block, c)), rows.pulls.row(c), slice);
  }
  point(run, rows, scratch);
  words_.pair_pull(scratch.in.data(), run.size, scratch.out.data(), columns, g,
                   scratch.pulls.data(), slice, options_.move_output);
  if (!options_.move_output) return;
  for (std::size_t i = 0; i < run.size; ++i)
    words_.mix(&scratch.in[i], own + i, 1, rows.output.row(target(block, run.first + i)), slice);
}

// Each token of the block as a context word, in the order of the tokens.
void CbowStep::move_tokens(const Block& block, const Rows& rows, Slice slice, bool shared,
                           Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  std::uint32_t token = UINT32_MAX;
  std::uint32_t end = 0;
  for (std::size_t c = block.begin; c < block.end; ++c) {
    const Centre& centre = plan.centres[c];
    token = std::min(token, centre.first);
    end = std::max(end, centre.last);
    scratch.shares[c - block.begin] = 1.0F / static_cast<float>(context_rows(plan, centre));
  }
  const std::size_t most = Cbow::most_contexts(options_.window);
  for (; token < end; ++token) {
    constexpr std::uint32_t kAhead = 4;
    if (shared && tables_.bags.empty() && token + kAhead < end)
      own_row(rows.input.row(plan.tokens[token + kAhead]), slice);
    std::size_t parts = 0;
    const std::uint32_t* of = plan.context_of.data() + token * most;
    for (std::uint32_t e = 0; e < plan.context_counts[token]; ++e) {
      const std::size_t c = of[e];
      if (c < block.begin || c >= block.end) continue;
      scratch.parts[parts] = rows.pulls.row(c - block.begin);
      scratch.factors[parts++] = scratch.shares[c - block.begin];
    }
    if (parts > 0) move_token(plan.tokens[token], parts, rows, slice, scratch);
  }
}

void CbowStep::move_token(std::uint32_t word, std::size_t parts, const Rows& rows, Slice slice,
                          Scratch& scratch) {
  if (tables_.bags.empty()) {
    words_.mix(scratch.parts.data(), scratch.factors.data(), parts, rows.input.row(word), slice);
    return;
  }
  float* sum = scratch.sum.data();
  std::fill(sum + slice.begin, sum + slice.end, 0.0F);
  words_.mix(scratch.parts.data(), scratch.factors.data(), parts, sum, slice);
  constexpr float kOne = 1.0F;
  const float* const sums[1] = {sum};
  for (const std::uint32_t row : tables_.bags[word])
    words_.mix(sums, &kOne, 1, rows.input.row(row), slice);
}

}  // namespace bitsense
