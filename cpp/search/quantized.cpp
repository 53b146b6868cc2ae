#include "search/quantized.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/errors.hpp"
#include "search/scan.hpp"
#include "search/top_k.hpp"

namespace bitsense {

namespace {

constexpr std::uint32_t kMostCost = 254;   // 255 means that, or more
constexpr std::size_t kBlockQueries = 64;  // share the reading of the planes
constexpr std::size_t kPanelBytes = 1 << 14;
constexpr std::size_t kSampleTiles = 8;  // whose costs set the range of a query's tables

// The costs of the parts of one query, as floats and as the bytes that the kernel adds.
class Tables {
 public:
  Tables(const QuantizedRows& codes, RealMetric metric)
      : codes_(codes), metric_(metric), costs_(codes.shape.bytes() * kNibbleTables) {}

  void start(const float* query) {
    const PartShape& shape = codes_.shape;
    double length = 0.0;
    for (std::size_t x = 0; x < shape.dim; ++x) {
      length += static_cast<double>(query[x]) * query[x];
    }
    const bool scaled = metric_ == RealMetric::kCosine && length > 0.0;
    const double factor = scaled ? 1.0 / std::sqrt(length) : 1.0;
    std::fill(costs_.begin(), costs_.end(), 0.0F);
    for (std::size_t p = 0; p < shape.parts(); ++p) {
      float* table = costs_.data() + kNibbleTables / 2 * p;
      const float* centroids = codes_.centroids + p * kCentroids * shape.width;
      for (std::size_t c = 0; c < kCentroids; ++c) {
        table[c] = part_cost(query, p, centroids + c * shape.width, factor);
      }
      const float least = *std::min_element(table, table + kCentroids);
      for (std::size_t c = 0; c < kCentroids; ++c) table[c] -= least;
    }
  }

  // The tables in units of which `range` is kMostCost.
  void write(float range, std::uint8_t* tables) const {
    const float unit = range > 0.0F ? static_cast<float>(kMostCost) / range : 0.0F;
    for (std::size_t i = 0; i < costs_.size(); ++i) {
      tables[i] = static_cast<std::uint8_t>(std::min(std::nearbyint(costs_[i] * unit), 127.0F));
    }
  }
  float largest() const {
    float sum = 0.0F;
    for (std::size_t t = 0; t < costs_.size(); t += kCentroids) {
      sum += *std::max_element(costs_.begin() + static_cast<std::ptrdiff_t>(t),
                               costs_.begin() + static_cast<std::ptrdiff_t>(t + kCentroids));
    }
    return sum;
  }

 private:
  float part_cost(const float* query, std::size_t p, const float* centroid, double factor) const {
    const PartShape& shape = codes_.shape;
    double sum = 0.0;
    for (std::size_t w = 0; w < shape.width; ++w) {
      const std::size_t x = p * shape.width + w;
      const double q = x < shape.dim ? query[x] * factor : 0.0;
      const double apart = q - centroid[w];
      sum += metric_ == RealMetric::kInner ? -q * centroid[w] : apart * apart;
    }
    return static_cast<float>(sum);
  }

  const QuantizedRows& codes_;
  RealMetric metric_;
  std::vector<float> costs_;
};

// A range that the shortlist is likely to fit: somewhat more than the cost that, by the costs of
// evenly spaced tiles, three shortlists lie below.
float likely_range(const Tables& tables, const QuantizedRows& codes, const ScoreKernels& kernels,
                   std::size_t rows, std::size_t shortlist) {
  const std::size_t bytes = codes.shape.bytes(), tiles = rows / kPanelRows;  // full ones
  const std::size_t count = std::min(tiles, kSampleTiles);
  if (count == 0) return tables.largest();
  std::vector<std::uint8_t> written(bytes * kNibbleTables);
  tables.write(tables.largest(), written.data());
  std::size_t counts[256] = {};
  for (std::size_t t = 0; t < count; ++t) {
    std::uint8_t costs[kPanelRows];
    kernels.costs(codes.planes + t * tiles / count * bytes * kPanelRows, written.data(), bytes, 0,
                  costs);
    for (const std::uint8_t cost : costs) ++counts[cost];
  }
  const std::size_t wanted = 3 * shortlist * count * kPanelRows / rows + 3;
  std::size_t cost = 0;
  for (std::size_t below = counts[0]; below < wanted && cost < kMostCost; below += counts[cost]) {
    ++cost;
  }
  const float share = static_cast<float>(cost + 1) / static_cast<float>(kMostCost);
  return std::min(1.0F, 1.05F * share) * tables.largest();
}

// Queries of one block against all planes.
class Block {
 public:
  Block(const StoredVectors& rows, const QuantizedRows& codes, const Filter& filter,
        const RealOptions& options, std::size_t shortlist)
      : rows_(rows), codes_(codes), filter_(filter), options_(options), shortlist_(shortlist) {}

