#include "search/multi_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "search/substrings.hpp"
#include "search/top_k.hpp"

namespace bitsense {

namespace {

// Nanoseconds on the machine of benchmarks/README.md; only their ratios matter.
constexpr double kLookUp = 6.0;           // one bucket
constexpr double kCandidate = 12.0;       // one row of a bucket, its code fetched
constexpr double kScanByte = 1.0 / 15.0;  // of all codes, one after the other
constexpr std::size_t kMaxMasks = 1 << 20;

// Appends all words of `length` bits of which `ones` are set, ascending. Stops at kMaxMasks.
void append_masks(std::size_t length, std::size_t ones, std::vector<std::uint64_t>& masks) {
  if (ones > length) return;
  if (ones == 0) return masks.push_back(0);
  std::uint64_t mask = low_bits(ones);
  while (mask <= low_bits(length) && masks.size() <= kMaxMasks) {
    masks.push_back(mask);
    const std::uint64_t lowest = mask & (~mask + 1), carried = mask + lowest;
    mask = carried | (((mask ^ carried) >> 2) / lowest);  // the next word with as many ones
  }
}

double binomial(std::size_t n, std::size_t k) {
  double result = 1.0;
  for (std::size_t i = 1; i <= k; ++i) {
    result *= static_cast<double>(n - k + i) / static_cast<double>(i);
  }
  return k > n ? 0.0 : result;
}

// The lookups of one table at one substring distance; shared by all queries of a call.
class Shells {
 public:
  explicit Shells(const std::vector<Substring>& parts) : parts_(parts) {}

  // How many lookups they are.
  double size(std::size_t part, std::size_t ones) const {
    return binomial(parts_[part].length, ones);
  }

  // Builds what masks() will be asked for, before threads share it.
  void prepare(std::size_t ones) {
    for (const std::size_t length : {parts_.front().length, parts_.back().length}) {
      const std::size_t which = length == parts_.front().length ? 0 : 1;
      while (masks_[which].size() <= ones) {
        masks_[which].emplace_back();
        append_masks(length, masks_[which].size() - 1, masks_[which].back());
      }
    }
  }
  const std::vector<std::uint64_t>& masks(std::size_t part, std::size_t ones) const {
    return masks_[parts_[part].length == parts_.front().length ? 0 : 1][ones];
  }

 private:
  const std::vector<Substring>& parts_;
  std::vector<std::vector<std::uint64_t>> masks_[2];
};

// One query against the tables. Sink: limit() and push(distance, row), as TopK has them.
class Lookup {
 public:
  Lookup(const CodesView& codes, const MultiTables& tables, const std::vector<Substring>& parts,
         const Filter& filter, const CodeKernels& kernels)
      : codes_(codes), tables_(tables), parts_(parts), filter_(filter), kernels_(kernels) {
    values_.resize(parts.size());
    budget_ = kScanByte * static_cast<double>(codes.rows * codes.bytes());
  }

  void start(const std::uint8_t* query) {
    query_ = query;
    spent_ = 0.0;
    for (std::size_t j = 0; j < parts_.size(); ++j) values_[j] = read_substring(query, parts_[j]);
  }

  // Whether so many lookups more may still cost less than a scan.
  bool affords(double lookups) const {
    return spent_ + kLookUp * lookups < budget_ && lookups < static_cast<double>(kMaxMasks);
  }

  // Looks up table `part` at `ones` flipped bits and pushes what no earlier lookup met: those of
  // fewer ones in any table, and of as many in a table before. False if it would cost too much.
  template <class Sink>
  bool run(std::size_t part, std::size_t ones, const std::vector<std::uint64_t>& masks,
           Sink& sink) {
    const std::uint32_t* offsets = tables_.offsets + part * (tables_.buckets() + 1);
    const std::uint32_t* rows = tables_.rows + part * tables_.items;
    std::size_t buckets[kAhead];
    for (std::size_t first = 0; first < masks.size(); first += kAhead) {
      const std::size_t count = std::min(kAhead, masks.size() - first);
      for (std::size_t i = 0; i < count; ++i) {
        buckets[i] =
            bucket_of(values_[part] ^ masks[first + i], parts_[part].length, tables_.bucket_bits);
        __builtin_prefetch(offsets + buckets[i]);
      }
      candidates_.clear();
      for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(rows + offsets[buckets[i]]);
      std::size_t found = 0;
      for (std::size_t i = 0; i < count; ++i) {
        found += offsets[buckets[i] + 1] - offsets[buckets[i]];
      }
      spent_ += kLookUp * static_cast<double>(count) + kCandidate * static_cast<double>(found);
      if (spent_ > budget_) return false;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t at = offsets[buckets[i]]; at < offsets[buckets[i] + 1]; ++at) {
          candidates_.push_back({rows[at], values_[part] ^ masks[first + i]});
        }
      }
      verify(part, ones, sink);
    }
    return true;
  }

