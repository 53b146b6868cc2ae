// Tables of codes and searches of real vectors: at every level, with threads, against comparing
// everything.
#include <algorithm>
#include <bit>

#include "check.hpp"
#include "kernels/dispatch.hpp"
#include "search/clusters.hpp"
#include "search/code_lists.hpp"
#include "search/multi_index.hpp"
#include "search/quantized.hpp"
#include "search/real.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kRows = 3000, kDim = 20, kStride = 32, kNearest = 7;
const Poll poll;

// Groups of codes that differ in a bit or two.
std::vector<std::uint8_t> near_codes(std::size_t rows, std::uint64_t seed) {
  std::vector<std::uint8_t> codes;
  for (std::size_t i = 0; i < rows; ++i) {
    auto code = random_bytes(8, i % 40);
    Rng rng(stream(seed, i));
    for (int flips = 0; flips < 2; ++flips) {
      std::uint8_t& byte = code[rng.below(8)];
      byte = static_cast<std::uint8_t>(byte ^ 1U << rng.below(8));
    }
    codes.insert(codes.end(), code.begin(), code.end());
  }
  return codes;
}

void tables_give_the_answers_of_a_scan() {
  const auto codes = near_codes(kRows, 1), asked = near_codes(60, 2);
  const CodesView items{codes.data(), kRows, 64}, queries{asked.data(), 60, 64};
  const std::size_t bits = bucket_bits_for(64, 6, kRows);
  std::vector<std::uint32_t> offsets(6 * ((std::size_t{1} << bits) + 1)), rows(6 * kRows);
  build_multi_tables(items, 6, bits, 3, poll, offsets.data(), rows.data());
  const MultiTables tables{6, bits, kRows, offsets.data(), rows.data()};
  check_multi_tables(tables);
  std::vector<std::uint64_t> words((kRows + 63) / 64, 0x7777777777777777ULL);
  for (const Filter& filter : {Filter(), Filter(words.data(), kRows)}) {
    for (const std::size_t threads : {1U, 4U}) {
      const HammingOptions options{*kernels().codes, threads, poll};
      std::vector<std::int64_t> ids(60 * kNearest), right(60 * kNearest);
      std::vector<std::int32_t> near(60 * kNearest), exact(60 * kNearest);
      multi_search(items, tables, queries, kNearest, filter, options, ids.data(), near.data());
      hamming_search(items, queries, kNearest, filter, options, right.data(), exact.data());
      BITSENSE_CHECK(ids == right && near == exact);
      BITSENSE_CHECK(multi_range_search(items, tables, queries, 5, filter, options) ==
                     hamming_range_search(items, queries, 5, filter, options));
    }
  }
}

void lists_that_are_all_looked_at_give_the_answers_of_a_scan() {
  constexpr std::size_t kLists = 50;
  const auto codes = near_codes(kRows, 1), asked = near_codes(60, 2);
  const CodesView items{codes.data(), kRows, 64}, queries{asked.data(), 60, 64};
  std::vector<std::vector<std::uint8_t>> made;
  for (const std::size_t threads : {1U, 3U}) {
    std::vector<std::uint8_t> centers(8 * kLists);
    cluster_codes(items, {kLists, 2000, 5, threads, poll}, centers.data());
    const HammingOptions options{*kernels().codes, threads, poll};
    std::vector<std::int64_t> labels(kRows);
    std::vector<std::int32_t> apart(kRows);
    const CodesView middle{centers.data(), kLists, 64};
    hamming_search(middle, items, 1, {}, options, labels.data(), apart.data());
    std::vector<std::uint32_t> starts(kLists + 1), rows(kRows);
    fill_lists(labels, apart, kLists, starts.data(), rows.data());
    const InvertedLists lists{kLists, starts.data(), rows.data()};
    check_lists(lists, kRows);
    const std::size_t tiles = listed_tiles(kRows, kLists);
    std::vector<std::uint8_t> planes(tiles * 8 * kTileCodes);
    std::vector<std::uint16_t> radii(tiles);
    lay_lists(items, middle, lists, options, planes.data(), radii.data());
    std::vector<std::uint32_t> spread(65);
    measure_spread(items, middle, options.kernels, spread.data());
    const ListedCodes listed{middle, lists, planes.data(), radii.data(), spread.data()};
    std::vector<std::uint64_t> words((kRows + 63) / 64, 0x7777777777777777ULL);
    for (const Filter& filter : {Filter(), Filter(words.data(), kRows)}) {
      std::vector<std::int64_t> ids(60 * kNearest), pruned(60 * kNearest), right(60 * kNearest);
      std::vector<std::int32_t> near(60 * kNearest), exact(60 * kNearest);
      hamming_search(items, queries, kNearest, filter, options, right.data(), exact.data());
      listed_search(listed, queries, kNearest, kLists, filter, options, ids.data(), near.data());
      BITSENSE_CHECK(ids == right && near == exact);
      pruned_search(listed, queries, kNearest, filter, options, pruned.data(), near.data());
      BITSENSE_CHECK(pruned == right && near == exact);
      BITSENSE_CHECK(pruned_range_search(listed, queries, 9, filter, options) ==
                     hamming_range_search(items, queries, 9, filter, options));
    }
    const Poll stop = [] { throw std::runtime_error("stopped"); };
    const HammingOptions stopped{*kernels().codes, threads, stop};
    BITSENSE_CHECK(error_of<std::runtime_error>([&] {
                     lay_lists(items, middle, lists, stopped, planes.data(), radii.data());
                   }) == "stopped");
    lay_lists(items, middle, lists, options, planes.data(), radii.data());
    const double share = scanned_share(listed, items, kNearest, options);
    BITSENSE_CHECK(share > 0 && share <= 1);
    made.push_back(centers);
  }
  BITSENSE_CHECK(made[0] == made[1]);
}

