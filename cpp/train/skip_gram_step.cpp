#include "train/skip_gram_step.hpp"

#include <algorithm>

namespace bitsense {

SkipGramStep::SkipGramStep(const Kernels& kernels, const WordOptions& options,
                           const WordTables& tables, std::size_t threads)
    : floats_(*kernels.floats),
      words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      most_inputs_(2 * options.window),
      most_outputs_(1 + options.negatives),
      g_size_(padded(most_inputs_ * most_outputs_) + kRowQuantum),
      g_(kBlockCentres * g_size_),
      losses_(kBlockCentres * kLossParts) {
  if (has_items()) {
    items_ = AlignedFloats(kBlockCentres * most_inputs_ * n_);
    moved_ = AlignedFloats(kBlockCentres * most_inputs_ * n_);
  }
  for (std::size_t t = 0; t < threads; ++t)
    scratch_.emplace_back(words_, most_inputs_, most_outputs_, n_);
}

void SkipGramStep::lay_out(WordPlan& plan) const {
  std::size_t inputs = 0;
  for (const Centre& centre : plan.centres) inputs += centre.contexts();
  plan.tiles.clear(plan.centres.size(), inputs, plan.noise.size());
  for (std::size_t c = 0; c < plan.centres.size(); ++c)
    SkipGram::add_tile(plan, c, options_.negatives, plan.tiles);
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

void SkipGramStep::compose(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  number_items(block, scratch);
  const std::size_t count = scratch.item_words.size();
  for (std::size_t i = share.begin(count); i < share.end(count); ++i) {
    scratch.rows.clear();
    for (const std::uint32_t row : tables_.bags[scratch.item_words[i]])
      scratch.rows.push_back(tables_.input.row(row));
    words_.mean(scratch.rows.data(), scratch.rows.size(), item(i), {0, n_});
  }
}

void SkipGramStep::point(const Block& block, std::size_t t, const Tile& tile, float* items,
                         Scratch& scratch) const {
  float** in = scratch.in.data();
  if (has_items())
    tile.for_each_input(
        [&](std::size_t i, std::uint32_t word) { in[i] = items + scratch.word_items[word] * n_; });
  else
    tile.for_each_input(
        [&](std::size_t i, std::uint32_t word) { in[i] = tables_.input.row(word); });
  float** out = scratch.out.data();
  *out++ = tables_.output.row(target(block, t));
  for (const std::uint32_t word : tile.noise) *out++ = tables_.output.row(word);
}

void SkipGramStep::prefetch(const Block& block, std::size_t t) const {
  for (const std::uint32_t word : tile_of(block, t).noise)
    prefetch_row(tables_.output.row(word), {0, n_});
}

void SkipGramStep::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t end = share.end(block.size());
  std::size_t t = share.begin(block.size());
  if (t < end) prefetch(block, t);
  for (; t < end; ++t) {
    if (t + 1 < end) prefetch(block, t + 1);
    if (!has_items()) prefetch_early(*block.plan, block.begin + t + kEarlyInput, tables_.input);
    const Tile tile = tile_of(block, t);
    point(block, t, tile, items_.data(), scratch);
    float* g = g_.data() + t * g_size_;
    words_.pair_dots(scratch.in.data(), tile.rows(), scratch.out.data(), tile.columns(), g,
                     {0, n_});
    scratch.gradient(tile, block.rate, g, losses_.data() + t * kLossParts);
  }
}

LossSum SkipGramStep::loss(const Block& block) const {
  LossSum total{words_.sampling_loss(losses_.data(), block.size()), 0.0};
  for (std::size_t t = 0; t < block.size(); ++t) total.targets += tile_of(block, t).targets;
  return total;
}

void SkipGramStep::own(const Block& block, std::size_t t, Slice slice) const {
  const Tile tile = tile_of(block, t);
  own_row(tables_.output.row(target(block, t)), slice);
  for (const std::uint32_t word : tile.noise) own_row(tables_.output.row(word), slice);
  if (has_items()) return;
  tile.for_each_input(
      [&](std::size_t, std::uint32_t word) { own_row(tables_.input.row(word), slice); });
}

void SkipGramStep::move(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const Slice slice = share.columns(n_);
  if (slice.size() == 0) return;
  const std::size_t count = has_items() ? scratch.item_words.size() : 0;
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(item(i) + slice.begin, slice.size(), moved(i) + slice.begin);
  // Other threads have read the rows: a line must be won back before it is written, which takes as
  // long as a tile.
  const bool shared = share.count > 1;
  for (std::size_t t = 0; t < block.size(); ++t) {
    if (shared && t + 1 < block.size()) own(block, t + 1, slice);
    prefetch_early(*block.plan, block.begin + t + kEarlyOutput, tables_.output);
    const Tile tile = tile_of(block, t);
    point(block, t, tile, moved_.data(), scratch);
    words_.pair_update(scratch.in.data(), tile.rows(), scratch.out.data(), tile.columns(),
                       g_.data() + t * g_size_, slice, has_items() || options_.move_input,
                       options_.move_output, scratch.copy.data());
  }
  if (has_items() && options_.move_input) move_items(slice, scratch);
}

void SkipGramStep::move_items(Slice slice, const Scratch& scratch) {
  const std::size_t x = slice.begin;
  for (std::size_t i = 0; i < scratch.item_words.size(); ++i) {
    float* delta = moved(i) + x;
    floats_.axpy(-1.0F, item(i) + x, delta, slice.size());
    const auto bag = tables_.bags[scratch.item_words[i]];
    const float weight = 1.0F / static_cast<float>(bag.size());
    for (const std::uint32_t row : bag)
      floats_.axpy(weight, delta, tables_.input.row(row) + x, slice.size());
  }
}

}  // namespace bitsense
