// Every level of the inner loops against plain loops; those of codes are in test_tiles.cpp.
#include <cmath>
#include <cstring>
#include <memory>

#include "check.hpp"
#include "kernels/checksum_kernels.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/float_kernels.hpp"
#include "kernels/score_kernels.hpp"
#include "kernels/text_kernels.hpp"
#include "kernels/word_kernels.hpp"

namespace bitsense {

namespace {

bool near(double got, double expected, double scale) {
  return std::abs(got - expected) <= 1e-5 * (scale + std::abs(expected));
}

std::vector<const float*> row_starts(const std::vector<float>& rows, std::size_t n) {
  std::vector<const float*> starts;
  for (std::size_t i = 0; i < rows.size(); i += n) starts.push_back(rows.data() + i);
  return starts;
}

void products_are_those_of_plain_loops(const FloatKernels& kernel) {
  for (const std::size_t rows : {1U, 3U, 6U, 17U}) {
    for (const std::size_t n : {16U, 48U, 128U}) {
      const std::size_t terms = rows + 2;
      const auto a = random_floats(rows * terms, rows);
      const auto b = random_floats(terms * n, n);
      std::vector<float> out(rows * n, 0.5F);
      std::vector<float*> out_rows;
      for (std::size_t i = 0; i < rows; ++i) out_rows.push_back(out.data() + i * n);
      kernel.multiply(row_starts(a, terms).data(), 1, row_starts(b, n).data(), terms,
                      out_rows.data(), rows, n, true);
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t x = 0; x < n; ++x) {
          double sum = 0.5;
          for (std::size_t k = 0; k < terms; ++k)
            sum += static_cast<double>(a[i * terms + k]) * static_cast<double>(b[k * n + x]);
          BITSENSE_CHECK(near(out[i * n + x], sum, static_cast<double>(terms)));
        }
      }
    }
  }
}

void dots_are_those_of_plain_loops(const FloatKernels& kernel) {
  for (const std::size_t n : {16U, 32U, 304U}) {
    for (const std::size_t count : {0U, 1U, 7U}) {
      const auto h = random_floats(n, 1);
      const auto u = random_floats(count * n, 2);
      std::vector<float> out(count);
      kernel.dots(h.data(), row_starts(u, n).data(), count, out.data(), n);
      for (std::size_t j = 0; j < count; ++j) {
        double sum = 0.0;
        for (std::size_t x = 0; x < n; ++x)
          sum += static_cast<double>(h[x]) * static_cast<double>(u[j * n + x]);
        BITSENSE_CHECK(near(out[j], sum, static_cast<double>(n)));
      }
    }
  }
}

void functions_are_those_of_the_library(const FloatKernels& kernel) {
  auto x = random_floats(64, 3, 80.0F);
  x[0] = 0.0F;
  std::vector<float> e(64);
  std::vector<float> s(64);
  kernel.exp(x.data(), e.data(), 64);
  kernel.logistic(x.data(), s.data(), 64);
  for (std::size_t i = 0; i < 64; ++i) {
    const double clipped = std::min(60.0, std::max(-60.0, static_cast<double>(x[i])));
    BITSENSE_CHECK(std::abs(e[i] / std::exp(clipped) - 1.0) < 1e-6);
    BITSENSE_CHECK(near(s[i], 1.0 / (1.0 + std::exp(-clipped)), 0.0));
  }
}

// All results of the float kernels on fixed inputs, one after another.
std::vector<float> results(const FloatKernels& kernel) {
  constexpr std::size_t kN = 48;
  const auto rows = random_floats(16 * kN, 4);
  const auto starts = row_starts(rows, kN);
  std::vector<float> all(kN * 16);
  kernel.interleave(starts.data(), all.data(), kN);
  std::vector<float> sums(kTile);
  const auto shift = random_floats(kN, 5, 3.0F);
  const std::vector<float> weight(kN, 0.5F);
  const std::vector<float> factor(kTile, 2.0F);
  std::vector<float> tile = all;
  kernel.exp_tile(tile.data(), shift.data(), kN, sums.data());
  kernel.scale_tile(tile.data(), factor.data(), kN);
  all.insert(all.end(), tile.begin(), tile.end());
  all.insert(all.end(), sums.begin(), sums.end());
  kernel.logistic_tile(tile.data(), shift.data(), weight.data(), factor.data(), kN, sums.data());
  all.insert(all.end(), tile.begin(), tile.end());
  all.insert(all.end(), sums.begin(), sums.end());
  std::vector<float> w = random_floats(kN, 6);
  std::vector<float> squares(kN, 0.1F);
  kernel.adagrad(w.data(), squares.data(), rows.data(), 0.05F, kN);
  kernel.axpy(0.3F, rows.data() + kN, w.data(), kN);
  all.insert(all.end(), w.begin(), w.end());
  all.insert(all.end(), squares.begin(), squares.end());
  return all;
}

