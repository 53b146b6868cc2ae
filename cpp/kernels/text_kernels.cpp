// The loop of text_kernels.hpp; compiled once per level. Sixty-four bytes at a time become a mask
// of the bytes that belong to words; the bits that differ from the bit before are where runs begin
// and end. The mask is made by multiplications, at all levels and machines alike: the instruction
// that x86-64 has for it makes this loop 1.15 times as fast, and all of reading text 1.03 times.
#include "kernels/text_kernels.hpp"

#include "kernels/level.hpp"

namespace bitsense {
namespace {

using std::size_t;
using std::uint16_t;
using std::uint64_t;
using std::uint8_t;

#if defined(__AVX2__)
constexpr int kVector = 32;
#else
constexpr int kVector = 16;
#endif
constexpr size_t kGroup = 64;  // bytes of a mask
constexpr int kVectors = 64 / kVector;

typedef uint8_t Bytes __attribute__((vector_size(kVector), aligned(1)));
typedef uint64_t Words __attribute__((vector_size(kVector)));

Bytes repeated(int byte) { return static_cast<uint8_t>(byte) - Bytes{}; }

// Bit i of the result is the highest bit of byte i. No two bits of a product meet.
uint64_t highest_bits(Bytes x) {
  const Words words = (Words)x;
  uint64_t bits = 0;
  for (int i = 0; i < kVector / 8; ++i) {
    const uint64_t highest = words[i] & 0x8080808080808080ULL;
    bits |= (highest * 0x0002040810204081ULL >> 56) << (8 * i);
  }
  return bits;
}

struct Classes {
  Bytes digits;  // how many of the characters from '0' on belong to words
  Bytes lower;   // the bit that a capital letter gets
};

// The mask of sixty-four bytes, which go to `folded`.
inline uint64_t classify(const char* text, const Classes& classes, char* folded) {
  uint64_t mask = 0;
  for (int i = 0; i < kVectors; ++i) {
    const Bytes x = *reinterpret_cast<const Bytes*>(text + i * kVector);
    const Bytes upper = (Bytes)(x - repeated('A') < repeated(26));
    const Bytes letter = (Bytes)((x | repeated(0x20)) - repeated('a') < repeated(26));
    const Bytes digit = (Bytes)(x - repeated('0') < classes.digits);
    *reinterpret_cast<Bytes*>(folded + i * kVector) = x | (upper & classes.lower);
    mask |= highest_bits(x | letter | digit) << (i * kVector);
  }
  return mask;
}

// Without the instruction GCC would call a function of libgcc.
int count_bits(uint64_t x) {
#if defined(__POPCNT__) || defined(__ARM_NEON)
  return __builtin_popcountll(x);
#else
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return static_cast<int>(x * 0x0101010101010101ULL >> 56);
#endif
}

// Writes the places of the set bits, each plus `first`. More is written than there are, eight at a
// time: a loop that stops at the right place is mispredicted once a group.
inline uint16_t* write_places(uint64_t bits, size_t first, uint16_t* out) {
  const int count = count_bits(bits);
  for (int done = 0; done < count; done += 8) {
    for (int i = 0; i < 8; ++i) {
      // Without bits left the place is anything; the instruction itself has no undefined case.
      out[done + i] =
          static_cast<uint16_t>(first + static_cast<size_t>(__builtin_ctzll(bits | 1ULL << 63)));
      bits &= bits - 1;
    }
  }
  return out + count;
}

size_t find_runs(const char* text, size_t size, size_t readable, bool lower, bool digits,
                 char* folded, uint16_t* edges) {
  const Classes classes{repeated(digits ? 10 : 0), repeated(lower ? 0x20 : 0)};
  uint16_t* out = edges;
  uint64_t before = 0;  // 1: the byte before belongs to a word
  for (size_t i = 0; i < size; i += kGroup) {
    const size_t left = size - i;
    uint64_t mask;
    if (readable - i >= kGroup) {
      mask = classify(text + i, classes, folded + i);
    } else {
      char last[kGroup] = {};
      __builtin_memcpy(last, text + i, left);
      mask = classify(last, classes, folded + i);
    }
    if (left < kGroup) mask &= (1ULL << left) - 1;
    out = write_places(mask ^ (mask << 1 | before), i, out);
    before = mask >> 63;
  }
  if (before != 0) *out++ = static_cast<uint16_t>(size);
  return static_cast<size_t>(out - edges) / 2;
}

}  // namespace

extern const TextKernels BITSENSE_TABLE(text_kernels_);
const TextKernels BITSENSE_TABLE(text_kernels_) = {find_runs};

}  // namespace bitsense
