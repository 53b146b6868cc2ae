// Plans that are made while a block is trained: the targets of the plan after the next are taken,
// and the next is completed, by two threads where there are more than two.
#pragma once

#include <array>
#include <cstddef>

#include "train/plan.hpp"

namespace bitsense {

class PlansAhead {
 public:
  // Makes what the first block needs.
  PlansAhead(Planner& planner, std::size_t threads)
      : planner_(planner), completer_(threads > 2 ? 1 : 0) {
    take(0);
    complete(0);
    take(1);
  }

  // Whether there is a current plan.
  bool more() const { return made_[current_].is_there; }
  const Plan& current() const { return made_[current_].plan; }

  // This thread's part, beside the parts of the others.
  void make(std::size_t thread) {
    if (thread == 0) take(2);
    if (thread == completer_) complete(1);
  }

  // Goes on to the next plan. All have made their parts, and nothing else may run.
  void go_on() { current_ = place(1); }

 private:
  struct Made {
    Plan plan;
    bool is_there = false;
  };
  static constexpr std::size_t kPlans = 3;
  std::size_t place(std::size_t ahead) const { return (current_ + ahead) % kPlans; }
  void take(std::size_t ahead) {
    Made& made = made_[place(ahead)];
    made.is_there = planner_.take_targets(made.plan);
  }
  void complete(std::size_t ahead) {
    Made& made = made_[place(ahead)];
    if (made.is_there) planner_.complete(made.plan);
  }

  Planner& planner_;
  std::size_t completer_;
  std::size_t current_ = 0;
  std::array<Made, kPlans> made_;
};

}  // namespace bitsense
