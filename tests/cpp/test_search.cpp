// Exact search against sorting all distances, at every level and with several threads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "check.hpp"
#include "codes/projection.hpp"
#include "kernels/dispatch.hpp"
#include "search/attributes.hpp"
#include "search/bm25.hpp"
#include "search/hamming.hpp"
#include "search/rerank.hpp"
#include "search/top_k.hpp"

namespace bitsense {

namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::size_t>>;  // (distance, id), in order
using Expected = std::vector<Pairs>;                               // of each query

// Few distinct distances: the ties are the hard part.
struct Problem {
  std::size_t bits;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint8_t> queries;
  std::vector<char> passes;

  Problem(std::size_t rows, std::size_t asked, std::size_t width)
      : bits(width),
        codes(random_bytes(rows * code_bytes(width), rows)),
        queries(random_bytes(asked * code_bytes(width), asked + 1)),
        passes(rows) {
    for (std::size_t i = 0; i < codes.size(); i += 3) codes[i] = 0;
    clear_padding(codes);
    clear_padding(queries);
    for (std::size_t i = 0; i < rows; ++i) passes[i] = i % 5 != 2;
  }
  CodesView items() const { return {codes.data(), codes.size() / code_bytes(bits), bits}; }
  CodesView asked() const { return {queries.data(), queries.size() / code_bytes(bits), bits}; }

  Expected ranked(bool filtered) const {
    Expected all;
    for (std::size_t q = 0; q < asked().rows; ++q) all.push_back(ranked(q, filtered));
    return all;
  }

