// The step of the models that make tiles of words and their contexts (models/skip_gram.hpp,
// models/cbow.hpp).
//
// An input of a tile is either a row of the input table itself, or an item: the mean of several
// rows, worked out once a block. A row is moved where it lies. An item is moved in a copy, and what
// it moved by goes to its rows, each by its weight: that is the gradient, since the mean is linear.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/float_kernels.hpp"
#include "train/tiles.hpp"
#include "train/word_step.hpp"

namespace bitsense {

template <class Model>
class WindowStep final : public WordStep {
 public:
  WindowStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
             std::size_t threads)
      : floats_(*kernels.floats),
        words_(*kernels.words),
        options_(options),
        tables_(tables),
        n_(tables.output.stride),
        most_inputs_(Model::kInputIsContext ? Model::kRun : 2 * options.window),
        most_outputs_(Model::kRun + options.negatives),
        g_size_(padded(most_inputs_ * most_outputs_)),
        inputs_(kBlockCentres * most_inputs_),
        outputs_(kBlockCentres * most_outputs_),
        g_(kBlockCentres * g_size_),
        slots_(kBlockCentres) {
    if (has_items()) {
      const std::size_t most = kBlockCentres * (Model::kInputIsContext ? 1 : 2 * options.window);
      items_ = AlignedFloats(most * n_);
      moved_ = AlignedFloats(most * n_);
      item_sizes_.resize(most);
    }
    for (std::size_t t = 0; t < threads; ++t)
      scratch_.emplace_back(words_, most_inputs_, most_outputs_, n_);
  }

  bool composes() const override { return has_items() && !Model::kInputIsContext; }
  void compose(const Block& block, Share share, std::size_t thread) override;
  void score(const Block& block, Share share, std::size_t thread) override;
  void move(const Block& block, Share share, std::size_t thread) override;
  LossSum loss(const Block& block) const override {
    LossSum total;
    for (std::size_t s = 0; s < tiles(block); ++s) total.add(slots_[s].loss);
    return total;
  }

 private:
  // A tile of the block.
  struct Slot {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    LossSum loss;
  };
  struct Scratch {
    Scratch(const WordKernels& words, std::size_t inputs, std::size_t outputs, std::size_t n)
        : gradient(words, inputs, outputs), in(inputs), out(outputs), copy(inputs * n) {}
    Tile tiles[2];
    TileGradient gradient;
    std::vector<float*> in;
    std::vector<float*> out;
    AlignedFloats copy;
    // An old number need not be forgotten: it points at another word, or behind the last.
    bool has_item(std::uint32_t word) const {
      const std::uint32_t number = word_items[word];
      return number < item_words.size() && item_words[number] == word;
    }
    std::vector<std::uint32_t> item_words;  // of the block, in the order of their numbers
    std::vector<std::uint32_t> word_items;  // per word: its number, if it has one
    std::vector<const float*> rows;         // of one item
  };

  bool has_items() const { return Model::kInputIsContext || !tables_.bags.empty(); }
  std::size_t tiles(const Block& block) const {
    return (block.size() + Model::kRun - 1) / Model::kRun;
  }
  float* item(std::size_t i) { return items_.data() + i * n_; }
  float* moved(std::size_t i) { return moved_.data() + i * n_; }

  void number_items(const Block& block, Scratch& scratch) const;
  std::size_t item_count(const Block& block, const Scratch& scratch) const {
    return Model::kInputIsContext ? block.size() : scratch.item_words.size();
  }
  template <class F>
  void for_each_row(const Block& block, std::size_t i, const Scratch& scratch, F&& f) const;
  void compose_item(const Block& block, std::size_t i, Scratch& scratch);
  void prepare(const Block& block, std::size_t slot, Tile& tile) const;
  void keep(const Block& block, std::size_t slot, const Tile& tile, const Scratch& scratch);
  // Pointers to the inputs and outputs of a tile, from column x on.
  void point(std::size_t slot, std::size_t x, bool move, Scratch& scratch);
  void move_items(const Block& block, std::size_t x, std::size_t n, Scratch& scratch);

  const FloatKernels& floats_;
  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::size_t n_;
  std::size_t most_inputs_;
  std::size_t most_outputs_;
  std::size_t g_size_;
  std::vector<std::uint32_t> inputs_;  // per tile: rows of the input table, or items
  std::vector<std::uint32_t> outputs_;
  AlignedFloats g_;
  std::vector<Slot> slots_;
  AlignedFloats items_;
  AlignedFloats moved_;
  std::vector<std::size_t> item_sizes_;  // rows of each item
  std::vector<Scratch> scratch_;
};