void fused_levels_give_the_same_bits() {
  std::vector<float> first;
  for (const Kernels& level : available_kernels()) {
    const std::vector<float> here = results(*level.floats);
    for (const float value : here) BITSENSE_CHECK(std::isfinite(value));
    if (std::strcmp(level.level, "baseline") == 0) continue;
    if (first.empty()) first = here;
    BITSENSE_CHECK(std::memcmp(first.data(), here.data(), here.size() * sizeof(float)) == 0);
  }
}

// The order of the sums, and that nothing is rounded otherwise, is the same at every level.
void exact_sums_are_those_of_plain_loops(const ScoreKernels& kernel) {
  const auto scale = static_cast<double>(0.3F);
  for (const std::size_t n : {16U, 112U, 784U}) {
    const auto a = random_floats(n, n), b = random_floats(n, n + 1);
    double product[8] = {}, square[8] = {}, apart[8] = {};
    for (std::size_t x = 0; x < n; ++x) {
      const double left = static_cast<double>(a[x]), right = static_cast<double>(b[x]);
      product[x % 8] += left * right;
      square[x % 8] += right * right;
      const double difference = left - scale * right;
      const volatile double squared = difference * difference;
      apart[x % 8] += squared;
    }
    const auto whole = [](const double* s) {
      return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    };
    const ExactDots dots = kernel.exact_dots(a.data(), b.data(), n);
    BITSENSE_CHECK(dots.product == whole(product) && dots.square == whole(square));
    BITSENSE_CHECK(kernel.exact_squared(a.data(), b.data(), scale, n) == whole(apart));
  }
}

// A product of bytes is off by no more than what packing says that the bytes leave out.
void products_of_bytes_are_within_their_error(const ScoreKernels& kernel) {
  if (!kernel.pack_bytes) return;
  for (const std::size_t n : {16U, 48U, 112U}) {
    auto values = random_floats(kPanelRows * n, n);
    std::vector<const float*> rows(kPanelRows);
    for (std::size_t i = 0; i < kPanelRows; ++i) rows[i] = values.data() + i * n;
    std::fill_n(values.data() + 3 * n, n, 0.0F);
    for (std::size_t x = 0; x < n; ++x) values[4 * n + x] *= 1e-30F;
    for (std::size_t x = 0; x < n; ++x) values[5 * n + x] = 1e-42F;  // below the normal numbers
    values[6 * n] = 1000.0F;                                         // leaves little to the others
    const auto factor = random_floats(kPanelRows, 9, 0.5F);
    std::vector<float> factors(kPanelRows), bias(kPanelRows);
    for (std::size_t i = 0; i < kPanelRows; ++i) {
      factors[i] = std::abs(factor[i]);
      bias[i] = factor[i];
    }
    std::vector<std::uint8_t> bytes(kPanelRows * n);
    ByteRows panel;
    panel.bytes = bytes.data();
    kernel.pack_bytes(rows.data(), factors.data(), n, panel);
    std::vector<std::int8_t> whole(7 * n);
    std::vector<ByteQuery> queries;
    for (std::size_t q = 0; q < 7; ++q) {
      std::int32_t sum = 0;
      for (std::size_t x = 0; x < n; ++x) {
        whole[q * n + x] =
            static_cast<std::int8_t>(static_cast<int>((31 * q + 77 * x) % 255) - 127);
        sum += whole[q * n + x];
      }
      queries.push_back({whole.data() + q * n, 0.01F, sum});
    }
    std::vector<float> scores(7 * kPanelRows);
    kernel.multiply_bytes(panel.bytes, panel.scale, bias.data(), queries.data(), 7, n,
                          scores.data());
    for (std::size_t q = 0; q < 7; ++q) {
      for (std::size_t i = 0; i < kPanelRows; ++i) {
        double product = 0.0, length = 0.0, size = 1.0;
        for (std::size_t x = 0; x < n; ++x) {
          const double query = 0.01 * whole[q * n + x];
          const double row = static_cast<double>(rows[i][x]) * static_cast<double>(factors[i]);
          product += query * row;
          length += query * query;
          size += std::abs(query * row);
        }
        const double error = std::sqrt(length) * static_cast<double>(panel.residual[i]);
        const double apart = static_cast<double>(scores[q * kPanelRows + i]) -
                             (product + static_cast<double>(bias[i]));
        BITSENSE_CHECK(std::abs(apart) <= error + 1e-6 * size);
      }
    }
  }
}

