// A barrier for threads that meet every few hundred microseconds.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>

namespace bitsense {

// Waits by spinning for a moment, then gives its processor away. A thread that fails sets the flag
// it was given, and all waits return false from then on.
class Barrier {
 public:
  Barrier(std::size_t threads, const std::atomic<bool>& failed)
      : threads_(threads), failed_(failed) {}

  bool wait() {
    const std::size_t round = round_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_.store(0);
      round_.fetch_add(1);
      return !failed_.load();
    }
    for (unsigned spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
      if (failed_.load(std::memory_order_relaxed)) return false;
      if (spins > 2000) std::this_thread::yield();
    }
    return !failed_.load();
  }

 private:
  std::size_t threads_;
  const std::atomic<bool>& failed_;
  std::atomic<std::size_t> arrived_{0};
  std::atomic<std::size_t> round_{0};
};

}  // namespace bitsense
