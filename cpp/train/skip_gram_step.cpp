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
      inputs_(kBlockCentres * most_inputs_),
      outputs_(kBlockCentres * most_outputs_),
      g_(kBlockCentres * g_size_),
      slots_(kBlockCentres) {
  if (has_items()) {
    items_ = AlignedFloats(kBlockCentres * most_inputs_ * n_);
    moved_ = AlignedFloats(kBlockCentres * most_inputs_ * n_);
  }
  for (std::size_t t = 0; t < threads; ++t)
    scratch_.emplace_back(words_, most_inputs_, most_outputs_, n_);
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
    words_.mean(scratch.rows.data(), scratch.rows.size(), item(i), n_);
  }
}

// Makes the tile of a centre and asks for the rows that no tile of this share had before.
void SkipGramStep::prepare(const Block& block, std::size_t slot, Scratch& scratch) const {
  const WordPlan& plan = *block.plan;
  Tile& tile = scratch.tiles[slot % 2];
  SkipGram::make(plan, block.begin + slot, options_.negatives, tile);
  for (const std::uint32_t word : tile.outputs()) prefetch_row(tables_.output.row(word), n_);
  if (has_items()) return;
  const Centre& centre = plan.centres[block.begin + slot];
  for (std::uint32_t j = std::max(centre.first, scratch.asked); j < centre.last; ++j)
    prefetch_row(tables_.input.row(plan.tokens[j]), n_);
  scratch.asked = std::max(scratch.asked, centre.last);
}

// Writes down what the tile is made of, for `point` and `move`.
void SkipGramStep::keep(std::size_t slot, const Tile& tile, const Scratch& scratch) {
  slots_[slot].inputs = tile.inputs().size();
  slots_[slot].outputs = tile.outputs().size();
  std::uint32_t* inputs = inputs_.data() + slot * most_inputs_;
  std::copy(tile.outputs().begin(), tile.outputs().end(), outputs_.data() + slot * most_outputs_);
  std::copy(tile.inputs().begin(), tile.inputs().end(), inputs);
  if (has_items())
    for (std::size_t i = 0; i < tile.inputs().size(); ++i)
      inputs[i] = scratch.word_items[inputs[i]];
}

void SkipGramStep::point(std::size_t slot, std::size_t x, const Table& table, Scratch& scratch) {
  const std::uint32_t* inputs = inputs_.data() + slot * most_inputs_;
  const std::uint32_t* outputs = outputs_.data() + slot * most_outputs_;
  for (std::size_t i = 0; i < slots_[slot].inputs; ++i) scratch.in[i] = table.row(inputs[i]) + x;
  for (std::size_t j = 0; j < slots_[slot].outputs; ++j)
    scratch.out[j] = tables_.output.row(outputs[j]) + x;
}

void SkipGramStep::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const Table items{items_.data(), 0, n_};
  const std::size_t end = share.end(block.size());
  std::size_t slot = share.begin(block.size());
  scratch.asked = 0;
  if (slot < end) prepare(block, slot, scratch);
  for (; slot < end; ++slot) {
    if (slot + 1 < end) prepare(block, slot + 1, scratch);
    const Tile& tile = scratch.tiles[slot % 2];
    keep(slot, tile, scratch);
    point(slot, 0, has_items() ? items : tables_.input, scratch);
    float* g = g_.data() + slot * g_size_;
    words_.pair_dots(scratch.in.data(), slots_[slot].inputs, scratch.out.data(),
                     slots_[slot].outputs, g, n_);
    slots_[slot].loss = {scratch.gradient(tile, block.rate, g), tile.targets()};
  }
}

LossSum SkipGramStep::loss(const Block& block) const {
  LossSum total;
  for (std::size_t s = 0; s < block.size(); ++s) total.add(slots_[s].loss);
  return total;
}

void SkipGramStep::move(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const auto [x, n] = share.columns(n_);
  if (n == 0) return;
  const std::size_t count = has_items() ? scratch.item_words.size() : 0;
  for (std::size_t i = 0; i < count; ++i) std::copy_n(item(i) + x, n, moved(i) + x);
  const Table items{moved_.data(), 0, n_};
  for (std::size_t slot = 0; slot < block.size(); ++slot) {
    point(slot, x, has_items() ? items : tables_.input, scratch);
    words_.pair_update(scratch.in.data(), slots_[slot].inputs, scratch.out.data(),
                       slots_[slot].outputs, g_.data() + slot * g_size_, n,
                       has_items() || options_.move_input, options_.move_output,
                       scratch.copy.data());
  }
  if (has_items() && options_.move_input) move_items(x, n, scratch);
}

void SkipGramStep::move_items(std::size_t x, std::size_t n, const Scratch& scratch) {
  for (std::size_t i = 0; i < scratch.item_words.size(); ++i) {
    float* delta = moved(i) + x;
    floats_.axpy(-1.0F, item(i) + x, delta, n);
    const auto bag = tables_.bags[scratch.item_words[i]];
    const float weight = 1.0F / static_cast<float>(bag.size());
    for (const std::uint32_t row : bag) floats_.axpy(weight, delta, tables_.input.row(row) + x, n);
  }
}

}  // namespace bitsense
