#include "train/skip_gram_step.hpp"

#include <algorithm>

#include "models/skip_gram.hpp"

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
      g_size_(padded(most_inputs_ * most_outputs_)),
      g_(kBlockCentres * g_size_),
      losses_(kBlockCentres) {
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
  plan.tiles.clear(plan.centres.size(), inputs, plan.centres.size() * most_outputs_);
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

void SkipGramStep::point(const Tile& tile, float* items, Scratch& scratch) const {
  for (std::size_t i = 0; i < tile.inputs.size(); ++i)
    scratch.in[i] = has_items() ? items + scratch.word_items[tile.inputs[i]] * n_
                                : tables_.input.row(tile.inputs[i]);
  for (std::size_t j = 0; j < tile.outputs.size(); ++j)
    scratch.out[j] = tables_.output.row(tile.outputs[j]);
}

// Asks for the rows of a tile.
void SkipGramStep::prefetch(const Block& block, std::size_t tile) const {
  for (const std::uint32_t word : block.plan->tiles[block.begin + tile].outputs)
    prefetch_row(tables_.output.row(word), {0, n_});
  if (!has_items()) prefetch_context(block, tile, tables_.input);
}

void SkipGramStep::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t end = share.end(block.size());
  std::size_t t = share.begin(block.size());
  if (t < end) prefetch(block, t);
  for (; t < end; ++t) {
    if (t + 1 < end) prefetch(block, t + 1);
    const Tile tile = block.plan->tiles[block.begin + t];
    point(tile, items_.data(), scratch);
    float* g = g_.data() + t * g_size_;
    words_.pair_dots(scratch.in.data(), tile.inputs.size(), scratch.out.data(), tile.outputs.size(),
                     g, {0, n_});
    losses_[t] = scratch.gradient(tile, block.rate, g);
  }
}

LossSum SkipGramStep::loss(const Block& block) const {
  LossSum total;
  for (std::size_t t = 0; t < block.size(); ++t)
    total.add({losses_[t], block.plan->tiles[block.begin + t].targets});
  return total;
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
    const Tile tile = block.plan->tiles[block.begin + t];
    if (shared && t + 1 < block.size()) {
      const Tile next = block.plan->tiles[block.begin + t + 1];
      for (const std::uint32_t word : next.outputs) own_row(tables_.output.row(word), slice);
      if (!has_items())
        for (const std::uint32_t word : next.inputs) own_row(tables_.input.row(word), slice);
    }
    point(tile, moved_.data(), scratch);
    words_.pair_update(scratch.in.data(), tile.inputs.size(), scratch.out.data(),
                       tile.outputs.size(), g_.data() + t * g_size_, slice,
                       has_items() || options_.move_input, options_.move_output,
                       scratch.copy.data());
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
