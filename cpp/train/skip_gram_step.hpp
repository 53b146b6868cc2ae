// The step of skip-gram (models/skip_gram.hpp): a tile for each run of centres of the block.
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
#include "train/rows_ahead.hpp"
#include "train/tiles.hpp"
#include "train/word_step.hpp"

namespace bitsense {

class SkipGramStep final : public WordStep {
 public:
  SkipGramStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
               std::size_t threads);

  std::size_t group_centres() const override { return kGroup; }
  std::size_t noise_centres() const override { return kRun; }
  void lay_out(WordPlan& plan) const override;
  bool composes() const override { return has_items(); }
  void compose(const Block& block, Share share) override;
  bool sums() const override { return tables_.halved; }
  void sum(const Block& block, std::size_t group, Share share) override;
  void score(const Block& block, std::size_t group, Share share) override;
  void move(const Block& block, std::size_t group, Share share) override;
  void move_shared(const Block& block, Share share) override;
  LossSum loss(const Block& block) const override;

 private:
  static constexpr std::size_t kRun = SkipGram::kRun;
  static constexpr std::size_t kGroup = 3 * kRun;
  static_assert(kBlockCentres <= Team::kMostGroups * kGroup);
  static constexpr std::size_t kMostTiles = (kBlockCentres + kRun - 1) / kRun;
  // The rows of a tile.
  struct Pointed {
    float** in;
    float** out;
    std::size_t rows;
    std::size_t columns;
  };
  // The tiles of a block. Each of two threads points at its half of the rows; more threads at whole
  // rows, and who moves a tile reads what the one who scored it has written here.
  struct Pointers {
    Pointers(std::size_t inputs, std::size_t outputs)
        : memory(kMostTiles * (inputs + 1 + outputs)) {
      float** at = memory.data();
      for (std::size_t t = 0; t < kMostTiles; ++t, at += inputs + 1 + outputs)
        tiles.push_back({at, at + inputs + 1, 0, 0});
    }
    std::vector<float*> memory;  // of a tile: inputs, room for one that is none, outputs
    std::vector<Pointed> tiles;
  };
  // Of one thread.
  struct alignas(kApart) Scratch {
    Scratch(const WordKernels& words, std::size_t inputs, std::size_t outputs, std::size_t n)
        : gradient(words, inputs, outputs), copy(inputs * n), moved(inputs + 1 + outputs) {}
    Scratch(Scratch&&) = default;
    // An old number need not be forgotten: it points at another word, or behind the last.
    bool has_item(std::uint32_t word) const {
      const std::uint32_t number = word_items[word];
      return number < item_words.size() && item_words[number] == word;
    }

    TileGradient gradient;
    AlignedFloats copy;
    std::vector<float*> moved;              // a tile's pointers at copies of items
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
  // The t-th tile of a block.
  Tile tile_of(const Block& block, std::size_t t) const {
    const auto [first, last] = block.run(t, kRun);
    return SkipGram::tile(*block.plan, block.begin + first, last - first, options_.negatives);
  }
  // Asks for the rows of a tile's centres, `ahead` centres on.
  static void prefetch_centres(const Block& block, std::size_t t, std::size_t ahead,
                               const Table& table, Slice slice) {
    for (std::size_t c = t * kRun; c < (t + 1) * kRun; ++c)
      prefetch_early(*block.plan, block.begin + c + ahead, table, slice);
  }
  // Where threads share rows: asks for rows that are needed soon after the t-th tile begins.
  void prefetch_shared(const Block& block, std::size_t t, const Rows& rows, Slice slice) const;
  // Asks for the rows of a tile to write them. Items are not written.
  void own(const Pointed& tile, Slice slice) const {
    for (std::size_t j = 0; j < tile.columns; ++j) own_row(tile.out[j], slice);
    if (has_items()) return;
    for (std::size_t i = 0; i < tile.rows; ++i) own_row(tile.in[i], slice);
  }
  // Points at the rows of a tile, or at its items.
  void point(const Tile& tile, const Rows& rows, const Table& items, const Scratch& scratch,
             Pointed& to) const;
  // Calls f(t, tile, in, out) for the tiles of a group, with pointers to their rows or items.
  template <class F>
  void for_each_tile(const Block& block, std::size_t group, Share share, F&& f);
  float* g(std::size_t t) { return g_.data() + t * g_size_; }
  float* partial(std::size_t half, std::size_t t) {
    return halves_.data() + (half * kMostTiles + t) * g_size_;
  }

  const FloatKernels& floats_;
  const WordKernels& words_;
  WordOptions options_;
  WordTables tables_;
  std::array<Rows, 2> rows_;  // by Share::half
  std::size_t n_;             // columns that rows have room for
  std::size_t used_;
  std::size_t most_inputs_;
  std::size_t most_outputs_;
  std::size_t g_size_;
  AlignedFloats g_;       // per tile of the block
  AlignedFloats halves_;  // per half of the columns, of all tiles, for `sum`
  AlignedFloats losses_;  // likewise, what they are made of
  AlignedFloats items_;
  AlignedFloats moved_;
  std::vector<Pointers> pointers_;  // by Share::half
  std::vector<Scratch> scratch_;
};

}  // namespace bitsense
