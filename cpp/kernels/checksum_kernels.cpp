// The loop of checksum_kernels.hpp; compiled once per level. Folding by products without carries:
// Gopal et al., "Fast CRC computation for generic polynomials using PCLMULQDQ instruction" (Intel,
// 2009). Four sums are under way at a time, 64 bytes apart, for a product takes several cycles.
#include "kernels/checksum_kernels.hpp"

#include "kernels/level.hpp"

namespace bitsense {
namespace {

using std::size_t;
using std::uint64_t;
using std::uint8_t;

#if defined(__PCLMUL__)
__m128i load(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

__m128i pair(const ChecksumShift& shift) {
  return _mm_set_epi64x(static_cast<long long>(shift.second), static_cast<long long>(shift.first));
}

__m128i moved(__m128i sum, __m128i shift) {
  return _mm_xor_si128(_mm_clmulepi64_si128(sum, shift, 0x00),
                       _mm_clmulepi64_si128(sum, shift, 0x11));
}

size_t fold(const uint8_t* bytes, size_t size, uint64_t before, const ChecksumShift& one,
            const ChecksumShift& four, uint64_t* words) {
  if (size < 128) return 0;
  const __m128i by_one = pair(one);
  const __m128i by_four = pair(four);
  __m128i sums[4];
  for (int i = 0; i < 4; ++i) sums[i] = load(bytes + 16 * i);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi64_si128(static_cast<long long>(before)));
  size_t done = 64;
  for (; size - done >= 64; done += 64) {
    for (int i = 0; i < 4; ++i) {
      sums[i] = _mm_xor_si128(moved(sums[i], by_four), load(bytes + done + 16 * i));
    }
  }
  __m128i sum = sums[0];
  for (int i = 1; i < 4; ++i) sum = _mm_xor_si128(moved(sum, by_one), sums[i]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), sum);
  return done;
}
#else
size_t fold(const uint8_t*, size_t, uint64_t, const ChecksumShift&, const ChecksumShift&,
            uint64_t*) {
  return 0;
}
#endif

}  // namespace

extern const ChecksumKernels BITSENSE_TABLE(checksum_kernels_);
const ChecksumKernels BITSENSE_TABLE(checksum_kernels_) = {fold};

}  // namespace bitsense
