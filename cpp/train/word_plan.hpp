// What a chunk trains on: the words that thinning out has left, the centres with their contexts,
// their noise, and the blocks of centres whose gradients are all taken at the same parameters. Like
// every plan it is made from ids and the seed alone; what is kept of a word and how wide its window
// is depend on the seed, the epoch, the document and the word's place in it.
//
// The noise of a chunk is drawn from a few words, themselves drawn from the noise distribution, so
// that their rows stay in the cache while the chunk is trained on.
//
// A block ends after kBlockCentres centres, or as many as the model asks for, or before a word
// occurs in it too often: the contributions to one row act as one step, which is stable only below
// about 8 / (rate * |h|^2).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/word_kernels.hpp"
#include "train/chunks.hpp"
#include "train/noise_list.hpp"
#include "train/options.hpp"
#include "train/subsample.hpp"
#include "train/tiles.hpp"
#include "train/word_options.hpp"

namespace bitsense {

constexpr std::size_t kBlockCentres = 128;

// tokens[at] with the context tokens[first .. last) without tokens[at]. The tokens of its document,
// as far as they are in the plan, are tokens[begin .. end).
struct Centre {
  std::uint32_t at;
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t begin;
  std::uint32_t end;
  std::uint32_t contexts() const { return last - first - 1; }
};

// Who is in whose context, as kernels take it: per centre, and for a quantum more.
struct Contexts {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> last;
  std::vector<std::uint32_t> at;
  std::vector<float> share;  // one by the rows that are its context
  struct Tokens {
    std::uint32_t begin;
    std::uint32_t end;
  };
  std::vector<Tokens> tokens;  // per block: those from the first to the last that are a context

  Windows windows(std::size_t centre, std::size_t count) const {
    return {first.data() + centre, last.data() + centre, at.data() + centre, share.data() + centre,
            count};
  }
};

struct WordPlan {
  std::size_t epoch = 0;
  double progress = 0.0;
  std::uint64_t words_read = 0;
  std::uint64_t seed = 0;               // of what else is random in this chunk
  std::vector<std::uint32_t> tokens;    // ids
  std::vector<std::uint32_t> previous;  // index of the same word's last occurrence before, or kNone
  // Per token: 1 + the largest `previous` up to it, 0 if there is none, so that tokens [i, j) are
  // distinct words where repeats[j - 1] <= i.
  std::vector<std::uint32_t> repeats;
  std::vector<Centre> centres;        // each with at least one word of context
  std::vector<std::uint32_t> blocks;  // block b: centres blocks[b] .. blocks[b + 1]
  std::vector<std::uint32_t> noise;   // `negatives` places per centre; of runs, the first's count
  std::vector<std::uint32_t> noise_words;  // of which these were drawn
  Tiles tiles;  // one per run, at its first centre's number; none of the senses' model

  Contexts contexts;  // of CBOW alone

  static constexpr std::uint32_t kNone = 0xffffffffU;
  std::uint32_t word(std::size_t centre) const { return tokens[centres[centre].at]; }
  std::size_t block_count() const { return blocks.empty() ? 0 : blocks.size() - 1; }
  // Calls f(c, count) for the runs of each block: `each` centres, at its end maybe fewer, from the
  // c-th on.
  template <class F>
  void for_each_run(std::size_t each, F&& f) const {
    for (std::size_t b = 0; b < block_count(); ++b)
      for (std::size_t c = blocks[b]; c < blocks[b + 1]; c += each)
        f(c, std::min<std::size_t>(each, blocks[b + 1] - c));
  }
};

// Of the noise list of an epoch.
constexpr std::uint64_t noise_seed(std::uint64_t seed, std::uint64_t epoch) {
  return stream(seed, 0x6e6f697365, epoch);
}

class WordPlanner {
 public:
  WordPlanner(const Documents& documents, std::span<const std::uint64_t> counts,
              const NoiseDistribution& noise, const WordOptions& options, std::size_t run = 1,
              std::size_t most_centres = kBlockCentres);

  void make(const Chunk& chunk, const NoiseList& list, WordPlan& plan);

 private:
  // A word of a segment, and the lower half of the random number that kept it.
  struct Kept {
    std::uint32_t word;
    std::uint32_t random;
  };
  std::size_t reach() const { return std::max(options_.window, options_.gate_window); }
  void make_room(const Chunk& chunk, WordPlan& plan);
  void add_segment(const Segment& segment, std::size_t epoch, WordPlan& plan);
  std::size_t keep_words(const Segment& segment, std::uint64_t seed);
  void add_token(std::uint32_t word, WordPlan& plan);
  bool kept(std::uint32_t word, std::uint64_t random) const {
    return subsample_.keeps(word, static_cast<std::uint32_t>(random >> 32));
  }
  void cut_blocks(WordPlan& plan);
  void draw_noise(const NoiseList& list, WordPlan& plan);

  Documents documents_;
  WordOptions options_;
  Subsample subsample_;
  std::size_t run_;                         // centres that share their noise
  std::size_t most_centres_;                // in a block
  std::vector<std::uint32_t> last_;         // per word: its last token, or kNone
  std::vector<std::uint32_t> occurrences_;  // per token: the how-manieth of its word in the block
  std::vector<Kept> kept_;                  // of a segment
  std::size_t tokens_ = 0;                  // of the plan, so far
  std::size_t centres_ = 0;
};

}  // namespace bitsense
