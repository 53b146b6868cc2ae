#include "models/cbow.hpp"

#include <algorithm>

namespace bitsense {

namespace {

// Gives each token that is near a centre of a block a slot, without centres.
void add_slots(const WordPlan& plan, std::size_t window, Contexts& contexts) {
  contexts.slots.assign(1, 0);
  contexts.tokens.clear();
  std::size_t most_centres = 0;
  for (std::size_t b = 0; b < plan.block_count(); ++b) {
    std::uint32_t first = UINT32_MAX;
    std::uint32_t last = 0;
    for (std::uint32_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
      first = std::min(first, plan.centres[c].first);
      last = std::max(last, plan.centres[c].last);
    }
    contexts.tokens.push_back(first);
    contexts.slots.push_back(contexts.slots.back() + last - first);
    most_centres = std::max<std::size_t>(most_centres, plan.blocks[b + 1] - plan.blocks[b]);
  }
  contexts.width = std::min(2 * window + 1, most_centres);
  contexts.counts.assign(contexts.slots.back(), 0);
  const std::size_t places = contexts.slots.back() * contexts.width;
  if (contexts.centres.size() < places) contexts.centres.resize(places);
}

}  // namespace

void Cbow::turn_contexts(WordPlan& plan, std::size_t window) {
  Contexts& contexts = plan.contexts;
  add_slots(plan, window, contexts);
  std::size_t pairs = 0;
  for (const Centre& centre : plan.centres) pairs += centre.contexts();
  contexts.begins.resize(plan.centres.size() + 1);
  contexts.words.resize(pairs + 1);  // with one place for a centre
  // Not through the members: a byte that is written might be part of them.
  const std::size_t width = contexts.width;
  const std::uint32_t* const tokens = plan.tokens.data();
  std::uint32_t* const words = contexts.words.data();
  std::uint32_t end = 0;
  for (std::size_t b = 0; b < plan.block_count(); ++b) {
    const std::uint32_t first = contexts.tokens[b];
    std::uint32_t* const counts = contexts.counts.data() + contexts.slots[b];
    std::uint8_t* const of = contexts.centres.data() + contexts.slots[b] * width;
    for (std::uint32_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
      const Centre centre = plan.centres[c];
      const auto number = static_cast<std::uint8_t>(c - plan.blocks[b]);
      contexts.begins[c] = end;
      for (std::uint32_t j = centre.first; j < centre.last; ++j) {
        const std::uint32_t other = j != centre.at ? 1 : 0;
        const std::uint32_t count = counts[j - first];
        of[(j - first) * width + count] = number;
        counts[j - first] = count + other;
        words[end] = tokens[j];
        end += other;
      }
    }
  }
  contexts.begins[plan.centres.size()] = end;
}

}  // namespace bitsense
