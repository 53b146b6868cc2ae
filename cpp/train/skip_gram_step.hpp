// The step of skip-gram (models/skip_gram.hpp): a tile for each centre of the block.
//
// An input of a tile is a row of the input table, or, where words have bags of rows, an item: the
// mean of a word's rows, worked out once a block. A row is moved where it lies. An item is moved in
// a copy, and what it moved by goes to its rows, each by its weight: that is the gradient, since
// the mean is linear.
#pragma once

#include <array>
#include <vector>

#include "kernels/float_kernels.hpp"
#include "models/skip_gram.hpp"
#include "train/tiles.hpp"
#include "train/word_step.hpp"

namespace bitsense {

class SkipGramStep final : public WordStep {
 public:
  SkipGramStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
               std::size_t threads);

  void lay_out(WordPlan& plan) const override;
  bool composes() const override { return has_items(); }
  void compose(const Block& block, Share share) override;
  bool sums() const override { return scratch_.size() > 1; }
  void sum(const Block& block, std::size_t group, Share share) override;
  void score(const Block& block, std::size_t group, Share share) override;
  void move(const Block& block, std::size_t group, Share share) override;
  void move_shared(const Block& block, Share share) override;
  LossSum loss(const Block& block) const override;

 private:
  // The rows of a tile, in the columns that a thread is at work on.
  struct Pointed {
    float** in;
    float** out;
    std::size_t rows;
    std::size_t columns;
  };
  // Of one thread.
  struct alignas(kApart) Scratch {
    Scratch(const WordKernels& words, std::size_t inputs, std::size_t outputs, std::size_t n)
        : gradient(words, inputs, outputs),
          pointers(kBlockCentres * (inputs + 1 + outputs)),
          copy(inputs * n) {
      float** at = pointers.data();
      for (std::size_t t = 0; t < kBlockCentres; ++t, at += inputs + 1 + outputs)
        pointed.push_back({at, at + inputs + 1, 0, 0});
    }
    Scratch(Scratch&&) = default;
    // An old number need not be forgotten: it points at another word, or behind the last.
    bool has_item(std::uint32_t word) const {
      const std::uint32_t number = word_items[word];
      return number < item_words.size() && item_words[number] == word;
    }

    TileGradient gradient;
    std::vector<float*> pointers;  // of a tile: inputs, room for one that is none, outputs
    std::vector<Pointed> pointed;  // the tiles of the block
    AlignedFloats copy;
    std::vector<std::uint32_t> item_words;  // of the block, in the order of their numbers
    std::vector<std::uint32_t> word_items;  // per word: its number, if it has one
  };
  // Where the rows are that a thread is at work on, all columns of them or half.
  struct Rows {
    Table input;
    Table output;
    Table items;
    Table moved;  // copies of the items
  };
  bool has_items() const { return !tables_.bags.empty(); }
  void number_items(const Block& block, Scratch& scratch) const;
  // The t-th tile of a block, and its target.
  Tile tile_of(const Block& block, std::size_t t) const {
    return SkipGram::tile(*block.plan, block.begin + t, options_.negatives);
  }
  static std::uint32_t target(const Block& block, std::size_t t) {
    return block.plan->tokens[block.plan->centres[block.begin + t].at];
  }
  // Ask for the rows of a tile: those of its noise to read them, all to write them.
  void prefetch(const Block& block, std::size_t t, const Rows& rows, Slice slice) const;
  void own(const Block& block, std::size_t t, const Rows& rows, Slice slice) const;
  // Points at the rows of a tile, or at its items.
  void point(const Block& block, std::size_t t, const Tile& tile, const Rows& rows,
             const Table& items, Scratch& scratch) const;
  // Calls f(t, tile, in, out) for the tiles of a group, with pointers to their rows or items.
  template <class F>
  void for_each_tile(const Block& block, std::size_t group, Share share, F&& f);
  float* g(std::size_t t) { return g_.data() + t * g_size_; }
  float* partial(std::size_t half, std::size_t t) {
    return halves_.data() + (half * kBlockCentres + t) * g_size_;
  }

  const FloatKernels& floats_;
  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::array<Rows, 2> rows_;  // by Share::half
  std::size_t n_;
  std::size_t most_inputs_;
  std::size_t most_outputs_;
  std::size_t g_size_;
  AlignedFloats g_;       // per tile of the block
  AlignedFloats halves_;  // per half of the columns, of all tiles, for `sum`
  AlignedFloats losses_;  // likewise, what they are made of
  AlignedFloats items_;
  AlignedFloats moved_;
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
