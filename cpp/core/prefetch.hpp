// Asking for memory before it is needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

// Calls f(pointer) with each cache line of some bytes. To GCC a function that only prefetches has
// no effect and its calls are dropped; the empty statement is one.
template <class F>
inline void for_each_line(const void* data, std::size_t bytes, F&& f) {
  constexpr std::uintptr_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(data);
  for (std::uintptr_t line = first & ~(kLine - 1); line < first + bytes; line += kLine)
    f(reinterpret_cast<const char*>(line));
  asm volatile("" : : "r"(data));
}

// Asks for the cache lines of some bytes. Level 3 is the first-level cache, 2 the one behind it,
// which waits for more lines at a time.
template <int Level = 3>
inline void ask_for_lines(const void* data, std::size_t bytes) {
  for_each_line(data, bytes, [](const char* line) { __builtin_prefetch(line, 0, Level); });
}

// The same for lines that will be written and that another thread may hold: to win them back takes
// longer than to write them.
inline void own_lines(const void* data, std::size_t bytes) {
  for_each_line(data, bytes, [](const char* line) {
#if defined(__x86_64__)
    asm volatile("prefetchw %0" : : "m"(*line));  // no compiler makes it for all processors
#else
    __builtin_prefetch(line, 1);
#endif
  });
}

}  // namespace bitsense
