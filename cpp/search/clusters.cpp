#include "search/clusters.hpp"

#include <algorithm>
#include <vector>

#include "kernels/dispatch.hpp"
#include "search/hamming.hpp"

namespace bitsense {

namespace {

// Moves each center to its codes. One that has none stays.
void move_centers(const CodesView& codes, const std::vector<std::int64_t>& labels,
                  std::size_t centers, std::uint8_t* out) {
  const std::size_t bits = codes.bits;
  std::vector<std::uint32_t> ones(centers * bits), members(centers);
  for (std::size_t i = 0; i < codes.rows; ++i) {
    const auto c = static_cast<std::size_t>(labels[i]);
    const std::uint8_t* code = codes.row(i);
    ++members[c];
    for (std::size_t j = 0; j < bits; ++j) ones[c * bits + j] += code[j / 8] >> (7 - j % 8) & 1U;
  }
  std::vector<float> surplus(bits);
  for (std::size_t c = 0; c < centers; ++c) {
    if (members[c] == 0) continue;
    for (std::size_t j = 0; j < bits; ++j) {
      surplus[j] = static_cast<float>(2.0 * ones[c * bits + j] - members[c]);
    }
    pack_signs(surplus.data(), bits, out + c * codes.bytes());
  }
}

}  // namespace

void cluster_codes(const CodesView& codes, const Clustering& clustering, std::uint8_t* centers) {
  const std::size_t count = clustering.centers, bytes = codes.bytes();
  const std::size_t sample = std::min(std::max(clustering.sample, count), codes.rows);
  std::vector<std::uint8_t> points(sample * bytes);
  for (std::size_t i = 0; i < sample; ++i) {
    std::copy_n(codes.row(i * codes.rows / sample), bytes, points.data() + i * bytes);
  }
  for (std::size_t c = 0; c < count; ++c) {
    std::copy_n(points.data() + c * sample / count * bytes, bytes, centers + c * bytes);
  }
  const CodesView learned{points.data(), sample, codes.bits};
  const HammingOptions options{*kernels().codes, clustering.threads, clustering.poll, nullptr};
  std::vector<std::int64_t> labels(sample);
  std::vector<std::int32_t> distances(sample);
  for (std::size_t round = 0; round < clustering.iterations; ++round) {
    hamming_search({centers, count, codes.bits}, learned, 1, {}, options, labels.data(),
                   distances.data());
    move_centers(learned, labels, count, centers);
  }
}

}  // namespace bitsense
