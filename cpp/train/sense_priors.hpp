// How often the gate chooses each sense: one more pass over the corpus after training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.hpp"
#include "kernels/table.hpp"
#include "train/options.hpp"
#include "train/word_options.hpp"

namespace bitsense {

// Sums softmax(l) of the gate over all centres of an epoch, into `sums`, one entry per row of the
// gate, in units of 2^-24: whole numbers, so that the order of the sum, and with it the number of
// threads, does not matter.
void sense_priors(const Documents& documents, std::span<const std::uint64_t> counts,
                  const WordOptions& options, const Kernels& kernels, const WordTables& tables,
                  std::uint64_t* sums, const Poll& poll);

}  // namespace bitsense
