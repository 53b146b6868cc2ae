// How far a training is. With the tables as they were then, and what an optimiser keeps beside
// them, it goes on from there as if it had never stopped: plans depend on ids and the seed alone,
// so those that are done are passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace bitsense {

struct Position {
  std::uint64_t blocks = 0;  // plans of documents, or chunks of words, that are done
  std::uint64_t words = 0;   // of the corpus, read; all epochs together, like the blocks
  // Of documents: the epoch of the last block, and the blocks that were done before it began.
  std::uint64_t epoch = 0;
  std::uint64_t before = 0;
  // Per epoch that was begun: the sum of its losses, and what its targets count for together.
  std::vector<double> losses;
  std::vector<double> targets;
  // Puts the tables in the order in which they were given, if they are in another: to be called by
  // a watch that looks at them.
  std::function<void()> arrange_tables;
};

}  // namespace bitsense
