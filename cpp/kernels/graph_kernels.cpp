// The loops of graph_kernels.hpp; compiled once per level. Intrinsics stand where they pay: without
// them compilers widen every byte of a product on its own.
#include "kernels/graph_kernels.hpp"

#include "kernels/level.hpp"
#include "kernels/words.hpp"

namespace bitsense {
extern const GraphKernels BITSENSE_TABLE(graph_kernels_);

namespace {

using std::int32_t;
using std::int8_t;
using std::size_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

constexpr size_t kAhead = 4;         // rows of the list asked for before they are needed
constexpr size_t kAheadBytes = 256;  // of each; the processor goes on by itself
constexpr size_t kCacheLine = 64;

void ask_for(const void* row, size_t bytes) {
  const char* p = static_cast<const char*>(row);
  const size_t asked = bytes < kAheadBytes ? bytes : kAheadBytes;
  for (size_t i = 0; i < asked; i += kCacheLine) __builtin_prefetch(p + i);
}

// Words is the number of 64-bit words of a code, or 0 where only `bytes` knows it.
template <size_t Words>
void distances_of(const uint8_t* query, const uint8_t* codes, size_t bytes, const uint32_t* rows,
                  size_t count, uint32_t* distances) {
  if constexpr (Words != 0) bytes = 8 * Words;
  const size_t words = bytes / 8, rest = bytes % 8;
  const uint64_t query_tail = load_tail(query + 8 * words, rest);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) ask_for(codes + rows[i + kAhead] * bytes, bytes);
    const uint8_t* code = codes + rows[i] * bytes;
    uint32_t sum = 0;
    for (size_t w = 0; w < words; ++w) {
      sum += count_word(load_word(query + 8 * w) ^ load_word(code + 8 * w));
    }
    if (rest != 0) sum += count_word(query_tail ^ load_tail(code + 8 * words, rest));
    distances[i] = sum;
  }
}

void code_distances(const uint8_t* query, const uint8_t* codes, size_t bytes, const uint32_t* rows,
                    size_t count, uint32_t* distances) {
  switch (bytes) {
    case 8:
      return distances_of<1>(query, codes, bytes, rows, count, distances);
    case 16:
      return distances_of<2>(query, codes, bytes, rows, count, distances);
    case 32:
      return distances_of<4>(query, codes, bytes, rows, count, distances);
    case 64:
      return distances_of<8>(query, codes, bytes, rows, count, distances);
    case 128:
      return distances_of<16>(query, codes, bytes, rows, count, distances);
    default:
      return distances_of<0>(query, codes, bytes, rows, count, distances);
  }
}

#if defined(__AVX2__)
typedef __m256i Bytes;

Bytes load_bytes(const int8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// Eight sums of four products each. The sign of x goes to q, so that the first factor has none; two
// products of at most 128 * 127 are below 2^15 and nothing saturates.
Bytes four_products(Bytes q, Bytes x) {
  const Bytes pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(q, x));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

void four_dots(const int8_t* query, const int8_t* const (&row)[4], size_t stride, int32_t* dots) {
  Bytes sum[4] = {};
  for (size_t j = 0; j < stride; j += 32) {
    const Bytes q = load_bytes(query + j);
    for (int r = 0; r < 4; ++r) {
      sum[r] = _mm256_add_epi32(sum[r], four_products(q, load_bytes(row[r] + j)));
    }
  }
  const Bytes sums =
      _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(dots),
                   _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}
#else
void four_dots(const int8_t* query, const int8_t* const (&row)[4], size_t stride, int32_t* dots) {
  for (int r = 0; r < 4; ++r) {
    int32_t sum = 0;
    for (size_t j = 0; j < stride; ++j) sum += query[j] * row[r][j];
    dots[r] = sum;
  }
}
#endif

void byte_dots(const int8_t* query, const int8_t* items, size_t stride, const uint32_t* rows,
               size_t count, int32_t* dots) {
  for (size_t i = 0; i < count; i += 4) {
    for (size_t ahead = i + kAhead; ahead < i + kAhead + 4 && ahead < count; ++ahead) {
      ask_for(items + rows[ahead] * stride, stride);
    }
    const size_t left = count - i < 4 ? count - i : 4;
    const int8_t* row[4];
    for (size_t r = 0; r < 4; ++r) row[r] = items + rows[i + (r < left ? r : 0)] * stride;
    int32_t four[4];
    four_dots(query, row, stride, four);
    for (size_t r = 0; r < left; ++r) dots[i + r] = four[r];
  }
}

}  // namespace

const GraphKernels BITSENSE_TABLE(graph_kernels_) = {code_distances, byte_dots};

}  // namespace bitsense
