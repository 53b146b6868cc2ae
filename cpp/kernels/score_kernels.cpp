#include "kernels/score_kernels.hpp"

#include "kernels/level.hpp"
#if defined(__AVX2__)
#include "kernels/nibbles.hpp"
#endif

namespace bitsense {
namespace {

using std::int8_t;
using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

#if defined(__AVX2__)

__m256d load_doubles(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }

// ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7))
double sum_of_sums(__m256d first, __m256d last) {
  const __m256d pairs = _mm256_hadd_pd(first, last);  // 0 + 1, 4 + 5, 2 + 3, 6 + 7
  const __m128d fours = _mm_add_pd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd(pairs, 1));
  return _mm_cvtsd_f64(_mm_add_sd(fours, _mm_unpackhi_pd(fours, fours)));
}

ExactDots exact_dots(const float* a, const float* b, size_t n) {
  __m256d product[2], square[2];
  for (size_t h = 0; h < 2; ++h) product[h] = square[h] = _mm256_setzero_pd();
  for (size_t x = 0; x < n; x += 8) {
    for (size_t h = 0; h < 2; ++h) {
      const __m256d left = load_doubles(a + x + 4 * h), right = load_doubles(b + x + 4 * h);
      product[h] = _mm256_fmadd_pd(left, right, product[h]);
      square[h] = _mm256_fmadd_pd(right, right, square[h]);
    }
  }
  return {sum_of_sums(product[0], product[1]), sum_of_sums(square[0], square[1])};
}

double exact_squared(const float* a, const float* b, double scale, size_t n) {
  const __m256d factor = _mm256_set1_pd(scale);
  __m256d sum[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  for (size_t x = 0; x < n; x += 8) {
    for (size_t h = 0; h < 2; ++h) {
      const __m256d scaled = _mm256_mul_pd(factor, load_doubles(b + x + 4 * h));
      const __m256d apart = _mm256_sub_pd(load_doubles(a + x + 4 * h), scaled);
      __m256d squared = _mm256_mul_pd(apart, apart);
      asm("" : "+x"(squared));  // an addition must not be fused with it
      sum[h] = _mm256_add_pd(sum[h], squared);
    }
  }
  return sum_of_sums(sum[0], sum[1]);
}

// Eight rows of eight floats, each times its factor, as eight columns `step` apart.
void transpose_eight(const float* const* rows, const float* factor, size_t x, float* columns) {
  __m256 r[8], t[8];
  for (size_t i = 0; i < 8; ++i) {
    r[i] = _mm256_mul_ps(_mm256_loadu_ps(rows[i] + x), _mm256_set1_ps(factor[i]));
  }
  for (size_t i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (size_t i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (size_t i = 0; i < 4; ++i) {
    _mm256_storeu_ps(columns + kPanelColumns * i, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(columns + kPanelColumns * (4 + i),
                     _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

void pack(const float* const* rows, const float* factor, float* panel, size_t n) {
  for (size_t i = 0; i < kPanelRows; i += 8) {
    float* columns = panel + i / kPanelColumns * kPanelColumns * n + i % kPanelColumns;
    for (size_t x = 0; x < n; x += 8)
      transpose_eight(rows + i, factor + i, x, columns + kPanelColumns * x);
  }
}

#if !defined(__AVX512F__)

float largest_lane(__m256 x) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

float sum_of_lanes(__m256 x) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

float largest_size(const float* row, size_t n) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  __m256 most[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for (size_t x = 0; x < n; x += 16) {
    most[0] = _mm256_max_ps(most[0], _mm256_andnot_ps(sign, _mm256_loadu_ps(row + x)));
    most[1] = _mm256_max_ps(most[1], _mm256_andnot_ps(sign, _mm256_loadu_ps(row + x + 8)));
  }
  return largest_lane(_mm256_max_ps(most[0], most[1]));
}

void store_quad(uint8_t* p, int quad) { __builtin_memcpy(p, &quad, sizeof quad); }

// Writes a row's bytes and returns the squared length of what is left, in units of the scale.
float pack_row(const float* row, float times, size_t n, uint8_t* bytes) {
  const __m256 factor = _mm256_set1_ps(times);
  __m256 left[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for (size_t x = 0; x < n; x += 16) {
    __m256i whole[2];
    for (size_t h = 0; h < 2; ++h) {
      const __m256 exact = _mm256_mul_ps(_mm256_loadu_ps(row + x + 8 * h), factor);
      whole[h] = _mm256_cvtps_epi32(exact);
      const __m256 apart = _mm256_sub_ps(exact, _mm256_cvtepi32_ps(whole[h]));
      left[h] = _mm256_fmadd_ps(apart, apart, left[h]);
    }
    const __m256i words = _mm256_packs_epi32(whole[0], whole[1]);
    const __m256i quads = _mm256_add_epi8(_mm256_packs_epi16(words, words),
                                          _mm256_set1_epi8(static_cast<char>(kRowMiddle)));
    uint8_t* out = bytes + kPanelRows * x;
    store_quad(out, _mm256_extract_epi32(quads, 0));
    store_quad(out + kPanelRows * kQuad, _mm256_extract_epi32(quads, 4));
    store_quad(out + 2 * kPanelRows * kQuad, _mm256_extract_epi32(quads, 1));
    store_quad(out + 3 * kPanelRows * kQuad, _mm256_extract_epi32(quads, 5));
  }
  return sum_of_lanes(_mm256_add_ps(left[0], left[1]));
}

void pack_bytes(const float* const* rows, const float* factor, size_t n, ByteRows& panel) {
  for (size_t i = 0; i < kPanelRows; ++i) {
    const float largest = largest_size(rows[i], n);
    const float times = largest > 0.0F ? static_cast<float>(kRowMost) / largest : 0.0F;
    const bool usable = times > 0.0F && times < 0x1p120F;  // else a row so short that it is zero
    const float left = pack_row(rows[i], usable ? times : 0.0F, n, panel.bytes + kQuad * i);
    panel.scale[i] = usable ? factor[i] / times : 0.0F;
    // The products and this sum round by less than what is added here.
    panel.residual[i] =
        usable ? (__builtin_sqrtf(left + static_cast<float>(n) * 1e-9F) * 1.001F) * panel.scale[i]
               : largest * factor[i] * __builtin_sqrtf(static_cast<float>(n)) * 1.001F;
  }
}

#endif

// 16 rows of the panel and some queries.
template <size_t Queries>
void multiply_part(const uint8_t* bytes, const float* scale, const float* bias,
                   const ByteQuery* queries, size_t n, float* scores) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum[Queries][2];
  for (auto& halves : sum) halves[0] = halves[1] = _mm256_setzero_si256();
  for (size_t x = 0; x < n; x += kQuad) {
    const auto* quads = reinterpret_cast<const __m256i*>(bytes + kPanelRows * x);
    const __m256i row[2] = {_mm256_loadu_si256(quads), _mm256_loadu_si256(quads + 1)};
    for (size_t q = 0; q < Queries; ++q) {
      int quad;
      __builtin_memcpy(&quad, queries[q].bytes + x, sizeof quad);
      const __m256i query = _mm256_set1_epi32(quad);
      for (size_t h = 0; h < 2; ++h) {
        const __m256i pairs = _mm256_maddubs_epi16(row[h], query);
        sum[q][h] = _mm256_add_epi32(sum[q][h], _mm256_madd_epi16(pairs, ones));
      }
    }
  }
  for (size_t q = 0; q < Queries; ++q) {
    const __m256i middle = _mm256_set1_epi32(kRowMiddle * queries[q].sum);
    const __m256 times = _mm256_set1_ps(queries[q].scale);
    for (size_t h = 0; h < 2; ++h) {
      const __m256 product = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum[q][h], middle));
      const __m256 both = _mm256_mul_ps(_mm256_loadu_ps(scale + 8 * h), times);
      const __m256 score = _mm256_fmadd_ps(product, both, _mm256_loadu_ps(bias + 8 * h));
      _mm256_storeu_ps(scores + kPanelRows * q + 8 * h, score);
    }
  }
}

void multiply_bytes(const uint8_t* bytes, const float* scale, const float* bias,
                    const ByteQuery* queries, size_t count, size_t n, float* scores) {
  for (size_t i = 0; i < kPanelRows; i += 16) {
    const uint8_t* part = bytes + kQuad * i;
    size_t q = 0;
    for (; q + 4 <= count; q += 4) {
      multiply_part<4>(part, scale + i, bias + i, queries + q, n, scores + kPanelRows * q + i);
    }
    for (; q < count; ++q) {
      multiply_part<1>(part, scale + i, bias + i, queries + q, n, scores + kPanelRows * q + i);
    }
  }
}

uint64_t mask_from(const float* scores, float bound) {
  const __m256 least = _mm256_set1_ps(bound);
  uint64_t mask = 0;
  for (size_t i = 0; i < kPanelRows; i += 8) {
    const __m256 from = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), least, _CMP_GE_OQ);
    mask |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_ps(from))) << i;
  }
  return mask;
}

uint64_t mask_open(const float* scores, const float* lengths, const float* weights, float bound) {
  const __m256 least = _mm256_set1_ps(bound);
  const __m256 weight[3] = {_mm256_set1_ps(weights[0]), _mm256_set1_ps(weights[1]),
                            _mm256_set1_ps(weights[2])};
  uint64_t mask = 0;
  for (size_t i = 0; i < kPanelRows; i += 8) {
    __m256 most = _mm256_loadu_ps(scores + i);
    for (size_t w = 0; w < 3; ++w) {
      most = _mm256_fmadd_ps(weight[w], _mm256_loadu_ps(lengths + kPanelRows * w + i), most);
    }
    const __m256 from = _mm256_cmp_ps(most, least, _CMP_GE_OQ);
    mask |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_ps(from))) << i;
  }
  return mask;
}

