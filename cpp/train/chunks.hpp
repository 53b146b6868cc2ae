// An epoch cut into chunks: about a thousand consecutive words of the corpus, whole documents or
// parts of one. Documents come in an order shuffled anew for each epoch. The cut depends on the
// documents and the seed alone, so any thread may work out any chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/options.hpp"

namespace bitsense {

constexpr std::size_t kChunkWords = 1024;

struct Segment {
  std::uint32_t document;
  std::uint64_t begin;  // of its words
  std::uint64_t end;
};

struct Chunk {
  std::size_t epoch = 0;
  std::uint64_t number = 0;  // in the epoch
  double progress = 0.0;     // of the whole training, when it begins
  std::uint64_t words = 0;
  std::vector<Segment> segments;
};

class ChunkCutter {
 public:
  ChunkCutter(const Documents& documents, std::size_t epochs, std::uint64_t seed);

  // Makes the next chunk; false when training is over.
  bool next(Chunk& chunk);
  // Passes over the next chunks.
  void skip(std::uint64_t chunks);
  // Whether the next chunk is of another epoch.
  bool at_end_of_epoch() const { return place_ >= order_.size(); }

 private:
  void begin_epoch();

  Documents documents_;
  std::size_t epochs_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> order_;
  std::size_t epoch_ = 0;
  std::size_t place_ = 0;       // in the order
  std::uint64_t position_ = 0;  // in the document
  std::uint64_t number_ = 0;
  std::uint64_t words_done_ = 0;
};

}  // namespace bitsense
