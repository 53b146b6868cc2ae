#include "train/skip_gram_step.hpp"

#include <algorithm>

namespace bitsense {

namespace {

// Where threads share rows: tiles before one whose rows are asked for, to write them.
constexpr std::size_t kOwnAhead = 2;

}  // namespace

SkipGramStep::SkipGramStep(const Kernels& kernels, const WordOptions& options,
                           const WordTables& tables, std::size_t threads)
    : floats_(*kernels.floats),
      words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      used_(used_columns(options, tables.output)),
      most_inputs_(kRun * 2 * options.window),
      most_outputs_(kRun + options.negatives),
      g_size_(padded(most_inputs_ * most_outputs_)),
      g_(kMostTiles * g_size_),
      losses_(kMostTiles * kLossParts) {
  for (std::size_t t = 0; t < threads; ++t)
    scratch_.emplace_back(words_, most_inputs_, most_outputs_, n_);
  if (sums()) halves_ = AlignedFloats(2 * g_.size());
  const std::size_t items = has_items() ? kBlockCentres * 2 * options.window : 0;
  items_ = AlignedFloats(items * n_);
  moved_ = AlignedFloats(items * n_);
  rows_.fill({tables.input, tables.output, {items_.data(), items, n_}, {moved_.data(), items, n_}});
  if (sums())
    for (std::size_t half = 0; half < 2; ++half) {
      Rows& rows = rows_[half];
      take_half({&rows.input, &rows.output, &rows.items, &rows.moved}, half);
    }
  for (std::size_t half = 0; half < 2; ++half) pointers_.emplace_back(most_inputs_, most_outputs_);
}

void SkipGramStep::lay_out(WordPlan& plan) const {
  std::size_t inputs = 0;
  for (const Centre& centre : plan.centres) inputs += centre.contexts();
  plan.tiles.clear(plan.centres.size(), inputs, plan.noise.size() + plan.centres.size());
  plan.for_each_run(kRun, [&](std::size_t c, std::size_t count) {
    SkipGram::add_tile(plan, c, count, options_.negatives, plan.tiles);
    if (scratch_.size() == 1) prefetch_first(plan, c, count, tables_);
  });
}

// Numbers the words that the block's contexts hold, in the order of their tokens.
void SkipGramStep::number_items(const Block& block, Scratch& scratch) const {
  const WordPlan& plan = *block.plan;
  scratch.item_words.clear();
  scratch.word_items.resize(tables_.output.rows);
  std::uint32_t done = 0;
  for (std::size_t c = block.begin; c < block.end; ++c) {
    const Centre& centre = plan.centres[c];
    // Windows are of random width: one may begin before the one before it.
    if (c == block.begin || centre.first < plan.centres[c - 1].first) done = centre.first;
    for (std::uint32_t j = std::max(done, centre.first); j < centre.last; ++j) {
      const std::uint32_t word = plan.tokens[j];
      if (scratch.has_item(word)) continue;
      scratch.word_items[word] = static_cast<std::uint32_t>(scratch.item_words.size());
      scratch.item_words.push_back(word);
    }
    done = std::max(done, centre.last);
  }
}

void SkipGramStep::compose(const Block& block, Share share) {
  Scratch& scratch = scratch_[share.index];
  number_items(block, scratch);
  const std::size_t count = scratch.item_words.size();
  const Share part = share.summed_part();
  const Rows& rows = rows_[share.half()];
  for (std::size_t i = part.begin(count); i < part.end(count); ++i) {
    const auto bag = tables_.bags[scratch.item_words[i]];
    const auto size = static_cast<std::uint32_t>(bag.size());
    constexpr std::uint32_t kFirst = 0;
    const float weight = 1.0F / static_cast<float>(size);
    words_.means(rows.input, bag.data(), {&kFirst, &size, &size, &weight, 1},
                 {rows.items.row(i), rows.items.stride}, nullptr, share.summed_columns(used_));
  }
}

void SkipGramStep::point(const Tile& tile, const Rows& rows, const Table& items,
                         const Scratch& scratch, Pointed& to) const {
  to.rows = tile.rows();
  to.columns = tile.columns();
  float** in = to.in;
  if (has_items())
    tile.for_each_input(
        [&](std::size_t i, std::uint32_t word) { in[i] = items.row(scratch.word_items[word]); });
  else
    tile.for_each_input([&](std::size_t i, std::uint32_t word) { in[i] = rows.input.row(word); });
  float** out = to.out;
  for (const std::uint32_t word : tile.targets) *out++ = rows.output.row(word);
  for (const std::uint32_t word : tile.noise) *out++ = rows.output.row(word);
}

void SkipGramStep::prefetch_shared(const Block& block, std::size_t t, const Rows& rows,
                                   Slice slice) const {
  const auto noise = [&](std::size_t tile) {
    for (const std::uint32_t word : tile_of(block, tile).noise)
      prefetch_row(rows.output.row(word), slice);
  };
  if (t == 0) noise(t);
  if (t + 1 >= block.runs(kRun)) return;
  noise(t + 1);
  const auto [first, last] = block.run(t + 1, kRun);
  for (std::size_t c = first; c < last; ++c) prefetch_row(rows.output.row(block.word(c)), slice);
}

template <class F>
void SkipGramStep::for_each_tile(const Block& block, std::size_t group, Share share, F&& f) {
  Scratch& scratch = scratch_[share.index];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.summed_columns(used_);
  const auto [first, last] = block.runs_of(group, kRun);
  for (std::size_t t = first; t < last; ++t) {
    if (share.shares_rows()) prefetch_shared(block, t, rows, slice);
    if (!has_items()) prefetch_centres(block, t, early_input(share), rows.input, slice);
    const Tile tile = tile_of(block, t);
    Pointed& to = pointers_[share.half()].tiles[t];
    point(tile, rows, rows.items, scratch, to);
    f(t, tile, to.in, to.out);
  }
}

void SkipGramStep::sum(const Block& block, std::size_t group, Share share) {
  const std::size_t half = share.half();
  for_each_tile(block, group, share,
                [&](std::size_t t, const Tile& tile, const float* const* in, float* const* out) {
                  words_.half_pair_dots(in, tile.rows(), out, tile.columns(), nullptr,
                                        partial(half, t), used_ / 2);
                });
}

void SkipGramStep::score(const Block& block, std::size_t group, Share share) {
  TileGradient& gradient = scratch_[share.index].gradient;
  const auto differentiate = [&](std::size_t t, const Tile& tile) {
    gradient(tile, block.rate, g(t), losses_.data() + t * kLossParts);
  };
  if (!sums()) {
    for_each_tile(block, group, share,
                  [&](std::size_t t, const Tile& tile, const float* const* in, float* const* out) {
                    gradient.weigh(tile);
                    words_.pair_dots(in, tile.rows(), out, tile.columns(), nullptr, g(t), used_);
                    differentiate(t, tile);
                  });
    return;
  }
  const auto [first, last] = block.runs_of(group, kRun);
  for (std::size_t t = first; t < last; ++t) {
    for (std::size_t half = 0; half < 2; ++half)
      prefetch_scalars(partial(half, t), g_size_, t, block.runs(kRun));
    const Tile tile = tile_of(block, t);
    gradient.weigh(tile);
    for (std::size_t k = 0; k < tile.size(); ++k) g(t)[k] = partial(0, t)[k] + partial(1, t)[k];
    differentiate(t, tile);
  }
}

LossSum SkipGramStep::loss(const Block& block) const {
  LossSum total{words_.sampling_loss(losses_.data(), block.runs(kRun)), 0.0};
  for (std::size_t t = 0; t < block.runs(kRun); ++t) {
    const auto [first, last] = block.run(t, kRun);
    total.targets += SkipGram::pairs(*block.plan, block.begin + first, last - first);
  }
  return total;
}

void SkipGramStep::move(const Block& block, std::size_t group, Share share) {
  Scratch& scratch = scratch_[share.index];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.moved_columns(used_);
  if (slice.size() == 0) return;
  const auto [first, last] = block.runs_of(group, kRun);
  if (first == 0 && has_items())
    for (std::size_t i = 0; i < scratch.item_words.size(); ++i)
      std::copy_n(rows.items.row(i) + slice.begin, slice.size(), rows.moved.row(i) + slice.begin);
  std::vector<Pointed>& pointed = pointers_[share.half()].tiles;
  for (std::size_t t = first; t < last; ++t) {
    // Where other threads have read the rows, a line must be won back before it is written, which
    // takes as long as some tiles.
    if (share.shares_rows() && t + kOwnAhead < block.runs(kRun)) own(pointed[t + kOwnAhead], slice);
    if (share.count > 1) prefetch_scalars(g(t), g_size_, t, block.runs(kRun));
    prefetch_centres(block, t, kEarlyOutput, rows.output, slice);
    Pointed moved = pointed[t];
    if (has_items()) {  // they move in copies
      moved.in = scratch.moved.data();
      moved.out = moved.in + most_inputs_ + 1;
      point(tile_of(block, t), rows, rows.moved, scratch, moved);
    }
    words_.pair_update(moved.in, moved.rows, moved.out, moved.columns, g(t), slice,
                       has_items() || options_.move_input, options_.move_output,
                       scratch.copy.data());
  }
}

// What the items moved by goes to their rows.
void SkipGramStep::move_shared(const Block& /*block*/, Share share) {
  if (!has_items() || !options_.move_input) return;
  const Scratch& scratch = scratch_[share.index];
  const Rows& rows = rows_[share.half()];
  const Slice slice = share.moved_columns(used_);
  const std::size_t x = slice.begin;
  for (std::size_t i = 0; i < scratch.item_words.size(); ++i) {
    float* delta = rows.moved.row(i) + x;
    floats_.axpy(-1.0F, rows.items.row(i) + x, delta, slice.size());
    const auto bag = tables_.bags[scratch.item_words[i]];
    const float weight = 1.0F / static_cast<float>(bag.size());
    for (const std::uint32_t row : bag)
      floats_.axpy(weight, delta, rows.input.row(row) + x, slice.size());
  }
}

}  // namespace bitsense
