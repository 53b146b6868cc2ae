// The training loop of word vectors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/table.hpp"
#include "train/trainer.hpp"
#include "train/word_options.hpp"

namespace bitsense {

// Fills the table's rows with numbers uniform in (-scale, scale), each row from a stream of its
// own.
void fill_uniform(const Table& table, std::size_t dim, float scale, std::uint64_t seed,
                  std::size_t threads);

// Trains the tables in place. Returns the mean loss of a target (skip-gram: a centre and a word of
// its context; CBOW: a centre) of each epoch that was begun, in `losses`. Deterministic or not: as
// train() in trainer.hpp.
void train_words(const std::string& model, const Documents& documents,
                 std::span<const std::uint64_t> counts, const WordOptions& options,
                 const Kernels& kernels, const WordTables& tables, std::vector<double>& losses,
                 const Watch& watch);

// The same from a position on, which moves with the training: as train() in trainer.hpp.
void train_words(const std::string& model, const Documents& documents,
                 std::span<const std::uint64_t> counts, const WordOptions& options,
                 const Kernels& kernels, const WordTables& tables, Position& position,
                 std::vector<double>& losses, const Watch& watch);

}  // namespace bitsense
