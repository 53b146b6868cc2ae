// The tasks of a phase, shared among the threads of one training.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "core/parallel.hpp"

namespace bitsense {

// Each thread has a share of its own, of tasks that follow one another, and takes over others' when
// it has none left. So what it has touched in the phase before is still in its cache, where the
// order of the tasks is alike.
class Tasks {
 public:
  explicit Tasks(std::size_t threads) : shares_(threads) {}

  // Starts a phase of so many tasks; nothing else may run.
  void begin(std::size_t count) {
    const std::size_t threads = shares_.size();
    for (std::size_t t = 0; t < threads; ++t) {
      shares_[t].next.store(count * t / threads);
      shares_[t].end = count * (t + 1) / threads;
    }
  }

  // Takes a task that nobody has taken; false if there is none.
  bool take(std::size_t thread, std::size_t& task) {
    for (std::size_t k = 0; k < shares_.size(); ++k) {
      Share& share = shares_[(thread + k) % shares_.size()];
      if (share.next.load(std::memory_order_relaxed) >= share.end) continue;
      task = share.next.fetch_add(1);
      if (task < share.end) return true;
    }
    return false;
  }

 private:
  struct alignas(kApart) Share {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  std::vector<Share> shares_;
};

}  // namespace bitsense