 private:
  static constexpr std::size_t kAhead = 64;
  static constexpr std::size_t kFetch = 16;

  // A row of the bucket of a value; buckets are shared.
  struct Candidate {
    std::uint32_t row;
    std::uint64_t value;
  };

  template <class Sink>
  void verify(std::size_t part, std::size_t ones, Sink& sink) {
    for (std::size_t i = 0; i < std::min(kFetch, candidates_.size()); ++i) {
      __builtin_prefetch(codes_.row(candidates_[i].row));
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (i + kFetch < candidates_.size()) {
        __builtin_prefetch(codes_.row(candidates_[i + kFetch].row));
      }
      const std::size_t row = candidates_[i].row;
      std::uint16_t distance;
      kernels_.row_distances(query_, codes_.row(row), 1, codes_.bytes(), &distance);
      if (distance < sink.limit() && met_first(candidates_[i], part, ones) && filter_.passes(row)) {
        sink.push(distance, row);
      }
    }
  }

  bool met_first(const Candidate& candidate, std::size_t part, std::size_t ones) const {
    const std::uint8_t* code = codes_.row(candidate.row);
    if (read_substring(code, parts_[part]) != candidate.value) return false;
    for (std::size_t j = 0; j < parts_.size(); ++j) {
      const std::uint64_t flipped = read_substring(code, parts_[j]) ^ values_[j];
      const auto distance = static_cast<std::size_t>(std::popcount(flipped));
      if (j < part ? distance <= ones : distance < ones) return false;
    }
    return true;
  }

  const CodesView& codes_;
  const MultiTables& tables_;
  const std::vector<Substring>& parts_;
  const Filter& filter_;
  const CodeKernels& kernels_;
  const std::uint8_t* query_ = nullptr;
  double budget_ = 0.0, spent_ = 0.0;
  std::vector<std::uint64_t> values_;
  std::vector<Candidate> candidates_;
};

// A TopK or a list under a radius, whose ids are rows or their ranks.
struct NearestOne {
  TopK nearest;
  const std::uint32_t* ranks;
  std::vector<std::size_t> counts;  // how many were pushed at each distance

  NearestOne(std::size_t k, std::size_t bits, const std::uint32_t* given)
      : nearest(k, bits, false), ranks(given), counts(bits + 1) {}
  std::uint32_t limit() const { return nearest.limit(); }
  std::size_t within(std::size_t radius) const {
    const std::size_t end = std::min(radius + 1, counts.size());
    return std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(end),
                           std::size_t{0});
  }
  void push(std::uint32_t distance, std::size_t row) {
    ++counts[distance];
    nearest.push(distance, ranks ? ranks[row] : row);
  }
};

struct WithinOne {
  std::uint32_t radius;
  const std::uint32_t* ranks;
  std::vector<Neighbor> found;

  std::uint32_t limit() const { return radius + 1; }
  void push(std::uint32_t distance, std::size_t row) {
    found.push_back(make_neighbor(distance, ranks ? ranks[row] : row));
  }
};

// The rows behind the tables.
template <class Sink>
void scan_rest(const CodesView& codes, std::size_t first, const std::uint8_t* query,
               const Filter& filter, const CodeKernels& kernels, Sink& sink) {
  std::uint16_t distances[kTileCodes];
  for (std::size_t row = first; row < codes.rows; row += kTileCodes) {
    const std::size_t count = std::min(kTileCodes, codes.rows - row);
    kernels.row_distances(query, codes.row(row), count, codes.bytes(), distances);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] < sink.limit() && filter.passes(row + i)) sink.push(distances[i], row + i);
    }
  }
}

// Runs answer(query, lookup) for each query, on all threads; where it is false the query is left
// for a scan. Returns those.
template <class Answer>
std::vector<std::size_t> look_up_all(const CodesView& codes, const MultiTables& tables,
                                     const std::vector<Substring>& parts, const CodesView& queries,
                                     const Filter& filter, const HammingOptions& options,
                                     Answer&& answer) {
  constexpr std::size_t kQueries = 16;
  std::vector<char> left(queries.rows);
  parallel_for(
      options.threads, (queries.rows + kQueries - 1) / kQueries,
      [&](std::size_t block, std::size_t /*thread*/) {
        Lookup lookup(codes, tables, parts, filter, options.kernels);
        const std::size_t last = std::min(queries.rows, (block + 1) * kQueries);
        for (std::size_t q = block * kQueries; q < last; ++q) {
          lookup.start(queries.row(q));
          left[q] = answer(q, lookup) ? 0 : 1;
        }
      },
      options.poll);
  std::vector<std::size_t> rest;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    if (left[q] != 0) rest.push_back(q);
  }
  return rest;
}

std::vector<std::uint8_t> copy_rows(const CodesView& codes, const std::vector<std::size_t>& rows) {
  std::vector<std::uint8_t> copy(rows.size() * codes.bytes());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(codes.row(rows[i]), codes.bytes(), copy.data() + i * codes.bytes());
  }
  return copy;
}

