// Numbers as bytes times a step, and the length of what that leaves out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/score_kernels.hpp"

namespace bitsense {

// The nearest whole number, for |x| below 2^22; halves go to the even one: the sum's last bits hold
// it.
inline float rounded_to_even(float x) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23
  return (x + kShift) - kShift;
}

struct ByteSteps {
  float step;
  double left;  // the length of what is left out
};

// Calls put(i, whole) for each of n numbers, |whole| <= most.
template <class Put>
ByteSteps to_steps(const float* numbers, std::size_t n, float most, Put&& put) {
  float largest = 0.0F;
  for (std::size_t x = 0; x < n; ++x) largest = std::max(largest, std::fabs(numbers[x]));
  const float step = largest / most;
  double left = 0.0;
  for (std::size_t x = 0; x < n; ++x) {
    const float whole =
        step > 0.0F ? std::clamp(rounded_to_even(numbers[x] / step), -most, most) : 0.0F;
    const double apart = static_cast<double>(numbers[x]) - static_cast<double>(step) * whole;
    left += apart * apart;
    put(x, static_cast<int>(whole));
  }
  return {step, std::sqrt(left)};
}

// A query's numbers as `bytes`, which belong to the caller; writes the length of what is left out.
inline ByteQuery byte_query(const float* numbers, std::size_t n, std::int8_t* bytes, double& left) {
  constexpr float kMost = 127.0F;
  std::int32_t sum = 0;
  const ByteSteps steps = to_steps(numbers, n, kMost, [&](std::size_t x, int whole) {
    bytes[x] = static_cast<std::int8_t>(whole);
    sum += whole;
  });
  left = steps.left;
  return {bytes, steps.step, sum};
}

}  // namespace bitsense
