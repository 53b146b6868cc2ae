// The tasks of a phase, shared among the threads of one training.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "core/parallel.hpp"
#include "train/share.hpp"

namespace bitsense {

// Each thread has a share of its own, of tasks that follow one another, and takes over others' when
// it has none left. So what it has touched in the phase before is still in its cache, where the
// order of the tasks is alike.
class Tasks {
 public:
  explicit Tasks(std::size_t threads) : left_(threads) {}

  // Starts a phase of so many tasks; nothing else may run.
  void begin(std::size_t count) {
    for (std::size_t t = 0; t < left_.size(); ++t) {
      const Share share{t, left_.size()};
      left_[t].next.store(share.begin(count));
      left_[t].end = share.end(count);
    }
  }

  // Takes a task that nobody has taken; false if there is none.
  bool take(std::size_t thread, std::size_t& task) {
    for (std::size_t k = 0; k < left_.size(); ++k) {
      Left& left = left_[(thread + k) % left_.size()];
      if (left.next.load(std::memory_order_relaxed) >= left.end) continue;
      task = left.next.fetch_add(1);
      if (task < left.end) return true;
    }
    return false;
  }

 private:
  struct alignas(kApart) Left {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  std::vector<Left> left_;  // of each thread's share
};

}  // namespace bitsense