void a_table_that_leads_nowhere_is_refused() {
  const auto codes = near_codes(100, 3);
  const CodesView items{codes.data(), 100, 64};
  std::vector<std::uint32_t> offsets(2 * 65), rows(200);
  build_multi_tables(items, 2, 6, 1, poll, offsets.data(), rows.data());
  rows[150] = 100;
  BITSENSE_CHECK(error_of<std::invalid_argument>([&] {
                   check_multi_tables({2, 6, 100, offsets.data(), rows.data()});
                 }) == "`rows` of table 1 must be below 100");
}

struct Vectors {
  std::vector<float> values = random_floats(kRows * kStride, 4);
  std::vector<float> queries = random_floats(90 * kDim, 5);
  std::vector<float> squares = std::vector<float>(kRows);
  StoredVectors rows{values.data(), Storage::kFloat, kRows, kDim, kStride, nullptr, squares.data()};

  Vectors() {
    for (std::size_t i = 0; i < kRows; ++i) {
      std::fill_n(values.data() + i * kStride + kDim, kStride - kDim, 0.0F);
    }
    squared_lengths(rows, 3, poll, squares.data());
  }
  VectorsView asked(std::size_t count) const { return {queries.data(), count, kDim}; }

  std::vector<RealNeighbor> ranked(std::size_t q, RealMetric metric, const Filter& filter) const {
    ExactDistance distance(rows, metric, *kernels().scores);
    distance.start(queries.data() + q * kDim);
    std::vector<RealNeighbor> all;
    for (std::uint32_t i = 0; i < kRows; ++i) {
      if (filter.passes(i)) all.push_back({distance(i), i});
    }
    std::sort(all.begin(), all.end());
    return all;
  }
};

void scans_of_vectors_give_what_sorting_gives() {
  const Vectors vectors;
  std::vector<std::uint64_t> some((kRows + 63) / 64, 0x0101010101010101ULL);
  std::vector<std::uint64_t> most((kRows + 63) / 64, 0x7777777777777777ULL);
  for (const RealMetric metric : {RealMetric::kCosine, RealMetric::kInner, RealMetric::kSquared}) {
    for (const Kernels& level : available_kernels()) {
      for (const Filter& filter :
           {Filter(), Filter(some.data(), kRows), Filter(most.data(), kRows)}) {
        for (const std::size_t asked : {2U, 90U}) {
          const RealOptions options{level, metric, 4, poll, nullptr};
          std::vector<std::int64_t> ids(asked * kNearest);
          std::vector<float> near(asked * kNearest);
          real_search(vectors.rows, vectors.asked(asked), kNearest, filter, options, ids.data(),
                      near.data());
          const auto right = vectors.ranked(1, metric, filter);
          for (std::size_t i = 0; i < kNearest; ++i) {
            BITSENSE_CHECK(ids[kNearest + i] == right[i].id);
            BITSENSE_CHECK(near[kNearest + i] == right[i].distance);
          }
        }
      }
    }
  }
}

void threads_do_not_change_short_codes() {
  const Vectors vectors;
  const PartShape shape{kDim, 2};
  std::vector<float> centroids[2];
  std::vector<std::uint8_t> planes[2];
  std::vector<std::int64_t> ids[2];
  for (const std::size_t run : {0U, 1U}) {
    const std::size_t threads = run == 0 ? 1 : 4;
    centroids[run].resize(shape.centroids());
    planes[run].resize((kRows + 63) / 64 * shape.bytes() * 64);
    train_centroids(vectors.rows, RealMetric::kCosine, shape, 1000, 5, threads, poll,
                    centroids[run].data());
    encode_rows(vectors.rows, RealMetric::kCosine, shape, centroids[run].data(), 0, threads, poll,
                planes[run].data());
    ids[run].resize(90 * kNearest);
    std::vector<float> near(90 * kNearest);
    const RealOptions options{kernels(), RealMetric::kCosine, threads, poll, nullptr};
    quantized_search(vectors.rows, {shape, centroids[run].data(), planes[run].data()},
                     vectors.asked(90), kNearest, 60, {}, options, ids[run].data(), near.data());
  }
  BITSENSE_CHECK(centroids[0] == centroids[1] && planes[0] == planes[1] && ids[0] == ids[1]);
}

}  // namespace

void index_tests(Suite& test) {
  test("tables give the answers of a scan", tables_give_the_answers_of_a_scan);
  test("lists that are all looked at give the answers of a scan",
       lists_that_are_all_looked_at_give_the_answers_of_a_scan);
  test("a table that leads nowhere is refused", a_table_that_leads_nowhere_is_refused);
  test("scans of vectors give what sorting gives", scans_of_vectors_give_what_sorting_gives);
  test("threads do not change short codes", threads_do_not_change_short_codes);
}

}  // namespace bitsense
