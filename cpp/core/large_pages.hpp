// Memory for arrays that are read at random or filled once: on Linux arrays of some megabytes get
// pages of two megabytes where the system gives them, so that they take few page faults and few
// entries of the translation cache, and are given back to the system when they are freed.
// Elsewhere, and for small arrays, it is ordinary memory. All arrays begin with a cache line.
#pragma once

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace bitsense {

constexpr std::size_t kAlignment = 64;  // bytes
constexpr std::size_t kLargePage = std::size_t{1} << 21;

template <class T>
struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>& /*other*/) noexcept {}

  T* allocate(std::size_t n) {
    if (n > SIZE_MAX / 4 / sizeof(T)) throw std::bad_array_new_length();
    if (!is_large(n)) {
      return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{kAlignment}));
    }
    return static_cast<T*>(map(whole(n)));
  }
  // Whether memory for so many items is all zeros, as the system gives it.
  static bool gives_zeros(std::size_t n) { return is_large(n); }
  void deallocate(T* memory, std::size_t n) noexcept {
    if (is_large(n)) {
      unmap(memory, whole(n));
    } else {
      ::operator delete(memory, std::align_val_t{kAlignment});
    }
  }
  friend bool operator==(const LargePages&, const LargePages&) { return true; }

 private:
  static constexpr std::size_t whole(std::size_t n) {
    return (n * sizeof(T) + kLargePage - 1) / kLargePage * kLargePage;
  }
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  static bool is_large(std::size_t n) { return n * sizeof(T) >= kLargePage; }
  // Maps one page more than is needed and unmaps what is before and behind the whole pages.
  static void* map(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes + kLargePage, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    char* first = static_cast<char*>(memory);
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(first) % kLargePage;
    if (before > 0) ::munmap(first, before);
    ::munmap(first + before + bytes, kLargePage - before);
    ::madvise(first + before, bytes, MADV_HUGEPAGE);  // a wish; nothing depends on it
    return first + before;
  }
  static void unmap(void* memory, std::size_t bytes) noexcept { ::munmap(memory, bytes); }
#else
  static bool is_large(std::size_t /*n*/) { return false; }
  static void* map(std::size_t /*bytes*/) { throw std::bad_alloc(); }
  static void unmap(void* /*memory*/, std::size_t /*bytes*/) noexcept {}
#endif
};

// An array that is not set to anything.
template <class T>
std::shared_ptr<T[]> large_array(std::size_t n) {
  return {LargePages<T>().allocate(n), [n](T* p) { LargePages<T>().deallocate(p, n); }};
}

}  // namespace bitsense
