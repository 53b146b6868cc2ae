// How threads wait that need each other every few microseconds.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "core/parallel.hpp"

namespace bitsense {

// Waits for what another thread writes: by spinning for about as long as it takes to be woken, then
// asleep, so that a processor that others want too goes to the thread that is waited for. Every few
// microseconds a spinning thread offers its processor: others may have left no more than one to a
// whole team. A thread that fails sets the flag it was given, and all waits return false from then
// on.
class Waiting {
 public:
  explicit Waiting(const std::atomic<bool>& failed) : failed_(failed) {}

  // Until ready(), which reads atomics.
  template <class Ready>
  bool until(Ready&& ready) {
    for (unsigned spins = 0; spins < kSpins; ++spins) {
      if (ready()) return !failed_.load(std::memory_order_relaxed);
      if (failed_.load(std::memory_order_relaxed)) return false;
      if (spins % kSpinsPerYield == kSpinsPerYield - 1)
        std::this_thread::yield();
      else
        relax();
    }
    sleep_until(ready);
    return !failed_.load();
  }

  // To be called when an atomic that may be waited for has been written. It is written and read in
  // the one order that all threads see: either the writer sees the sleeper, or he the writing.
  void wake() {
    if (sleepers_.load() == 0) return;
    const std::scoped_lock hold(lock_);
    wake_.notify_all();
  }

 private:
  static constexpr unsigned kSpins = 2000;  // pauses of 40 to 140 cycles
  static constexpr unsigned kSpinsPerYield = 64;

  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  // A thread that fails wakes nobody, so a sleeper looks again every millisecond.
  template <class Ready>
  void sleep_until(Ready&& ready) {
    std::unique_lock hold(lock_);
    sleepers_.fetch_add(1);
    while (!ready() && !failed_.load())
      wake_.wait_until(hold, std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    sleepers_.fetch_sub(1);
  }

  const std::atomic<bool>& failed_;
  alignas(kApart) std::atomic<std::size_t> sleepers_{0};
  std::mutex lock_;
  std::condition_variable wake_;
};

class Barrier {
 public:
  Barrier(std::size_t threads, const std::atomic<bool>& failed)
      : threads_(threads), waiting_(failed) {}

  bool wait() {
    const std::size_t round = round_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_.store(0);
      round_.fetch_add(1);
      waiting_.wake();
    }
    return waiting_.until([&] { return round_.load() != round; });
  }

 private:
  std::size_t threads_;
  // In lines of their own: those that wait read `round_` all the time.
  alignas(kApart) std::atomic<std::size_t> arrived_{0};
  alignas(kApart) std::atomic<std::size_t> round_{0};
  Waiting waiting_;
};

}  // namespace bitsense