 private:
  Pairs ranked(std::size_t q, bool filtered) const {
    Pairs pairs;
    for (std::size_t i = 0; i < items().rows; ++i) {
      if (filtered && passes[i] == 0) continue;
      int distance = 0;
      for (std::size_t j = 0; j < code_bytes(bits); ++j)
        distance += std::popcount(static_cast<unsigned>(asked().row(q)[j] ^ items().row(i)[j]));
      pairs.emplace_back(distance, i);
    }
    std::sort(pairs.begin(), pairs.end());
    return pairs;
  }
  void clear_padding(std::vector<std::uint8_t>& rows) const {
    const std::size_t bytes = code_bytes(bits);
    for (std::size_t i = bytes - 1; i < rows.size(); i += bytes)
      rows[i] = static_cast<std::uint8_t>(rows[i] & 0xff << (8 * bytes - bits));
  }
};

std::vector<std::uint64_t> bitmap_of(const std::vector<char>& passes) {
  std::vector<std::uint64_t> words((passes.size() + 63) / 64);
  for (std::size_t i = 0; i < passes.size(); ++i) {
    words[i / 64] |= static_cast<std::uint64_t>(passes[i] != 0) << (i % 64);
  }
  return words;
}

void check_search(const Problem& problem, const Filter& filter, const HammingOptions& options,
                  const Expected& expected) {
  for (const std::size_t wanted : {1U, 10U, 1000U}) {
    const std::size_t k = std::min(wanted, filter.passing(problem.items().rows));
    const std::size_t asked = problem.asked().rows;
    std::vector<std::int64_t> ids(asked * k);
    std::vector<std::int32_t> distances(asked * k);
    hamming_search(problem.items(), problem.asked(), k, filter, options, ids.data(),
                   distances.data());
    for (std::size_t q = 0; q < asked; ++q) {
      for (std::size_t i = 0; i < k; ++i) {
        const auto& [distance, id] = expected[q][i];
        BITSENSE_CHECK(static_cast<std::size_t>(ids[q * k + i]) == id);
        BITSENSE_CHECK(static_cast<std::uint32_t>(distances[q * k + i]) == distance);
      }
    }
  }
}

void check_range(const Problem& problem, const Filter& filter, const HammingOptions& options,
                 const Expected& expected) {
  const std::size_t radius = problem.bits / 2 - 1;
  const Lists answer =
      hamming_range_search(problem.items(), problem.asked(), radius, filter, options);
  for (std::size_t q = 0; q < problem.asked().rows; ++q) {
    std::size_t i = 0;
    for (const auto& [distance, id] : expected[q]) {
      if (distance > radius) break;
      const Neighbor got = answer[q].at(i++);
      BITSENSE_CHECK(neighbor_id(got) == id && neighbor_distance(got) == distance);
    }
    BITSENSE_CHECK(answer[q].size() == i);
  }
}

void answers_are_those_of_sorting(const CodeKernels& kernel) {
  const Poll poll;
  for (const std::size_t bits : {5U, 32U, 64U, 100U, 128U}) {
    for (const auto& [rows, asked] :
         {std::pair<std::size_t, std::size_t>{1, 3}, {63, 1}, {700, 9}, {40'000, 2}}) {
      const Problem problem(rows, asked, bits);
      const auto words = bitmap_of(problem.passes);
      const Filter some(words.data(), rows);
      for (const Filter& filter : {Filter(), some}) {
        const Expected expected = problem.ranked(filter.active());
        for (const std::size_t threads : {1U, 4U}) {
          const HammingOptions options{kernel, threads, poll};
          check_search(problem, filter, options, expected);
          check_range(problem, filter, options, expected);
        }
      }
    }
  }
}

void a_poll_that_throws_stops_the_scan() {
  const Problem problem(20'000, 3000, 64);
  const Poll poll = [] { require(false, "stop"); };
  std::vector<std::int64_t> ids(3000);
  std::vector<std::int32_t> distances(3000);
  auto search = [&](std::size_t threads) {
    hamming_search(problem.items(), problem.asked(), 1, {}, {*kernels().codes, threads, poll},
                   ids.data(), distances.data());
  };
  BITSENSE_CHECK(error_of<std::invalid_argument>([&] { search(1); }) == "stop");
  try {
    search(3);  // the others may have done all of it before the calling thread begins
  } catch (const std::invalid_argument& error) {
    BITSENSE_CHECK(std::string(error.what()) == "stop");
  }
}

void reranking_puts_the_best_scores_first() {
  constexpr std::size_t kDim = 37;
  const auto items = random_floats(300 * kDim, 1);
  const auto queries = random_floats(5 * kDim, 2);
  std::vector<std::int64_t> shortlist(5 * 50);
  for (std::size_t i = 0; i < shortlist.size(); ++i)
    shortlist[i] = static_cast<std::int64_t>(i * 7 % 300);
  auto ranked = [&](std::size_t threads) {
    std::vector<std::int64_t> ids(5 * 10);
    std::vector<float> scores(5 * 10);
    rerank_cosine({queries.data(), 5, kDim}, {items.data(), 300, kDim}, {shortlist.data(), 5, 50},
                  10, threads, {}, ids.data(), scores.data());
    return std::pair(ids, scores);
  };
  const auto [ids, scores] = ranked(1);
  BITSENSE_CHECK(ranked(4) == std::pair(ids, scores));
  for (std::size_t q = 0; q < 5; ++q)
    BITSENSE_CHECK(std::is_sorted(scores.rbegin() + static_cast<long>((4 - q) * 10),
                                  scores.rbegin() + static_cast<long>((5 - q) * 10)));
  shortlist[13] = 300;
  error_of<std::out_of_range>([&] { ranked(2); });
  shortlist[13] = -1;
  error_of<std::out_of_range>([&] { ranked(2); });
}

void codes_are_the_signs_of_projections() {
  constexpr std::size_t kDim = 19;
  constexpr std::size_t kBits = 21;
  const auto vectors = random_floats(200 * kDim, 3);
  const auto directions = random_floats(kDim * kBits, 4);
  const std::vector<float> mean(kDim, 0.1F);
  std::vector<float> projected(200 * kBits);
  std::vector<std::uint8_t> codes(200 * code_bytes(kBits));
  const VectorsView rows{vectors.data(), 200, kDim};
  const VectorsView to{directions.data(), kDim, kBits};
  project_rows(rows, mean.data(), to, 3, {}, projected.data());
  project_sign_rows(rows, mean.data(), to, 2, {}, codes.data());
  for (std::size_t i = 0; i < 200; ++i) {
    std::uint8_t expected[code_bytes(kBits)];
    pack_signs(projected.data() + i * kBits, kBits, expected);
    BITSENSE_CHECK(
        std::equal(expected, expected + code_bytes(kBits), codes.data() + i * code_bytes(kBits)));
  }
}

// Row counts around the ends of words and blocks; every third value passes nothing but its own
// test.
void filters_are_those_of_a_plain_loop(const FilterKernels& kernel) {
  const Poll poll;
  for (const std::size_t rows : {0U, 1U, 63U, 64U, 65U, 1000U, 70'001U}) {
    std::vector<std::int64_t> numbers(rows);
    std::vector<double> floats(rows);
    std::vector<std::int32_t> codes(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      numbers[i] = static_cast<std::int64_t>(i * 2654435761U % 1001) - 500;
      floats[i] = i % 3 == 0 ? std::nan("") : static_cast<double>(numbers[i]) / 4;
      codes[i] = static_cast<std::int32_t>(numbers[i]);
    }
    const std::vector<std::uint8_t> table{1, 0, 1, 1, 0, 1};
    const std::vector<std::int64_t> wanted{3, -500, 77, 0, 499, 12};
    for (const std::size_t threads : {1U, 3U}) {
      const FilterRun run{kernel, threads, poll};
      const auto check_bits = [&](auto&& fill, auto&& passes) {
        std::vector<std::uint64_t> words((rows + 63) / 64);
        fill(words.data());
        std::size_t count = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          BITSENSE_CHECK((words[i / 64] >> (i % 64) & 1U) == (passes(i) ? 1U : 0U));
          count += passes(i) ? 1 : 0;
        }
        BITSENSE_CHECK(bitmap_count(words) == count);
        bitmap_not(words, rows);
        BITSENSE_CHECK(bitmap_count(words) == rows - count);
      };
      const std::vector<Interval<std::int64_t>> two{{-500, -400}, {7, INT64_MAX}};
      check_bits([&](auto* words) { add_ranges(numbers, two, run, words); },
                 [&](std::size_t i) { return numbers[i] <= -400 || numbers[i] >= 7; });
      const std::vector<Interval<double>> one{{-3.5, 20}};
      check_bits([&](auto* words) { add_ranges(floats, one, run, words); },
                 [&](std::size_t i) { return floats[i] >= -3.5 && floats[i] <= 20; });
      check_bits([&](auto* words) { add_members(numbers, wanted, run, words); },
                 [&](std::size_t i) {
                   return std::find(wanted.begin(), wanted.end(), numbers[i]) != wanted.end();
                 });
      check_bits(
          [&](auto* words) { add_lookup(codes, table, run, words); },
          [&](std::size_t i) { return codes[i] >= 0 && codes[i] < 6 && table[codes[i]] == 1; });
    }
  }
}

void bm25_is_that_of_one_addition() {
  const std::vector<std::uint32_t> ids{0, 1, 1, 2, 0, 3, 3, 3};
  const std::vector<std::uint64_t> offsets{0, 3, 5, 5, 8};
  const std::vector<std::uint32_t> lengths{3, 2, 0, 4};
  Bm25 whole({1.2, 0.75});
  whole.add({ids, offsets}, lengths);
  Bm25 grown({1.2, 0.75});
  for (std::size_t i = 0; i < 4; ++i) {
    const std::vector<std::uint64_t> ends{0, offsets[i + 1] - offsets[i]};
    const auto terms = std::span(ids).subspan(offsets[i], ends[1]);
    grown.add({terms, ends}, std::span(lengths).subspan(i, 1));
  }
  const std::vector<std::uint32_t> asked{3, 0, 9, 3};
  const std::vector<std::uint64_t> queries{0, 2, 4, 4};
  auto answer = [&](const Bm25& index, std::size_t threads) {
    std::vector<std::int64_t> rows(12);
    std::vector<float> scores(12);
    index.search({asked, queries}, 4, {}, threads, {}, rows.data(), scores.data());
    return std::pair(rows, scores);
  };
  const auto expected = answer(whole, 1);
  BITSENSE_CHECK((expected.first == std::vector<std::int64_t>{3, 1, 0, 2, 3, 0, 1, 2, 0, 1, 2, 3}));
  BITSENSE_CHECK(answer(grown, 1) == expected && answer(grown, 3) == expected);
  const Postings postings = grown.postings();
  BITSENSE_CHECK(postings.rows == whole.postings().rows);
  BITSENSE_CHECK(answer(Bm25({1.2, 0.75}, postings, lengths), 1) == expected);
  Postings wrong = postings;
  wrong.rows[0] = 4;
  error_of<FormatError>([&] { Bm25({1.2, 0.75}, wrong, lengths); });
  wrong = postings;
  wrong.offsets[1] = 99;
  error_of<FormatError>([&] { Bm25({1.2, 0.75}, wrong, lengths); });
}

}  // namespace

void search_tests(Suite& test) {
  for (const Kernels& level : available_kernels())
    test("answers are those of sorting", [&] { answers_are_those_of_sorting(*level.codes); });
  for (const Kernels& level : available_kernels())
    test("filters are those of a plain loop",
         [&] { filters_are_those_of_a_plain_loop(*level.filters); });
  test("BM25 is that of one addition", bm25_is_that_of_one_addition);
  test("a poll that throws stops the scan", a_poll_that_throws_stops_the_scan);
  test("reranking puts the best scores first", reranking_puts_the_best_scores_first);
  test("codes are the signs of projections", codes_are_the_signs_of_projections);
}

}  // namespace bitsense
