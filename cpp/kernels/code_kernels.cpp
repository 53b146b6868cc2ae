// The loops of code_kernels.hpp; compiled once per level. What depends on the machine is how the
// bits of planes are counted:
//
//   planes_counts.inc  VPOPCNTB                                   (avx512)
//   planes_nibbles.inc counts of nibbles by VPSHUFB               (avx2)
//   planes_bytes.inc   plain C++ that compilers vectorise         (baseline, NEON)
//
// Intrinsics stand where they pay: with planes_bytes.inc in place of the others, batches of eight
// queries take 5 to 10 times as long at avx512 and 3 to 4 times at avx2, one query from memory 1.1
// to 1.6 times (benchmarks/README.md).
#include "kernels/code_kernels.hpp"

#include "kernels/level.hpp"
#include "kernels/words.hpp"

namespace bitsense {
extern const CodeKernels BITSENSE_TABLE(code_kernels_);

namespace {

using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

constexpr size_t kAhead =
    2048;  // bytes to ask for before they are needed; it is no fault to pass the end

template <size_t Words>
uint32_t word_distance(const uint8_t* a, const uint8_t* b, size_t words) {
  uint32_t sum = 0;
  if constexpr (Words != 0) words = Words;
  for (size_t w = 0; w < words; ++w) sum += count_word(load_word(a + 8 * w) ^ load_word(b + 8 * w));
  return sum;
}

template <size_t Words>
void word_distances(const uint8_t* query, const uint8_t* codes, size_t rows, size_t words,
                    uint16_t* distances) {
  if constexpr (Words != 0) words = Words;
  for (size_t i = 0; i < rows; ++i) {
    distances[i] = static_cast<uint16_t>(word_distance<Words>(query, codes + i * 8 * words, words));
  }
}

void tail_distances(const uint8_t* query, const uint8_t* codes, size_t rows, size_t bytes,
                    uint16_t* distances) {
  const size_t words = bytes / 8, rest = bytes % 8;
  const uint64_t query_tail = load_tail(query + 8 * words, rest);
  for (size_t i = 0; i < rows; ++i) {
    const uint8_t* code = codes + i * bytes;
    const uint64_t tail = load_tail(code + 8 * words, rest) ^ query_tail;
    distances[i] = static_cast<uint16_t>(word_distance<0>(query, code, words) + count_word(tail));
  }
}

void row_distances(const uint8_t* query, const uint8_t* codes, size_t rows, size_t bytes,
                   uint16_t* distances) {
  switch (bytes) {
    case 8:
      return word_distances<1>(query, codes, rows, 1, distances);
    case 16:
      return word_distances<2>(query, codes, rows, 2, distances);
    case 32:
      return word_distances<4>(query, codes, rows, 4, distances);
    default:
      break;
  }
  if (bytes % 8 != 0) return tail_distances(query, codes, rows, bytes, distances);
  word_distances<0>(query, codes, rows, bytes / 8, distances);
}

uint64_t read(const uint8_t* data, size_t words) {
  uint64_t sum[32] = {};  // enough lanes for four wide registers
  size_t i = 0;
  for (; i + 32 <= words; i += 32) {
    for (size_t line = 0; line < 256; line += 64) {
      __builtin_prefetch(data + 8 * i + kAhead + line);
    }
    for (size_t lane = 0; lane < 32; ++lane) sum[lane] ^= load_word(data + 8 * (i + lane));
  }
  for (; i < words; ++i) sum[0] ^= load_word(data + 8 * i);
  for (size_t lane = 1; lane < 32; ++lane) sum[0] ^= sum[lane];
  return sum[0];
}

}  // namespace
}  // namespace bitsense

#if defined(__AVX512BITALG__)
#include "kernels/planes_counts.inc"
#elif defined(__AVX2__)
#include "kernels/planes_nibbles.inc"
#else
#include "kernels/planes_bytes.inc"
#endif

namespace bitsense {
namespace {

size_t rows_below(size_t bytes) {
  if (bytes % 8 != 0) return 0;
  switch (bytes) {
    case 8:
      return kRowsBelow[0];
    case 16:
      return kRowsBelow[1];
    case 32:
      return kRowsBelow[2];
    case 64:
    case 128:
      return kRowsBelow[3];
    default:
      return kRowsBelow[4];
  }
}

size_t scan_rows(const uint8_t* query, const uint8_t* codes, size_t tiles, size_t words,
                 uint32_t bound) {
  switch (words) {
    case 1:
      return scan_words<1>(query, codes, tiles, words, bound);
    case 2:
      return scan_words<2>(query, codes, tiles, words, bound);
    case 4:
      return scan_words<4>(query, codes, tiles, words, bound);
    case 8:
      return scan_words<8>(query, codes, tiles, words, bound);
    case 16:
      return scan_words<16>(query, codes, tiles, words, bound);
    default:
      return scan_words<0>(query, codes, tiles, words, bound);
  }
}

}  // namespace

const CodeKernels BITSENSE_TABLE(code_kernels_) = {
    tile_bytes, query_bytes, lay_tile,      prepare_queries, scan_tile, tile_distances,
    rows_below, scan_rows,   row_distances, mask_within,     read};

}  // namespace bitsense
