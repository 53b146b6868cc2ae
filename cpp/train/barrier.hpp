// A barrier for threads that meet every few microseconds.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "core/parallel.hpp"

namespace bitsense {

// Waits by spinning for about as long as it takes to be woken, then sleeps, so that a processor
// that others want too goes to the thread that is waited for. A thread that fails sets the flag it
// was given, and all waits return false from then on.
class Barrier {
 public:
  Barrier(std::size_t threads, const std::atomic<bool>& failed)
      : threads_(threads), failed_(failed) {}

  bool wait() {
    const std::size_t round = round_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_.store(0);
      round_.fetch_add(1);
      if (sleepers_.load() > 0) {
        const std::scoped_lock hold(lock_);
        wake_.notify_all();
      }
      return !failed_.load();
    }
    for (unsigned spins = 0; spins < kSpins; ++spins) {
      if (round_.load(std::memory_order_acquire) != round) return !failed_.load();
      if (failed_.load(std::memory_order_relaxed)) return false;
      relax();
    }
    sleep_through(round);
    return !failed_.load();
  }

 private:
  static constexpr unsigned kSpins = 2000;

  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  // A thread that fails wakes nobody, so a sleeper looks again every millisecond.
  void sleep_through(std::size_t round) {
    std::unique_lock hold(lock_);
    sleepers_.fetch_add(1);
    while (round_.load() == round && !failed_.load())
      wake_.wait_until(hold, std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    sleepers_.fetch_sub(1);
  }

  std::size_t threads_;
  const std::atomic<bool>& failed_;
  // In lines of their own: those that wait read `round_` all the time.
  alignas(kApart) std::atomic<std::size_t> arrived_{0};
  alignas(kApart) std::atomic<std::size_t> round_{0};
  alignas(kApart) std::atomic<std::size_t> sleepers_{0};
  std::mutex lock_;
  std::condition_variable wake_;
};

}  // namespace bitsense
