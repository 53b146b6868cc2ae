#include "models/cbow.hpp"

#include <algorithm>

namespace bitsense {

namespace {

// Gives each token that is near a centre of block b a slot; returns the first of these tokens.
std::uint32_t add_slots(const WordPlan& plan, std::size_t b, Contexts& contexts) {
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = 0;
  for (std::uint32_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
    first = std::min(first, plan.centres[c].first);
    last = std::max(last, plan.centres[c].last);
  }
  const auto tokens = plan.tokens.begin();
  contexts.tokens.insert(contexts.tokens.end(), tokens + first, tokens + last);
  contexts.slots.push_back(static_cast<std::uint32_t>(contexts.tokens.size()));
  contexts.counts.resize(contexts.tokens.size(), 0);
  contexts.centres.resize(contexts.tokens.size() * contexts.width);
  return first;
}

}  // namespace

void Cbow::turn_contexts(WordPlan& plan, std::size_t window) {
  Contexts& contexts = plan.contexts;
  contexts.width = 2 * window + 1;
  contexts.tokens.clear();
  contexts.counts.clear();
  contexts.slots.assign(1, 0);
  contexts.begins.resize(plan.centres.size() + 1);
  contexts.words.resize(plan.centres.size() * 2 * window + 1);  // with one place for a centre
  std::uint32_t* const words = contexts.words.data();
  std::uint32_t end = 0;
  for (std::size_t b = 0; b < plan.block_count(); ++b) {
    const std::uint32_t first = add_slots(plan, b, contexts);
    std::uint32_t* const counts = contexts.counts.data() + contexts.slots[b];
    std::uint8_t* const of = contexts.centres.data() + contexts.slots[b] * contexts.width;
    for (std::uint32_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
      const Centre centre = plan.centres[c];
      const auto number = static_cast<std::uint8_t>(c - plan.blocks[b]);
      contexts.begins[c] = end;
      for (std::uint32_t j = centre.first; j < centre.last; ++j) {
        const std::uint32_t other = j != centre.at ? 1 : 0;
        std::uint32_t& count = counts[j - first];
        of[(j - first) * contexts.width + count] = number;
        count += other;
        words[end] = plan.tokens[j];
        end += other;
      }
    }
  }
  contexts.begins[plan.centres.size()] = end;
}

}  // namespace bitsense
