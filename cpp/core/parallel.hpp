// Threads of one call. They are started when the call begins and joined before it returns, so the
// engine keeps no pool, survives fork() and honours every thread count exactly.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bitsense {

// Bytes between what different threads write: two cache lines, since processors fetch pairs.
constexpr std::size_t kApart = 128;

// Asked now and then on the calling thread of a long call; throws to stop the call.
using Poll = std::function<void()>;

// Runs body(thread) on `threads` threads, the calling one being number 0. The first exception stops
// nothing by itself: it is kept and rethrown here when all have returned. A body that waits for the
// others must watch `failed`.
template <class Body>
void run_team(std::size_t threads, Body&& body, std::atomic<bool>* failed = nullptr) {
  std::exception_ptr error;
  std::mutex lock;
  auto guarded = [&](std::size_t thread) {
    try {
      body(thread);
    } catch (...) {
      std::scoped_lock hold(lock);
      if (!error) error = std::current_exception();
      if (failed) failed->store(true);
    }
  };
  std::vector<std::jthread> team;
  if (threads > 1) team.reserve(threads - 1);
  try {
    for (std::size_t t = 1; t < threads; ++t) team.emplace_back(guarded, t);
  } catch (...) {
    // The system gives no more threads: those that were started must not wait for the others.
    if (failed) failed->store(true);
    throw;
  }
  guarded(0);
  team.clear();
  if (error) std::rethrow_exception(error);
}

// Calls body(i, thread) once for each i in [0, count), in any order, on at most `threads` threads.
// After an exception no further i is started; the first exception is rethrown. `poll` is called on
// the calling thread before each of its items.
template <class Body>
void parallel_for(std::size_t threads, std::size_t count, Body&& body, const Poll& poll = {}) {
  if (threads > count) threads = count;
  if (threads == 0) return;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  run_team(
      threads,
      [&](std::size_t thread) {
        while (!failed.load(std::memory_order_relaxed)) {
          if (thread == 0 && poll) poll();
          const std::size_t i = next.fetch_add(1);
          if (i >= count) return;
          body(i, thread);
        }
      },
      &failed);
}

}  // namespace bitsense