void widen_halves(const uint16_t* halves, float* floats, size_t n) {
  for (size_t i = 0; i < n; i += 8) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i));
    _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(x));
  }
}

static_assert(kNibbleTables == kByteTables && kPanelRows == kPlaneBytes);

template <size_t Queries>
void scan_some(const uint8_t* planes, const uint8_t* tables, size_t bytes, const uint8_t* bounds,
               uint8_t* hit) {
  __m256i sum[Queries][2];
  for (auto& halves : sum) halves[0] = halves[1] = _mm256_setzero_si256();
  add_planes(planes, tables, kNibbleTables * bytes, 0, bytes, sum);
  for (size_t q = 0; q < Queries; ++q) hit[q] = any_sum_within(sum[q], bounds[q]);
}

void scan_costs(const uint8_t* planes, const uint8_t* tables, size_t queries, size_t bytes,
                const uint8_t* bounds, uint8_t* hit) {
  const size_t step = kNibbleTables * bytes;
  size_t q = 0;
  for (; q + 4 <= queries; q += 4)
    scan_some<4>(planes, tables + q * step, bytes, bounds + q, hit + q);
  for (; q < queries; ++q) scan_some<1>(planes, tables + q * step, bytes, bounds + q, hit + q);
}

uint64_t costs(const uint8_t* planes, const uint8_t* tables, size_t bytes, uint8_t bound,
               uint8_t* result) {
  __m256i sum[1][2] = {{_mm256_setzero_si256(), _mm256_setzero_si256()}};
  add_planes(planes, tables, 0, 0, bytes, sum);
  const __m256i most = _mm256_set1_epi8(static_cast<char>(bound));
  uint64_t mask = 0;
  for (size_t h = 0; h < 2; ++h) {
    const __m256i x = sum[0][h];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(result + 32 * h), x);
    const __m256i within = _mm256_cmpeq_epi8(_mm256_min_epu8(x, most), x);
    mask |= static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(within))) << 32 * h;
  }
  return mask;
}

