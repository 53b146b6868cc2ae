// The codes of search/quantized.hpp: k-means of each part, and the nearest centroid of each row.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/dispatch.hpp"
#include "search/quantized.hpp"

namespace bitsense {

namespace {

// The points of part p: zero past the last dimension.
void read_part(const float* row, const PartShape& shape, std::size_t p, float* point) {
  for (std::size_t w = 0; w < shape.width; ++w) {
    const std::size_t x = p * shape.width + w;
    point[w] = x < shape.dim ? row[x] : 0.0F;
  }
}

std::size_t nearest(const float* point, const float* centroids, std::size_t width) {
  std::size_t best = 0;
  float least = INFINITY;
  for (std::size_t c = 0; c < kCentroids; ++c) {
    float apart = 0.0F;
    for (std::size_t w = 0; w < width; ++w) {
      const float d = point[w] - centroids[c * width + w];
      apart += d * d;
    }
    if (apart < least) {
      least = apart;
      best = c;
    }
  }
  return best;
}

// Lloyd's iterations from sixteen of the points, evenly spaced in the order of their first axes. A
// centroid that loses all its points stays.
void cluster(const std::vector<float>& points, std::size_t width, std::size_t iterations,
             float* centroids) {
  const std::size_t count = points.size() / width;
  std::vector<std::uint32_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const float x = points[a * width], y = points[b * width];
    return x < y || (x == y && a < b);
  });
  for (std::size_t c = 0; c < kCentroids; ++c) {
    const std::size_t at = count == 0 ? 0 : (2 * c + 1) * count / (2 * kCentroids);
    for (std::size_t w = 0; w < width; ++w) {
      centroids[c * width + w] = count == 0 ? 0.0F : points[order[at] * width + w];
    }
  }
  std::vector<double> sums(kCentroids * width);
  std::vector<std::size_t> members(kCentroids);
  for (std::size_t round = 0; round < iterations; ++round) {
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(members.begin(), members.end(), 0U);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = nearest(points.data() + i * width, centroids, width);
      ++members[c];
      for (std::size_t w = 0; w < width; ++w) sums[c * width + w] += points[i * width + w];
    }
    for (std::size_t c = 0; c < kCentroids; ++c) {
      for (std::size_t w = 0; w < width && members[c] != 0; ++w) {
        centroids[c * width + w] =
            static_cast<float>(sums[c * width + w] / static_cast<double>(members[c]));
      }
    }
  }
}

}  // namespace

void train_centroids(const StoredVectors& rows, RealMetric metric, const PartShape& shape,
                     std::size_t sample, std::size_t iterations, std::size_t threads,
                     const Poll& poll, float* centroids) {
  const std::size_t count = std::min(sample, rows.rows);
  std::vector<std::vector<float>> points(shape.parts());
  for (auto& each : points) each.resize(count * shape.width);
  ComparedRows compared(rows, metric, *kernels().scores);
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = compared(i * rows.rows / count);
    for (std::size_t p = 0; p < shape.parts(); ++p) {
      read_part(row, shape, p, points[p].data() + i * shape.width);
    }
  }
  parallel_for(
      threads, shape.parts(),
      [&](std::size_t p, std::size_t /*thread*/) {
        cluster(points[p], shape.width, iterations, centroids + p * kCentroids * shape.width);
      },
      poll);
}

void encode_rows(const StoredVectors& rows, RealMetric metric, const PartShape& shape,
                 const float* centroids, std::size_t first, std::size_t threads, const Poll& poll,
                 std::uint8_t* planes) {
  const std::size_t tile = first / kPanelRows;
  const std::size_t tiles = (rows.rows + kPanelRows - 1) / kPanelRows;
  parallel_for(
      threads, tiles - std::min(tile, tiles),
      [&](std::size_t t, std::size_t /*thread*/) {
        ComparedRows compared(rows, metric, *kernels().scores);
        std::vector<float> point(shape.width);
        std::uint8_t* plane = planes + (tile + t) * shape.bytes() * kPanelRows;
        const std::size_t begin = std::max(first, (tile + t) * kPanelRows);
        const std::size_t end = std::min(rows.rows, (tile + t + 1) * kPanelRows);
        for (std::size_t i = begin; i < end; ++i) {
          const float* row = compared(i);
          std::uint8_t* lane = plane + i % kPanelRows;
          for (std::size_t p = 0; p < shape.parts(); ++p) {
            read_part(row, shape, p, point.data());
            const auto code = static_cast<unsigned>(
                nearest(point.data(), centroids + p * kCentroids * shape.width, shape.width));
            std::uint8_t& byte = lane[p / 2 * kPanelRows];
            byte = static_cast<std::uint8_t>(p % 2 == 0 ? code : byte | code << 4);
          }
        }
      },
      poll);
}

}  // namespace bitsense
