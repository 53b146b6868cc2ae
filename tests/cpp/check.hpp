// The harness of the C++ tests: a check throws, a suite runs its tests one after another and counts
// those that failed. There is no framework, so that a sanitizer sees nothing but the engine.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/errors.hpp"
#include "core/rng.hpp"

#define BITSENSE_CHECK(condition) bitsense::check((condition), #condition, __FILE__, __LINE__)

namespace bitsense {

inline void check(bool holds, const char* condition, const char* file, int line) {
  if (!holds) throw std::runtime_error(text(file, ":", line, ": ", condition));
}

// Calls `call`, which must throw an Error, and returns the error's text.
template <class Error, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  throw std::runtime_error("no error was thrown");
}

class Suite {
 public:
  explicit Suite(const char* area) : area_(area) {}

  template <class Test>
  void operator()(const char* fact, Test&& test) {
    ++run_;
    try {
      test();
    } catch (const std::exception& error) {
      ++failed_;
      std::printf("FAILED %s: %s\n  %s\n", area_, fact, error.what());
    }
  }

  int run() const { return run_; }
  int failed() const { return failed_; }

 private:
  const char* area_;
  int run_ = 0;
  int failed_ = 0;
};

inline std::vector<float> random_floats(std::size_t n, std::uint64_t seed, float scale = 1.0F) {
  Rng rng(stream(seed));
  std::vector<float> values(n);
  for (float& value : values) value = (2.0F * rng.uniform() - 1.0F) * scale;
  return values;
}

inline std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint64_t seed) {
  Rng rng(stream(seed));
  std::vector<std::uint8_t> bytes(n);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
  return bytes;
}

}  // namespace bitsense