// Numbers the words that the block's contexts hold, in the order of their tokens.
template <class Model>
void WindowStep<Model>::number_items(const Block& block, Scratch& scratch) const {
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

// Calls f with each row of which item i is the mean.
template <class Model>
template <class F>
void WindowStep<Model>::for_each_row(const Block& block, std::size_t i, const Scratch& scratch,
                                     F&& f) const {
  auto visit = [&](std::uint32_t word) {
    if (tables_.bags.empty()) return f(tables_.input.row(word));
    for (const std::uint32_t row : tables_.bags[word]) f(tables_.input.row(row));
  };
  if constexpr (Model::kInputIsContext) {
    const WordPlan& plan = *block.plan;
    const Centre& centre = plan.centres[block.begin + i];
    for (std::uint32_t j = centre.first; j < centre.at; ++j) visit(plan.tokens[j]);
    for (std::uint32_t j = centre.at + 1; j < centre.last; ++j) visit(plan.tokens[j]);
  } else {
    visit(scratch.item_words[i]);
  }
}

template <class Model>
void WindowStep<Model>::compose_item(const Block& block, std::size_t i, Scratch& scratch) {
  scratch.rows.clear();
  for_each_row(block, i, scratch, [&](const float* row) { scratch.rows.push_back(row); });
  words_.mean(scratch.rows.data(), scratch.rows.size(), item(i), n_);
  item_sizes_[i] = scratch.rows.size();
}

template <class Model>
void WindowStep<Model>::compose(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  number_items(block, scratch);
  const std::size_t count = item_count(block, scratch);
  for (std::size_t i = share.begin(count); i < share.end(count); ++i)
    compose_item(block, i, scratch);
}

inline void prefetch_row(const float* row, std::size_t n) {
  for (std::size_t x = 0; x < n; x += kRowQuantum) __builtin_prefetch(row + x);
}

// Makes a tile and asks for its rows.
template <class Model>
void WindowStep<Model>::prepare(const Block& block, std::size_t slot, Tile& tile) const {
  const std::size_t begin = block.begin + slot * Model::kRun;
  Model::make(*block.plan, begin, std::min(begin + Model::kRun, block.end), options_.negatives,
              tile);
  for (const std::uint32_t word : tile.outputs()) prefetch_row(tables_.output.row(word), n_);
  if (!has_items())
    for (const std::uint32_t row : tile.inputs()) prefetch_row(tables_.input.row(row), n_);
}

// Writes down what the tile is made of, for `point` and `move`.
template <class Model>
void WindowStep<Model>::keep(const Block& block, std::size_t slot, const Tile& tile,
                             const Scratch& scratch) {
  slots_[slot].inputs = tile.inputs().size();
  slots_[slot].outputs = tile.outputs().size();
  std::uint32_t* inputs = inputs_.data() + slot * most_inputs_;
  std::copy(tile.outputs().begin(), tile.outputs().end(), outputs_.data() + slot * most_outputs_);
  std::copy(tile.inputs().begin(), tile.inputs().end(), inputs);
  if constexpr (Model::kInputIsContext) {
    for (std::size_t i = 0; i < tile.inputs().size(); ++i)
      inputs[i] -= static_cast<std::uint32_t>(block.begin);
  } else if (has_items()) {
    for (std::size_t i = 0; i < tile.inputs().size(); ++i)
      inputs[i] = scratch.word_items[tile.inputs()[i]];
  }
}

template <class Model>
void WindowStep<Model>::point(std::size_t slot, std::size_t x, bool move, Scratch& scratch) {
  const std::uint32_t* inputs = inputs_.data() + slot * most_inputs_;
  const std::uint32_t* outputs = outputs_.data() + slot * most_outputs_;
  const Table items{move ? moved_.data() : items_.data(), 0, n_};
  const Table& rows = has_items() ? items : tables_.input;
  for (std::size_t i = 0; i < slots_[slot].inputs; ++i) scratch.in[i] = rows.row(inputs[i]) + x;
  for (std::size_t j = 0; j < slots_[slot].outputs; ++j)
    scratch.out[j] = tables_.output.row(outputs[j]) + x;
}

template <class Model>
void WindowStep<Model>::score(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t end = share.end(tiles(block));
  std::size_t slot = share.begin(tiles(block));
  if (slot < end) prepare(block, slot, scratch.tiles[slot % 2]);
  for (; slot < end; ++slot) {
    if (slot + 1 < end) prepare(block, slot + 1, scratch.tiles[(slot + 1) % 2]);
    const Tile& tile = scratch.tiles[slot % 2];
    keep(block, slot, tile, scratch);
    if constexpr (Model::kInputIsContext)
      for (std::size_t i = 0; i < tile.inputs().size(); ++i)
        compose_item(block, tile.inputs()[i] - block.begin, scratch);
    point(slot, 0, false, scratch);
    float* g = g_.data() + slot * g_size_;
    words_.pair_dots(scratch.in.data(), slots_[slot].inputs, scratch.out.data(),
                     slots_[slot].outputs, g, n_);
    slots_[slot].loss = {scratch.gradient(tile, block.rate, g), tile.targets()};
  }
}

template <class Model>
void WindowStep<Model>::move(const Block& block, Share share, std::size_t thread) {
  Scratch& scratch = scratch_[thread];
  const std::size_t quanta = n_ / kRowQuantum;
  const std::size_t x = share.begin(quanta) * kRowQuantum;
  const std::size_t n = share.end(quanta) * kRowQuantum - x;
  if (n == 0) return;
  if (has_items()) {
    const std::size_t count = item_count(block, scratch);
    for (std::size_t i = 0; i < count; ++i) std::copy_n(item(i) + x, n, moved(i) + x);
  }
  for (std::size_t slot = 0; slot < tiles(block); ++slot) {
    point(slot, x, true, scratch);
    words_.pair_update(scratch.in.data(), slots_[slot].inputs, scratch.out.data(),
                       slots_[slot].outputs, g_.data() + slot * g_size_, n,
                       has_items() || options_.move_input, options_.move_output,
                       scratch.copy.data());
  }
  if (has_items() && options_.move_input) move_items(block, x, n, scratch);
}

template <class Model>
void WindowStep<Model>::move_items(const Block& block, std::size_t x, std::size_t n,
                                   Scratch& scratch) {
  const std::size_t count = item_count(block, scratch);
  for (std::size_t i = 0; i < count; ++i) {
    float* delta = moved(i) + x;
    floats_.axpy(-1.0F, item(i) + x, delta, n);
    const float weight = 1.0F / static_cast<float>(item_sizes_[i]);
    for_each_row(block, i, scratch, [&](float* row) { floats_.axpy(weight, delta, row + x, n); });
  }
}

}  // namespace bitsense
