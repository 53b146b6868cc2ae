// The one training loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "train/options.hpp"

namespace bitsense {

struct TrainProgress {
  std::size_t epoch;    // from 0
  double fraction;      // of the whole training
  std::uint64_t words;  // read so far
  double loss;          // mean per target of this epoch so far
};

// Asked on the calling thread after each block; throws to stop the training, which leaves the
// parameters as they are at the end of a block.
using Watch = std::function<void(const TrainProgress&)>;

// A fresh model: hidden rows uniform in (-scale, scale), output rows zero, bias zero.
Parameters make_parameters(std::size_t documents, std::size_t words, std::size_t dim, float scale,
                           std::uint64_t seed);

// Trains in place. Returns the mean loss per target of each epoch that was begun, in `losses`.
//
// deterministic: all threads work on one block at a time; the bytes of the result depend on the
// seed, the options, the documents and the level of the kernels, not on the number of threads.
// Otherwise each thread works on blocks of its own without waiting for the others (Niu et al. 2011,
// "Hogwild"): with more than one thread, the result differs from run to run.
void train(const std::string& model, const Documents& documents,
           std::span<const std::uint64_t> counts, const TrainOptions& options,
           const Kernels& kernels, Parameters& parameters, std::vector<double>& losses,
           const Watch& watch);

}  // namespace bitsense
