// Asking for memory before it is needed.
#pragma once

#include <cstddef>

namespace bitsense {

// Asks for the cache lines of some bytes. To GCC a function that does nothing else has no effect
// and its calls are dropped; the empty statement is one.
inline void ask_for_lines(const void* data, std::size_t bytes) {
  const char* p = static_cast<const char*>(data);
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i);
  __builtin_prefetch(p + bytes - 1);
  asm volatile("" : : "r"(p));
}

}  // namespace bitsense
