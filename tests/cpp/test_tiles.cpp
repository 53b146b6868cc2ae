// Tiles of codes at every level against plain loops.
#include <algorithm>
#include <bit>
#include <vector>

#include "check.hpp"
#include "kernels/code_kernels.hpp"
#include "kernels/dispatch.hpp"

namespace bitsense {

namespace {

std::uint32_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
  int bits = 0;
  for (std::size_t i = 0; i < bytes; ++i) bits += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
  return static_cast<std::uint32_t>(bits);
}

// One byte before the codes, so that nothing is aligned.
void tiles_have_the_distances_of_their_codes(const CodeKernels& kernel) {
  for (const std::size_t bytes : {1U, 2U, 7U, 8U, 16U, 24U, 32U, 33U, 64U, 72U, 100U}) {
    const auto codes = random_bytes(kTileCodes * bytes + 1, bytes);
    const auto query = random_bytes(bytes + 1, 99);
    std::vector<std::uint8_t> tile(kernel.tile_bytes(bytes));
    std::vector<std::uint8_t> prepared(kernel.query_bytes(bytes));
    kernel.prepare_queries(query.data() + 1, 1, bytes, prepared.data());
    for (const std::size_t rows : {1U, 63U, 64U}) {
      kernel.lay_tile(codes.data() + 1, rows, bytes, tile.data());
      std::uint16_t got[kTileCodes];
      kernel.tile_distances(tile.data(), prepared.data(), bytes, got);
      std::vector<std::uint16_t> by_rows(rows);
      kernel.row_distances(query.data() + 1, codes.data() + 1, rows, bytes, by_rows.data());
      std::uint32_t nearest = UINT32_MAX;
      for (std::size_t i = 0; i < rows; ++i) {
        const std::uint32_t expected =
            distance(query.data() + 1, codes.data() + 1 + i * bytes, bytes);
        BITSENSE_CHECK(got[i] == expected && by_rows[i] == expected);
        nearest = std::min(nearest, expected);
      }
      std::uint8_t hit = 0;
      const auto bound = static_cast<std::uint16_t>(nearest);
      kernel.scan_tile(tile.data(), prepared.data(), 1, bytes, &bound, &hit);
      BITSENSE_CHECK(hit == 1);
      const std::uint64_t mask = kernel.mask_within(got, bound);
      for (std::size_t i = 0; i < kTileCodes; ++i)
        BITSENSE_CHECK((mask >> i & 1) == (got[i] <= bound ? 1U : 0U));
    }
  }
}

// Bounds at and below the nearest code, in any place of a group of queries. Below it by a quarter
// no level takes it for near (code_kernels.hpp).
void scans_find_what_is_within_the_bounds(const CodeKernels& kernel) {
  constexpr std::size_t kQueries = 21;  // two groups of eight, one of four and one alone
  for (const std::size_t bytes : {1U, 3U, 4U, 7U, 8U, 16U, 24U, 31U, 32U, 40U, 48U}) {
    const auto codes = random_bytes(kTileCodes * bytes, bytes);
    const auto queries = random_bytes(kQueries * bytes, 3);
    std::vector<std::uint8_t> tile(kernel.tile_bytes(bytes));
    std::vector<std::uint8_t> prepared(kernel.query_bytes(bytes) * kQueries);
    kernel.lay_tile(codes.data(), kTileCodes, bytes, tile.data());
    kernel.prepare_queries(queries.data(), kQueries, bytes, prepared.data());
    std::vector<std::uint32_t> nearest(kQueries, UINT32_MAX);
    for (std::size_t q = 0; q < kQueries; ++q) {
      const std::uint8_t* query = queries.data() + q * bytes;
      for (std::size_t i = 0; i < kTileCodes; ++i) {
        nearest[q] = std::min(nearest[q], distance(query, codes.data() + i * bytes, bytes));
      }
    }
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::uint16_t bounds[kQueries];
      std::uint8_t hit[kQueries];
      const auto is_hit = [&](std::size_t q) { return (q + shift) % 4 < 2; };
      for (std::size_t q = 0; q < kQueries; ++q) {
        const std::uint32_t below = nearest[q] == 0 || q % 2 == 0 ? 0 : (3 * nearest[q] - 1) / 4;
        bounds[q] = static_cast<std::uint16_t>(is_hit(q) ? nearest[q] : below);
      }
      for (const std::size_t count : {kQueries, kQueries - 2, kQueries - 7}) {
        kernel.scan_tile(tile.data(), prepared.data(), count, bytes, bounds, hit);
        for (std::size_t q = 0; q < count; ++q) {
          BITSENSE_CHECK(hit[q] == (bounds[q] >= nearest[q] ? 1 : 0));
        }
      }
    }
  }
}

// Does a scan for all the queries take the tile to be within `bound` of query q? The others want
// equal codes only.
bool is_near(const CodeKernels& kernel, const std::vector<std::uint8_t>& codes,
             const std::vector<std::uint8_t>& queries, std::size_t bytes, std::size_t q,
             std::uint32_t bound) {
  const std::size_t count = queries.size() / bytes;
  std::vector<std::uint8_t> tile(kernel.tile_bytes(bytes)), hit(count);
  std::vector<std::uint8_t> prepared(kernel.query_bytes(bytes) * count);
  std::vector<std::uint16_t> bounds(count);
  bounds[q] = static_cast<std::uint16_t>(bound);
  kernel.lay_tile(codes.data(), kTileCodes, bytes, tile.data());
  kernel.prepare_queries(queries.data(), count, bytes, prepared.data());
  kernel.scan_tile(tile.data(), prepared.data(), count, bytes, bounds.data(), hit.data());
  return hit[q] != 0;
}

