// The plans of the encoders: a block holds up to `batch` whole documents, each one run with its
// distinct words as targets and inputs, and after them, as targets alone, those of one of its
// neighbours, drawn anew each epoch.
#pragma once

#include <memory>

#include "train/plan.hpp"
#include "train/word_bags.hpp"

namespace bitsense {

class BagPlanner final : public Planner {
 public:
  BagPlanner(const Documents& documents, const WordBags& bags, const Neighbors& neighbors,
             const NoiseDistribution& noise, const TrainOptions& options, std::size_t worker = 0,
             std::size_t workers = 1)
      : Planner(documents, noise, options, worker, workers), bags_(bags), neighbors_(neighbors) {}

 private:
  bool take(Plan& plan) override;
  void add_targets(std::uint32_t document, float weight, bool inputs, Plan& plan) const;

  const WordBags& bags_;
  Neighbors neighbors_;
};

}  // namespace bitsense
