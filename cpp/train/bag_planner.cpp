#include "train/bag_planner.hpp"

namespace bitsense {

namespace {

constexpr std::uint64_t kNeighbour = 0x6e656967;  // the name of a stream of random numbers

}  // namespace

bool BagPlanner::take(Plan& plan) {
  std::uint32_t document = 0;
  while (plan.runs.size() < options_.batch && next_document(document)) {
    const auto first = static_cast<std::uint32_t>(plan.targets.size());
    const std::uint64_t seed = stream(options_.seed ^ (kNeighbour << 32), epoch_, document);
    add_targets(document, 1.0F, true, plan);
    if (neighbors_.each > 0) {
      Rng rng(seed);
      const std::size_t drawn = rng.below(static_cast<std::uint32_t>(neighbors_.each));
      add_targets(neighbors_.rows[document * neighbors_.each + drawn], neighbors_.weight, false,
                  plan);
    }
    plan.document_runs.push_back(static_cast<std::uint32_t>(plan.runs.size()));
    plan.runs.push_back(
        {document, first, static_cast<std::uint32_t>(plan.targets.size()) - first, mix(seed)});
    plan.words_read += documents_[document].size();
  }
  return !plan.runs.empty();
}

void BagPlanner::add_targets(std::uint32_t document, float weight, bool inputs, Plan& plan) const {
  const auto words = bags_.words(document);
  for (std::size_t i = 0; i < words.size(); ++i) {
    plan.targets.push_back(words[i]);
    plan.target_run.push_back(static_cast<std::uint32_t>(plan.runs.size()));
    plan.target_weight.push_back(weight * bags_.targets(document)[i]);
    plan.target_input.push_back(inputs ? bags_.inputs(document)[i] : 0.0F);
  }
}

}  // namespace bitsense
