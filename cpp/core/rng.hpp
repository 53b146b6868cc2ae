// Random numbers that are a pure function of a seed and a position, so that any thread may draw any
// of them. SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); the standard library's distributions
// are not used, because their results differ between implementations.
#pragma once

#include <cstdint>

namespace bitsense {

// The finaliser of SplitMix64: a bijection of 64-bit words without visible structure.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// A seed for one named stream, for example stream(seed, epoch, document).
constexpr std::uint64_t stream(std::uint64_t seed, std::uint64_t a = 0, std::uint64_t b = 0) {
  constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ULL;
  return mix(mix(mix(seed + kGamma) + (a + 1) * kGamma) + (b + 1) * kGamma);
}

class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

  // Uniform in [0, bound), bound > 0; the bias is below bound / 2^32.
  constexpr std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

  // Uniform in [0, 1), a multiple of 2^-24, exact in float.
  constexpr float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24F; }

 private:
  std::uint64_t state_;
};

}  // namespace bitsense
