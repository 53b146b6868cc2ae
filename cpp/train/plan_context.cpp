// The part of a plan that says which words stand around its targets.
#include <algorithm>

#include "train/plan.hpp"

namespace bitsense {

namespace {

constexpr std::uint32_t kUnseen = NoiseDistribution::kUnseen;

}  // namespace

void words_around(std::span<const std::uint32_t> words, std::size_t place, std::size_t width,
                  std::uint32_t* around) {
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t back = width - i;
    const std::size_t after = place + i + 1;
    around[i] = back <= place ? words[place - back] : kUnseen;
    around[width + i] = after < words.size() ? words[after] : kUnseen;
  }
}

void Planner::collect_context(Plan& plan) {
  plan.slots = 2 * options_.context;
  plan.document_runs.push_back(static_cast<std::uint32_t>(plan.runs.size()));
  plan.context_rows.clear();
  std::vector<std::uint32_t>& begins = plan.context_begins;
  begins.assign(1, 0);
  std::uint32_t present = 0;
  for (const std::uint32_t word : plan.context) {
    if (word == kUnseen) continue;
    ++present;
    std::uint32_t& row = place_of_[word];
    if (row == kUnseen) {
      row = static_cast<std::uint32_t>(plan.context_rows.size());
      plan.context_rows.push_back(word);
      begins.push_back(0);
    }
    ++begins[row + 1];
  }
  for (std::size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
  plan.context_entries.resize(present);
  std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
  for (std::size_t place = 0; place < plan.context.size(); ++place)
    if (plan.context[place] != kUnseen)
      plan.context_entries[next[place_of_[plan.context[place]]]++] =
          static_cast<std::uint32_t>(place);
  for (const std::uint32_t word : plan.context_rows) place_of_[word] = kUnseen;
}

}  // namespace bitsense
