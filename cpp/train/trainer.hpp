// The one training loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "models/inputs.hpp"
#include "train/options.hpp"
#include "train/position.hpp"
#include "train/state.hpp"

namespace bitsense {

struct TrainProgress {
  std::size_t epoch;    // from 0
  double fraction;      // of the whole training
  std::uint64_t words;  // read so far
  double loss;          // mean per target of this epoch so far
};

// Asked on the calling thread after each block; throws to stop the training, which leaves the
// parameters as they are at the end of a block. While it is asked, and after it has thrown, tables
// and position belong together and no thread moves a row (unless threads train apart), so they may
// be saved, after position.arrange_tables() if that is there.
using Watch = std::function<void(const TrainProgress&)>;

struct InitOptions {
  float scale = 0.01F;
  float bias_power = 0.0F;
  float context_scale = 0.01F;
};

// A fresh model: the rows of documents uniform in (-scale, scale), those of context words in
// (-context_scale, context_scale), output rows zero, the bias of a word bias_power * log(its
// count), and the projection uniform in +-sqrt(6 / (its rows + its columns)) (Glorot and Bengio
// 2010). Throws std::invalid_argument where the shape is none of the model's.
Parameters make_parameters(const std::string& model, std::size_t documents,
                           std::span<const std::uint64_t> counts, const Shape& shape,
                           const InitOptions& init, std::uint64_t seed);

// Trains in place, with the parameters of a model of this name; `neighbors` only serve the encoders
// (models/pv_encoder.hpp). Returns the mean loss per target of each epoch that was begun, in
// `losses`.
//
// deterministic: all threads work on one block at a time; the bytes of the result depend on the
// seed, the options, the documents and the level of the kernels, not on the number of threads.
// Otherwise each thread works on blocks of its own without waiting for the others (Niu et al. 2011,
// "Hogwild"): with more than one thread, the result differs from run to run.
void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, Parameters& parameters, std::vector<double>& losses,
           const Watch& watch, const Neighbors& neighbors = {});

// The same from a position on, which moves with the training. Where it was left by a training of
// the same options (but for `threads`) and documents, and the state is as it was left then, the
// result is that of a training that never stopped; of threads that train apart only about so.
void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, TrainState& state, Position& position,
           std::vector<double>& losses, const Watch& watch, const Neighbors& neighbors = {});

}  // namespace bitsense
