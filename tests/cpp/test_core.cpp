// Threads, matrices, random numbers.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>

#include "check.hpp"
#include "core/alias.hpp"
#include "core/matrix.hpp"
#include "core/parallel.hpp"

namespace bitsense {

namespace {

void every_item_runs_once() {
  for (const std::size_t threads : {0U, 1U, 2U, 5U}) {
    for (const std::size_t count : {0U, 1U, 3U, 100U}) {
      std::vector<int> runs(count);
      parallel_for(threads, count, [&](std::size_t i, std::size_t) { ++runs[i]; });
      for (const int n : runs) BITSENSE_CHECK(n == (threads > 0 ? 1 : 0));
    }
  }
}

void the_first_exception_comes_back() {
  for (const std::size_t threads : {1U, 4U}) {
    std::atomic<int> begun{0};
    const std::string what = error_of<std::invalid_argument>([&] {
      parallel_for(threads, 100'000, [&](std::size_t i, std::size_t) {
        ++begun;
        require(i != 7, "item ", i);
      });
    });
    BITSENSE_CHECK(what == "item 7");
    BITSENSE_CHECK(begun < 100'000);
  }
}

void a_poll_that_throws_ends_the_call() {
  int polls = 0;
  const Poll poll = [&] { require(++polls < 3, "stopped"); };
  const std::string what = error_of<std::invalid_argument>(
      [&] { parallel_for(2, SIZE_MAX, [](std::size_t, std::size_t) {}, poll); });
  BITSENSE_CHECK(what == "stopped");
}

void rows_are_aligned_and_padded_with_zeros() {
  Matrix matrix(3, 17);
  BITSENSE_CHECK(matrix.stride() == 32);
  for (std::size_t i = 0; i < 3; ++i) {
    BITSENSE_CHECK(reinterpret_cast<std::uintptr_t>(matrix.row(i)) % kAlignment == 0);
    for (std::size_t x = 0; x < 32; ++x) BITSENSE_CHECK(matrix.row(i)[x] == 0.0F);
  }
  error_of<std::bad_alloc>([] { Matrix too_large(SIZE_MAX / 64, 64); });
}

// Small and large ones, also where the memory has been used before.
void arrays_begin_as_zeros() {
  for (const std::size_t n : {std::size_t{100}, kLargePage / sizeof(float), kLargePage}) {
    for (int time = 0; time < 2; ++time) {
      AlignedFloats floats(n);
      for (std::size_t i = 0; i < n; ++i) BITSENSE_CHECK(floats[i] == 0.0F);
      std::fill_n(floats.data(), n, 1.0F);
    }
  }
}

void draws_follow_the_weights() {
  const std::vector<double> weights = {1.0, 0.0, 3.0, 4.0};
  const AliasTable table(weights);
  Rng rng(stream(1));
  std::vector<double> drawn(4);
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) ++drawn[table.sample(rng)];
  const std::vector<double> all = table.probabilities();
  for (std::uint32_t i = 0; i < 4; ++i) {
    BITSENSE_CHECK(std::abs(drawn[i] / kDraws - weights[i] / 8.0) < 0.01);
    BITSENSE_CHECK(all[i] == table.probability(i));
  }
  BITSENSE_CHECK(drawn[1] == 0.0);
}

}  // namespace

void core_tests(Suite& test) {
  test("every item runs once", every_item_runs_once);
  test("the first exception comes back", the_first_exception_comes_back);
  test("a poll that throws ends the call", a_poll_that_throws_ends_the_call);
  test("rows are aligned and padded with zeros", rows_are_aligned_and_padded_with_zeros);
  test("arrays begin as zeros", arrays_begin_as_zeros);
  test("draws follow the weights", draws_follow_the_weights);
}

}  // namespace bitsense
