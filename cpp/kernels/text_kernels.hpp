// Where the words of a text may lie: the loop that looks at every byte. It only tells ASCII
// letters, digits and bytes >= 0x80 from what separates words; text/tokenizer.hpp makes words of
// the runs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

constexpr std::size_t kTextChunk = std::size_t{1} << 13;    // the most bytes of a call
constexpr std::size_t kFoldedBytes = kTextChunk + 64 + 16;  // what `folded` has room for
constexpr std::size_t kMaxEdges = kTextChunk + 2 + 64;      // what `edges` has room for

struct TextKernels {
  // Finds the longest runs of ASCII letters, bytes >= 0x80 and, with `digits`, ASCII digits among
  // `size` <= kTextChunk bytes. Writes where each begins and where it ends, one after the other,
  // and returns how many runs there are. `folded` gets the bytes, A to Z as a to z with `lower`;
  // what is behind byte `size` of it, and behind the last run in `edges`, is anything. `readable`
  // >= `size` bytes may be read at `text`.
  std::size_t (*find_runs)(const char* text, std::size_t size, std::size_t readable, bool lower,
                           bool digits, char* folded, std::uint16_t* edges);
};

}  // namespace bitsense