// The largest substring distance whose lookups any query can afford, plus one.
std::size_t affordable(const Shells& shells, const CodesView& codes, std::size_t parts) {
  const double budget = kScanByte * static_cast<double>(codes.rows * codes.bytes());
  std::size_t ones = 0;
  double lookups = 0.0;
  while (ones <= kMaxSubstringBits && kLookUp * lookups < budget &&
         shells.size(0, ones) < static_cast<double>(kMaxMasks)) {
    lookups += shells.size(parts - 1, ones) * static_cast<double>(parts);
    ++ones;
  }
  return ones;
}

}  // namespace

void multi_search(const CodesView& codes, const MultiTables& tables, const CodesView& queries,
                  std::size_t k, const Filter& filter, const HammingOptions& options,
                  std::int64_t* ids, std::int32_t* distances) {
  require_same_bits(codes, queries);
  require(k <= filter.passing(codes.rows), "`k` must be at most ", filter.passing(codes.rows),
          ", got ", k);
  if (k == 0 || queries.rows == 0) return;
  const auto parts = cut_substrings(codes.bits, tables.substrings);
  Shells shells(parts);
  const std::size_t most = affordable(shells, codes, parts.size());
  for (std::size_t ones = 0; ones < most; ++ones) shells.prepare(ones);
  auto answer = [&](std::size_t q, Lookup& lookup) {
    NearestOne one(k, codes.bits, options.ranks);
    scan_rest(codes, tables.items, queries.row(q), filter, options.kernels, one);
    for (std::size_t ones = 0; ones < most; ++ones) {
      for (std::size_t j = 0; j < parts.size(); ++j) {
        if (!lookup.affords(shells.size(j, ones))) return false;
        if (!lookup.run(j, ones, shells.masks(j, ones), one)) return false;
        if (one.within(ones * parts.size() + j) < k) continue;  // nearer ones may be unknown
        write_neighbors(one.nearest.take(), k, ids + q * k, distances + q * k);
        return true;
      }
    }
    return false;
  };
  const auto rest = look_up_all(codes, tables, parts, queries, filter, options, answer);
  const auto copy = copy_rows(queries, rest);
  std::vector<std::int64_t> rest_ids(rest.size() * k);
  std::vector<std::int32_t> rest_distances(rest.size() * k);
  hamming_search(codes, {copy.data(), rest.size(), queries.bits}, k, filter, options,
                 rest_ids.data(), rest_distances.data());
  for (std::size_t i = 0; i < rest.size(); ++i) {
    std::copy_n(rest_ids.data() + i * k, k, ids + rest[i] * k);
    std::copy_n(rest_distances.data() + i * k, k, distances + rest[i] * k);
  }
}

Lists multi_range_search(const CodesView& codes, const MultiTables& tables,
                         const CodesView& queries, std::size_t radius, const Filter& filter,
                         const HammingOptions& options) {
  require_same_bits(codes, queries);
  const auto parts = cut_substrings(codes.bits, tables.substrings);
  const std::size_t m = parts.size(), base = radius / m, last = radius % m;
  Shells shells(parts);
  double lookups = 0.0;
  for (std::size_t ones = 0; ones <= base; ++ones) {
    for (std::size_t j = 0; j < (ones < base ? m : last + 1); ++j) lookups += shells.size(j, ones);
  }
  const bool cheap =
      lookups < static_cast<double>(kMaxMasks) &&
      kLookUp * lookups < kScanByte * static_cast<double>(codes.rows * codes.bytes());
  if (!cheap) return hamming_range_search(codes, queries, radius, filter, options);
  for (std::size_t ones = 0; ones <= base; ++ones) shells.prepare(ones);
  Lists lists(queries.rows);
  auto answer = [&](std::size_t q, Lookup& lookup) {
    WithinOne one{static_cast<std::uint32_t>(std::min(radius, codes.bits)), options.ranks, {}};
    for (std::size_t ones = 0; ones <= base; ++ones) {
      for (std::size_t j = 0; j < (ones < base ? m : last + 1); ++j) {
        if (!lookup.run(j, ones, shells.masks(j, ones), one)) return false;
      }
    }
    scan_rest(codes, tables.items, queries.row(q), filter, options.kernels, one);
    std::sort(one.found.begin(), one.found.end());
    lists[q] = std::move(one.found);
    return true;
  };
  const auto rest = look_up_all(codes, tables, parts, queries, filter, options, answer);
  const auto copy = copy_rows(queries, rest);
  Lists scanned = hamming_range_search(codes, {copy.data(), rest.size(), queries.bits}, radius,
                                       filter, options);
  for (std::size_t i = 0; i < rest.size(); ++i) lists[rest[i]] = std::move(scanned[i]);
  return lists;
}

}  // namespace bitsense