#else

double sum_of_sums(const double* sum) {
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

ExactDots exact_dots(const float* a, const float* b, size_t n) {
  double product[8] = {}, square[8] = {};
  for (size_t x = 0; x < n; x += 8) {
    for (size_t i = 0; i < 8; ++i) {
      product[i] += static_cast<double>(a[x + i]) * b[x + i];
      square[i] += static_cast<double>(b[x + i]) * b[x + i];
    }
  }
  return {sum_of_sums(product), sum_of_sums(square)};
}

double exact_squared(const float* a, const float* b, double scale, size_t n) {
  double sum[8] = {};
  for (size_t x = 0; x < n; x += 8) {
    for (size_t i = 0; i < 8; ++i) {
      const double apart = a[x + i] - scale * b[x + i];
      double squared = apart * apart;
#if defined(__ARM_FEATURE_FMA)
      asm("" : "+w"(squared));  // as above
#endif
      sum[i] += squared;
    }
  }
  return sum_of_sums(sum);
}

void pack(const float* const* rows, const float* factor, float* panel, size_t n) {
  for (size_t i = 0; i < kPanelRows; ++i) {
    float* column = panel + i / kPanelColumns * kPanelColumns * n + i % kPanelColumns;
    for (size_t x = 0; x < n; ++x) column[kPanelColumns * x] = rows[i][x] * factor[i];
  }
}

uint64_t mask_from(const float* scores, float bound) {
  uint64_t mask = 0;
  for (size_t i = 0; i < kPanelRows; ++i) mask |= static_cast<uint64_t>(scores[i] >= bound) << i;
  return mask;
}

uint64_t mask_open(const float* scores, const float* lengths, const float* weights, float bound) {
  uint64_t mask = 0;
  for (size_t i = 0; i < kPanelRows; ++i) {
    const float* length = lengths + i;
    const float most = scores[i] + weights[0] * length[0] + weights[1] * length[kPanelRows] +
                       weights[2] * length[2 * kPanelRows];
    mask |= static_cast<uint64_t>(most >= bound) << i;
  }
  return mask;
}

// The value of a half is that of its exponent and mantissa moved to a float's places, times 2^112;
// subnormal halves are right too, because the product is exact.
void widen_halves(const uint16_t* halves, float* floats, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t sign = static_cast<uint32_t>(halves[i] & 0x8000U) << 16;
    const uint32_t moved = static_cast<uint32_t>(halves[i] & 0x7fffU) << 13;
    float value;
    __builtin_memcpy(&value, &moved, sizeof value);
    value *= 0x1p112F;
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    bits |= sign;
    __builtin_memcpy(floats + i, &bits, sizeof bits);
  }
}

