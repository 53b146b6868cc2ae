// Mean losses per epoch, summed in double precision in the order of the blocks. Threads that train
// apart may be in different epochs.
#pragma once

#include <cstddef>
#include <vector>

namespace bitsense {

class LossMeter {
 public:
  explicit LossMeter(std::vector<double>& means) : means_(means) {}

  void add(std::size_t epoch, double loss, double targets) {
    if (epoch >= means_.size()) {
      means_.resize(epoch + 1, 0.0);
      sums_.resize(epoch + 1);
    }
    Sum& sum = sums_[epoch];
    sum.loss += loss;
    sum.targets += targets;
    if (sum.targets > 0.0) means_[epoch] = sum.loss / sum.targets;
  }

 private:
  struct Sum {
    double loss = 0.0;
    double targets = 0.0;
  };
  std::vector<double>& means_;
  std::vector<Sum> sums_;
};

}  // namespace bitsense