// Gradients one after another, of pairs with the largest factor and of others, plain and weighed.
void losses_of_gradients_add_up(const WordKernels& kernel) {
  constexpr std::size_t kCalls = 20;  // the last five with as many and as small factors as may be
  for (const std::size_t size : {16U, 48U, 256U, 1040U}) {
    std::vector<float> losses(kCalls * kLossParts);
    double expected = 0.0;
    for (std::size_t call = 0; call < kCalls; ++call) {
      std::vector<float> z = random_floats(size, call);
      if (call % 7 != 0) std::fill(z.begin(), z.end(), 0.0F);
      const bool small = call != 8;
      std::vector<float> weight(size, !small ? 1.5F : call % 7 == 0 ? 2.0F : kLargestWeight);
      std::vector<float> label(size, 0.0F);
      for (std::size_t i = 0; i < size; i += 6) label[i] = weight[i];
      for (std::size_t i = 0; i < size; ++i)
        expected += weight[i] * std::log1p(std::exp(static_cast<double>(z[i]))) -
                    static_cast<double>(label[i] * z[i]);
      kernel.sampling_gradient(z.data(), weight.data(), label.data(), 0.1F, size, small,
                               losses.data() + call * kLossParts);
    }
    BITSENSE_CHECK(near(kernel.sampling_loss(losses.data(), kCalls), expected, 0.0));
  }
}

void runs_are_the_same_at_every_level() {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto bytes = random_bytes(seed, seed);
    // Of its own size on the heap, so that a read beyond the end is seen.
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    std::vector<std::uint16_t> expected;
    for (const Kernels& level : available_kernels()) {
      std::vector<char> folded(kFoldedBytes);
      std::vector<std::uint16_t> edges(kMaxEdges);
      const std::size_t runs =
          level.text->find_runs(exact.get(), bytes.size(), bytes.size(), seed % 2 == 0,
                                seed % 3 == 0, folded.data(), edges.data());
      edges.resize(2 * runs);
      edges.insert(edges.end(), folded.begin(), folded.begin() + static_cast<long>(bytes.size()));
      if (expected.empty()) expected = edges;
      BITSENSE_CHECK(edges == expected);
    }
  }
}

// The remainder of CRC-64/XZ, a bit at a time, of what gave `crc` followed by these bytes.
std::uint64_t remainder_after(std::uint64_t crc, const std::uint8_t* bytes, std::size_t size) {
  for (std::size_t i = 0; i < 8 * size; ++i) {
    const std::uint64_t bit = (crc ^ bytes[i / 8] >> i % 8) & 1;
    crc = crc >> 1 ^ (bit != 0 ? 0xc96c5795d7870f42ULL : 0);
  }
  return crc;
}

std::uint64_t power_of_x(std::size_t exponent) {  // x^0 is the highest bit
  const std::vector<std::uint8_t> zeros(exponent / 8);
  std::uint64_t power = std::uint64_t{1} << (63 - exponent % 8);
  return remainder_after(power, zeros.data(), zeros.size());
}

void folded_bytes_leave_the_same_remainder() {
  const ChecksumShift one{power_of_x(191), power_of_x(127)};
  const ChecksumShift four{power_of_x(575), power_of_x(511)};
  for (const Kernels& level : available_kernels()) {
    for (const std::size_t size : {0U, 16U, 127U, 128U, 129U, 191U, 192U, 1000U, 4096U}) {
      // Of its own size on the heap, at an odd address.
      const auto random = random_bytes(size + 1, size);
      const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size + 1]);
      std::copy(random.begin(), random.end(), exact.get());
      const std::uint8_t* bytes = exact.get() + 1;
      const std::uint64_t before = stream(size, 7);
      std::uint64_t words[2];
      const std::size_t done = level.checksums->fold(bytes, size, before, one, four, words);
      BITSENSE_CHECK(done <= size && done % 64 == 0);
      BITSENSE_CHECK(done + 64 > size || size < 128 ||
                     (done == 0 && &level == &kernels("baseline")));
      if (done == 0) continue;
      const auto* folded = reinterpret_cast<const std::uint8_t*>(words);
      BITSENSE_CHECK(remainder_after(0, folded, 16) == remainder_after(before, bytes, done));
    }
  }
}

}  // namespace

void kernel_tests(Suite& test) {
  for (const Kernels& level : available_kernels()) {
    std::printf("level %s\n", level.level);
    test("products", [&] { products_are_those_of_plain_loops(*level.floats); });
    test("dots", [&] { dots_are_those_of_plain_loops(*level.floats); });
    test("bytes", [&] { products_of_bytes_are_within_their_error(*level.scores); });
    test("exact sums", [&] { exact_sums_are_those_of_plain_loops(*level.scores); });
    test("losses", [&] { losses_of_gradients_add_up(*level.words); });
    test("functions", [&] { functions_are_those_of_the_library(*level.floats); });
  }
  test("fused levels give the same bits", fused_levels_give_the_same_bits);
  test("runs are the same at every level", runs_are_the_same_at_every_level);
  test("folded bytes leave the same remainder", folded_bytes_leave_the_same_remainder);
}

}  // namespace bitsense