uint64_t costs(const uint8_t* planes, const uint8_t* tables, size_t bytes, uint8_t bound,
               uint8_t* result) {
  for (size_t i = 0; i < kPanelRows; ++i) result[i] = 0;
  for (size_t b = 0; b < bytes; ++b) {
    const uint8_t* table = tables + kNibbleTables * b;
    for (size_t i = 0; i < kPanelRows; ++i) {
      const uint8_t code = planes[kPanelRows * b + i];
      const unsigned sum = result[i] + (table[code & 15U] + table[16 + (code >> 4)]);
      result[i] = static_cast<uint8_t>(sum < 255 ? sum : 255);
    }
  }
  uint64_t mask = 0;
  for (size_t i = 0; i < kPanelRows; ++i) mask |= static_cast<uint64_t>(result[i] <= bound) << i;
  return mask;
}

void scan_costs(const uint8_t* planes, const uint8_t* tables, size_t queries, size_t bytes,
                const uint8_t* bounds, uint8_t* hit) {
  for (size_t q = 0; q < queries; ++q) {
    uint8_t result[kPanelRows];
    hit[q] = costs(planes, tables + kNibbleTables * bytes * q, bytes, bounds[q], result) != 0;
  }
}

void multiply_bytes(const uint8_t* bytes, const float* scale, const float* bias,
                    const ByteQuery* queries, size_t count, size_t n, float* scores) {
  for (size_t q = 0; q < count; ++q) {
    int32_t sum[kPanelRows] = {};
    for (size_t x = 0; x < n; x += kQuad) {
      const uint8_t* quads = bytes + kPanelRows * x;
      const int8_t* query = queries[q].bytes + x;
      for (size_t i = 0; i < kPanelRows; ++i) {
        for (size_t j = 0; j < kQuad; ++j) sum[i] += quads[kQuad * i + j] * query[j];
      }
    }
    for (size_t i = 0; i < kPanelRows; ++i) {
      const auto product = static_cast<float>(sum[i] - kRowMiddle * queries[q].sum);
      scores[kPanelRows * q + i] = bias[i] + product * (scale[i] * queries[q].scale);
    }
  }
}

#endif

void widen_bytes(const int8_t* bytes, float* floats, size_t n) {
  for (size_t i = 0; i < n; ++i) floats[i] = static_cast<float>(bytes[i]);
}

}  // namespace

// With 16 floats to a register the product of floats is as fast as that of bytes.
#if !defined(__AVX2__) || defined(__AVX512F__)
constexpr auto pack_bytes = nullptr;
#endif

extern const ScoreKernels BITSENSE_TABLE(score_kernels_);
const ScoreKernels BITSENSE_TABLE(score_kernels_) = {
    exact_dots,     exact_squared, pack,        mask_from,  mask_open, pack_bytes,
    multiply_bytes, widen_halves,  widen_bytes, scan_costs, costs,
};

}  // namespace bitsense
