// The loops of score_kernels.hpp; compiled once per level, with AVX2 or without.
#include "kernels/score_kernels.hpp"

#include "kernels/level.hpp"

namespace bitsense {
namespace {

using std::int8_t;
using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

}  // namespace
}  // namespace bitsense

#if defined(__AVX2__)
#include "kernels/scores_avx2.inc"
#else
#include "kernels/scores_portable.inc"
#endif

namespace bitsense {
namespace {

void widen_bytes(const int8_t* bytes, float* floats, size_t n) {
  for (size_t i = 0; i < n; ++i) floats[i] = static_cast<float>(bytes[i]);
}

}  // namespace

#if !defined(__AVX2__)
constexpr auto pack_bytes = nullptr;
#endif

extern const ScoreKernels BITSENSE_TABLE(score_kernels_);
const ScoreKernels BITSENSE_TABLE(score_kernels_) = {
    exact_dots,     exact_squared, pack,        mask_from,  mask_open, pack_bytes,
    multiply_bytes, widen_halves,  widen_bytes, scan_costs, costs,
};

}  // namespace bitsense