// Codes that differ in all or nearly all bits of every nibble: where tables that stop at counts of
// three miss the most, and sums of bytes are the largest.
void scans_take_far_codes_for_far(const CodeKernels& kernel) {
  constexpr std::size_t kQueries = 14;  // groups of eight, four and two
  for (const std::size_t bytes : {4U, 8U, 15U, 16U, 31U, 32U}) {
    const auto queries = random_bytes(kQueries * bytes, bytes);
    for (const unsigned differing : {0xffU, 0xfeU, 0x7fU, 0x77U}) {
      for (std::size_t q = 0; q < kQueries; ++q) {
        const std::uint8_t* query = queries.data() + q * bytes;
        std::vector<std::uint8_t> codes(kTileCodes * bytes);
        for (std::size_t i = 0; i < codes.size(); ++i) {
          codes[i] = static_cast<std::uint8_t>(query[i % bytes] ^ differing);
        }
        const std::uint32_t apart = distance(query, codes.data(), bytes);
        BITSENSE_CHECK(is_near(kernel, codes, queries, bytes, q, apart));
        BITSENSE_CHECK(!is_near(kernel, codes, queries, bytes, q, 3 * apart / 4 - 1));
      }
    }
  }
}

// A whole tile of codes that differ in the first bits, however many: no sum of theirs, stopped or
// wrapped, makes a scan pass over them.
void scans_find_codes_at_any_distance(const CodeKernels& kernel) {
  constexpr std::size_t kQueries = 15;  // groups of eight, four, two and one
  for (const std::size_t bytes : {32U, 36U, 40U, 41U}) {
    const auto queries = random_bytes(kQueries * bytes, bytes);
    for (const std::size_t q : {std::size_t{0}, std::size_t{9}, std::size_t{13}, kQueries - 1}) {
      std::vector<std::uint8_t> code(
          queries.begin() + static_cast<std::ptrdiff_t>(q * bytes),
          queries.begin() + static_cast<std::ptrdiff_t>((q + 1) * bytes));
      for (std::size_t apart = 1; apart <= 8 * bytes; ++apart) {
        code[(apart - 1) / 8] ^= static_cast<std::uint8_t>(1U << ((apart - 1) % 8));
        std::vector<std::uint8_t> codes;
        for (std::size_t i = 0; i < kTileCodes; ++i)
          codes.insert(codes.end(), code.begin(), code.end());
        BITSENSE_CHECK(
            is_near(kernel, codes, queries, bytes, q, static_cast<std::uint32_t>(apart)));
      }
    }
  }
}

// Every level lays codes alike, and a code that differs in every bit is not taken for an equal one.
void tiles_lie_in_planes_of_bytes(const CodeKernels& kernel) {
  for (const std::size_t bytes : {1U, 5U, 8U, 12U, 16U, 32U, 33U, 100U}) {
    const auto codes = random_bytes(kTileCodes * bytes, bytes);
    std::vector<std::uint8_t> planes(kTileCodes * bytes),
        query(codes.begin(), codes.begin() + static_cast<long>(bytes));
    for (std::size_t i = 0; i < kTileCodes; ++i) {
      for (std::size_t b = 0; b < bytes; ++b) planes[b * kTileCodes + i] = codes[i * bytes + b];
    }
    for (std::uint8_t& byte : query) byte = static_cast<std::uint8_t>(~byte);
    std::vector<std::uint8_t> scratch(kernel.tile_bytes(bytes)),
        prepared(kernel.query_bytes(bytes));
    kernel.prepare_queries(query.data(), 1, bytes, prepared.data());
    kernel.lay_tile(codes.data(), kTileCodes, bytes, scratch.data());
    BITSENSE_CHECK(std::equal(planes.begin(), planes.end(), scratch.begin()));
    std::uint16_t got[kTileCodes];
    kernel.tile_distances(planes.data(), prepared.data(), bytes, got);
    BITSENSE_CHECK(got[0] == 8 * bytes);
    for (std::size_t i = 0; i < kTileCodes; ++i) {
      BITSENSE_CHECK(got[i] == distance(query.data(), codes.data() + i * bytes, bytes));
    }
  }
}

}  // namespace

void tile_tests(Suite& test) {
  for (const Kernels& level : available_kernels()) {
    std::printf("level %s\n", level.level);
    const CodeKernels& codes = *level.codes;
    test("distances", [&] { tiles_have_the_distances_of_their_codes(codes); });
    test("bounds", [&] { scans_find_what_is_within_the_bounds(codes); });
    test("far codes", [&] { scans_take_far_codes_for_far(codes); });
    test("any distance", [&] { scans_find_codes_at_any_distance(codes); });
    test("planes", [&] { tiles_lie_in_planes_of_bytes(codes); });
  }
}

}  // namespace bitsense
