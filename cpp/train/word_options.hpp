// What a training of word vectors is told, and the tables that it moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/matrix.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

struct WordOptions {
  std::size_t dim = 0;  // of rows: their columns from here on are zeros and, but for senses,
                        // passed over; 0 if none are
  std::size_t epochs = 5;
  std::size_t window = 5;     // most words on each side; the size is drawn anew for each centre
  std::size_t negatives = 5;  // noise words that a target sees
  float learning_rate = 0.025F;
  float subsample = 0.0F;      // frequency above which words are thinned out; 0 keeps all
  bool shrink_windows = true;  // else every window has its full width
  bool move_input = true;
  bool move_output = true;
  std::uint64_t seed = 0;
  std::size_t threads = 1;
  bool deterministic = true;

  // Of the disambiguated skip-gram alone (models/disambiguated_skip_gram.hpp).
  std::size_t gate_window = 0;     // words on each side that the gate sees
  float gate_rate = 0.3F;          // learning rate of the words' gates
  float shared_gate_rate = 0.03F;  // of the gate that all words share at first
  float shared_until = 0.25F;      // share of the training after which each word has its own
  float temperature = 0.5F;        // at the end; it falls from 1
  float annealed_after = 0.5F;     // share of the rest of the training after which it is there
  float entropy_cost = -0.1F;      // of the gate, as long as it is shared
};

// Rows of `stride` floats, a multiple of kRowQuantum; zeros from `dim` on.
struct Table {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t stride = 0;
  float* row(std::size_t i) const { return data + i * stride; }
  operator RowsAt<float>() const { return {data, stride}; }
  operator RowsAt<const float>() const { return {data, stride}; }
};

// Word w is the mean of the input rows ids[offsets[w] .. offsets[w + 1]): its own and those of its
// parts. Empty where a word is its own row alone.
struct Bags {
  std::span<const std::uint32_t> ids;
  std::span<const std::uint64_t> offsets;
  bool empty() const { return offsets.empty(); }
  std::span<const std::uint32_t> operator[](std::size_t word) const {
    return ids.subspan(offsets[word], offsets[word + 1] - offsets[word]);
  }
};

// The columns of rows that a training works at, in whole steps.
inline std::size_t used_columns(const WordOptions& options, const Table& table) {
  return options.dim == 0 ? table.stride : rounded_up(options.dim, kColumnStep);
}

struct WordTables {
  Table input;
  Table output;
  bool halved = false;  // whether these two lie in halves (halved_tables.hpp)
  Bags bags;
  // Of the disambiguated skip-gram alone. Word w has the rows offsets[w] .. offsets[w + 1] of
  // `input`, its senses, and of `gate`; a word has at most as many as `shared_gate` has rows.
  std::span<const std::uint64_t> sense_offsets;
  Table gate;
  float* gate_bias = nullptr;
  Table shared_gate;
  float* shared_bias = nullptr;
};

}  // namespace bitsense
