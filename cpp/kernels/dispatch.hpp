// Which level of the inner loops this process uses.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace bitsense {

// The levels that this processor and this build can run, slowest first.
const std::vector<Kernels>& available_kernels();

// The level in use: the best available one, or the one that the environment variable BITSENSE_LEVEL
// names. Decided at the first call; throws std::invalid_argument if the variable names no available
// level.
const Kernels& kernels();

// The available level of this name; throws std::invalid_argument, naming those that exist.
const Kernels& kernels(const std::string& level);

}  // namespace bitsense
