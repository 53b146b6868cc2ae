// Asking for memory before it is needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

// Asks for the cache lines of some bytes. To GCC a function that does nothing else has no effect
// and its calls are dropped; the empty statement is one. Level 3 is the first-level cache, 2 the
// one behind it, which waits for more lines at a time.
template <int Level = 3>
inline void ask_for_lines(const void* data, std::size_t bytes) {
  constexpr std::uintptr_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(data);
  for (std::uintptr_t line = first & ~(kLine - 1); line < first + bytes; line += kLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(line), 0, Level);
  }
  asm volatile("" : : "r"(data));
}

// The same for lines that will be written and that another thread may hold: to win them back takes
// longer than to write them.
inline void own_lines(void* data, std::size_t bytes) {
  constexpr std::uintptr_t kLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(data);
  for (std::uintptr_t line = first & ~(kLine - 1); line < first + bytes; line += kLine) {
#if defined(__x86_64__)
    // No compiler makes it for all processors.
    asm volatile("prefetchw %0" : : "m"(*reinterpret_cast<const char*>(line)));
#else
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1);
#endif
  }
  asm volatile("" : : "r"(data));
}

}  // namespace bitsense
