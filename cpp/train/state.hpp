// The tables of a training and what its optimiser keeps beside them.
#pragma once

#include <span>

#include "train/options.hpp"

namespace bitsense {

struct TrainState {
  Parameters* parameters;
  Parameters squares;  // AdaGrad's sums of squared gradients
  // Of the encoders, where not that of the documents: the idf of each word.
  std::span<const float> idf{};
};

// The squares of a training that begins. Plain SGD has none of words.
Parameters first_squares(const Parameters& parameters, Optimizer optimizer);

}  // namespace bitsense