  // The rows of the shortlist of each query of [first, last).
  std::vector<std::vector<Neighbor>> run(const VectorsView& queries, std::size_t first,
                                         std::size_t last, Stopper& stopper, std::size_t thread) {
    const std::size_t bytes = codes_.shape.bytes() * kNibbleTables;
    std::vector<std::vector<Neighbor>> lists(last - first);
    std::vector<Tables> tables;
    std::vector<float> ranges;
    std::vector<std::size_t> left;
    for (std::size_t q = first; q < last; ++q) {
      tables.emplace_back(codes_, options_.metric).start(queries.row(q));
      ranges.push_back(
          likely_range(tables.back(), codes_, *options_.kernels.scores, rows_.rows, shortlist_));
      left.push_back(q - first);
    }
    while (!left.empty()) {  // again with twice the range for those whose shortlist did not fit
      std::vector<std::uint8_t> written(left.size() * bytes);
      std::vector<TopK> found(left.size(), TopK(shortlist_, kMostCost));
      for (std::size_t i = 0; i < left.size(); ++i) {
        tables[left[i]].write(ranges[left[i]], written.data() + i * bytes);
      }
      if (!scan(written, found, stopper, thread)) return lists;
      std::vector<std::size_t> again;
      for (std::size_t i = 0; i < left.size(); ++i) {
        lists[left[i]] = found[i].take();
        const bool all = ranges[left[i]] > 2.0F * tables[left[i]].largest();
        if (lists[left[i]].size() == shortlist_ || all) continue;
        ranges[left[i]] = 2.0F * ranges[left[i]] + 1e-30F;
        again.push_back(left[i]);
      }
      left = std::move(again);
    }
    return lists;
  }

 private:
  static constexpr std::size_t kGroup = 16;

  bool scan(const std::vector<std::uint8_t>& tables, std::vector<TopK>& found, Stopper& stopper,
            std::size_t thread) const {
    const std::size_t bytes = codes_.shape.bytes();
    const std::size_t tiles = (rows_.rows + kPanelRows - 1) / kPanelRows;
    const std::size_t step = std::max<std::size_t>(1, kPanelBytes / (bytes * kPanelRows));
    for (std::size_t t = 0; t < tiles; t += step) {
      if (t / step % 16 == 0 && stopper.stop(thread)) return false;
      for (std::size_t q = 0; q < found.size(); q += kGroup) {
        const std::size_t count = std::min(kGroup, found.size() - q);
        for (std::size_t at = t; at < std::min(t + step, tiles); ++at) {
          if (filter_.word(at) != 0) scan_tile(at, tables, found, q, count);
        }
      }
    }
    return true;
  }

  void scan_tile(std::size_t tile, const std::vector<std::uint8_t>& tables,
                 std::vector<TopK>& found, std::size_t first, std::size_t count) const {
    const ScoreKernels& kernels = *options_.kernels.scores;
    const std::size_t bytes = codes_.shape.bytes(), step = bytes * kNibbleTables;
    const std::uint8_t* planes = codes_.planes + tile * bytes * kPanelRows;
    std::uint8_t bounds[kGroup], hit[kGroup];
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t limit = found[first + i].limit();
      bounds[i] = static_cast<std::uint8_t>(limit == 0 ? 0 : std::min(limit - 1, kMostCost));
    }
    kernels.scan_costs(planes, tables.data() + first * step, count, bytes, bounds, hit);
    for (std::size_t i = 0; i < count; ++i) {
      if (hit[i] == 0) continue;
      push(tile, planes, tables.data() + (first + i) * step, bounds[i], found[first + i]);
    }
  }

  void push(std::size_t tile, const std::uint8_t* planes, const std::uint8_t* tables,
            std::uint8_t bound, TopK& found) const {
    std::uint8_t costs[kPanelRows];
    std::uint64_t left =
        filter_.word(tile) &
        options_.kernels.scores->costs(planes, tables, codes_.shape.bytes(), bound, costs);
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      const std::size_t row = tile * kPanelRows + i;
      if (row < rows_.rows && costs[i] < found.limit()) {
        found.push(costs[i], row);
      }
    }
  }

  const StoredVectors& rows_;
  const QuantizedRows& codes_;
  const Filter& filter_;
  const RealOptions& options_;
  std::size_t shortlist_;
};

}  // namespace

void quantized_search(const StoredVectors& rows, const QuantizedRows& codes,
                      const VectorsView& queries, std::size_t k, std::size_t shortlist,
                      const Filter& filter, const RealOptions& options, std::int64_t* ids,
                      float* distances) {
  const std::size_t passing = filter.passing(rows.rows);
  require(k <= passing, "`k` must be at most ", passing, ", got ", k);
  require(shortlist >= k, "`shortlist` must be at least ", k, ", got ", shortlist);
  if (k == 0 || queries.rows == 0) return;
  const std::size_t size = std::min(shortlist, passing);
  const bool few = 8 * size >= passing || 8 * passing < rows.rows;
  if (few) return real_search(rows, queries, k, filter, options, ids, distances);
  std::vector<std::int64_t> listed(queries.rows * size, -1);
  const std::size_t wanted = (queries.rows + options.threads - 1) / options.threads;
  const std::size_t block = std::clamp<std::size_t>(wanted, 1, kBlockQueries);
  Stopper stopper(options.poll);
  parallel_for(options.threads, (queries.rows + block - 1) / block,
               [&](std::size_t b, std::size_t thread) {
                 const std::size_t first = b * block;
                 const std::size_t last = std::min(queries.rows, first + block);
                 Block one(rows, codes, filter, options, size);
                 const auto lists = one.run(queries, first, last, stopper, thread);
                 for (std::size_t q = first; q < last; ++q) {
                   std::int64_t* out = listed.data() + q * size;
                   for (const Neighbor x : lists[q - first]) {
                     *out++ = static_cast<std::int64_t>(neighbor_id(x));
                   }
                 }
               });
  real_rerank(rows, queries, listed.data(), size, k, options, ids, distances);
}

}  // namespace bitsense
