// Mean losses per epoch, summed in double precision in the order of the blocks. Threads that train
// apart may be in different epochs.
#pragma once

#include <cstddef>
#include <vector>

#include "train/position.hpp"

namespace bitsense {

class LossMeter {
 public:
  // Goes on with the sums of the position.
  LossMeter(Position& position, std::vector<double>& means) : position_(position), means_(means) {
    means_.assign(position.losses.size(), 0.0);
    for (std::size_t epoch = 0; epoch < means_.size(); ++epoch) set_mean(epoch);
  }

  void add(std::size_t epoch, double loss, double targets) {
    if (epoch >= means_.size()) {
      means_.resize(epoch + 1, 0.0);
      position_.losses.resize(epoch + 1, 0.0);
      position_.targets.resize(epoch + 1, 0.0);
    }
    position_.losses[epoch] += loss;
    position_.targets[epoch] += targets;
    set_mean(epoch);
  }

 private:
  void set_mean(std::size_t epoch) {
    if (position_.targets[epoch] > 0.0)
      means_[epoch] = position_.losses[epoch] / position_.targets[epoch];
  }

  Position& position_;
  std::vector<double>& means_;
};

}  // namespace bitsense
