// What the hidden vectors of a model are made from.
#pragma once

#include <cstddef>

namespace bitsense {

enum class Inputs {
  kDocument,           // the document's row; one for all targets of a run
  kProjectedDocument,  // the document's row under a projection; one for all targets of a run
  kMean,               // the document's row and those of the words around one target, their mean
  kConcatenation,      // the same rows side by side
  kWords,              // the rows of the document's words, their weighted sum
};

constexpr bool has_context(Inputs inputs) {
  return inputs == Inputs::kMean || inputs == Inputs::kConcatenation;
}

// Whether words have rows beside those of the softmax.
constexpr bool has_word_rows(Inputs inputs) {
  return has_context(inputs) || inputs == Inputs::kWords;
}

// The sizes that decide those of all tables.
struct Shape {
  std::size_t dim = 0;       // of a document's row
  std::size_t context = 0;   // words on each side of a target; 0 in models without a context
  std::size_t word_dim = 0;  // of the row of a word that is an input
  std::size_t bits = 0;      // rows of the projection

  // Components of a hidden vector, and so of an output row.
  constexpr std::size_t hidden(Inputs inputs) const {
    if (inputs == Inputs::kProjectedDocument) return bits;
    return inputs == Inputs::kConcatenation ? dim + 2 * context * word_dim : dim;
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

}  // namespace bitsense
