// The loops of filter_kernels.hpp; compiled once per level. A test gives 0 or 1 without a branch. A
// value of eight or four bytes puts its bit into a lane of its own width, and the lanes are joined
// once in 64 or 32 rows; the tests of bytes are stored and eight at a time made bits by a
// multiplication.
#include "kernels/filter_kernels.hpp"

#include "kernels/level.hpp"

namespace bitsense {
namespace {

using std::int32_t;
using std::int64_t;
using std::int8_t;
using std::size_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

constexpr size_t kWordRows = 64;

#if defined(__AVX512F__)
constexpr int kVector = 64;
#elif defined(__AVX2__)
constexpr int kVector = 32;
#else
constexpr int kVector = 16;
#endif

// A register of T, and one of the unsigned whole numbers Bits of the same width.
template <class T, class Bits>
struct Register {
  static constexpr size_t kLanes = kVector / sizeof(T);
  static constexpr size_t kWidth = 8 * sizeof(T);  // rows whose bits one lane holds
  typedef T Values __attribute__((vector_size(kVector), aligned(sizeof(T))));
  typedef Bits Masks __attribute__((vector_size(kVector)));
};

// The bits of kWidth values: lane i collects those of the values i, i + kLanes, and so on, which
// meet no other lane's. test(register) is -1 or 0 in each lane.
template <class R, class T, class Bits, class Test>
inline Bits bits_of(const T* values, const Test& test) {
  typename R::Masks bit;
  for (size_t i = 0; i < R::kLanes; ++i) bit[i] = Bits{1} << i;
  typename R::Masks lanes{};
  for (size_t i = 0; i < R::kWidth; i += R::kLanes) {
    const auto passes = test(*reinterpret_cast<const typename R::Values*>(values + i));
    lanes |= (typename R::Masks)passes & bit;
    bit <<= R::kLanes;
  }
  Bits all = 0;
  for (size_t i = 0; i < R::kLanes; ++i) all |= lanes[i];
  return all;
}

// The last rows are tested in a copy, whose bits from `rows` on are left out.
template <class T, class Bits, class Test>
inline void add_bits(const T* values, size_t rows, uint64_t* words, const Test& test) {
  using R = Register<T, Bits>;
  const size_t full = rows / kWordRows * kWordRows;
  for (size_t i = 0; i < full; i += kWordRows) {
    uint64_t word = 0;
    for (size_t j = 0; j < kWordRows; j += R::kWidth) {
      word |= static_cast<uint64_t>(bits_of<R, T, Bits>(values + i + j, test)) << j;
    }
    words[i / kWordRows] |= word;
  }
  if (full == rows) return;
  T last[kWordRows] = {};
  for (size_t i = 0; full + i < rows; ++i) last[i] = values[full + i];
  uint64_t word = 0;
  for (size_t j = 0; j < kWordRows; j += R::kWidth) {
    word |= static_cast<uint64_t>(bits_of<R, T, Bits>(last + j, test)) << j;
  }
  words[full / kWordRows] |= word & ((uint64_t{1} << (rows - full)) - 1);
}

// One comparison: low <= x <= high is x - low <= high - low for unsigned numbers, which wrap
// around, and that is the comparison of signed ones when both have their highest bit flipped.
template <class T, class Bits>
inline void add_range(const T* values, size_t rows, T low, T high, uint64_t* words) {
  if (low > high) return;
  constexpr Bits flip = Bits{1} << (8 * sizeof(T) - 1);
  const Bits start = static_cast<Bits>(low) ^ flip;
  const T span = static_cast<T>((static_cast<Bits>(high) - static_cast<Bits>(low)) ^ flip);
  using R = Register<T, Bits>;
  add_bits<T, Bits>(values, rows, words, [=](const typename R::Values& x) {
    return (typename R::Values)((typename R::Masks)x - start) <= span;
  });
}

void range_int64(const int64_t* values, size_t rows, int64_t low, int64_t high, uint64_t* words) {
  add_range<int64_t, uint64_t>(values, rows, low, high, words);
}

void range_int32(const int32_t* values, size_t rows, int32_t low, int32_t high, uint64_t* words) {
  add_range<int32_t, uint32_t>(values, rows, low, high, words);
}

void range_float64(const double* values, size_t rows, double low, double high, uint64_t* words) {
  add_bits<double, uint64_t>(values, rows, words, [=](const Register<double, uint64_t>::Values& x) {
    return (x >= low) & (x <= high);
  });
}

// Bit i of the product's highest byte is byte i of the eight.
inline uint64_t packed(const uint8_t* passes) {
  uint64_t word = 0;
  for (size_t i = 0; i < kWordRows; i += 8) {
    uint64_t eight = 0;
    for (size_t j = 0; j < 8; ++j) eight |= static_cast<uint64_t>(passes[i + j]) << (8 * j);
    word |= (eight * 0x0102040810204080ULL >> 56) << i;
  }
  return word;
}

template <class T, class Test>
inline void add_bytes(const T* values, size_t rows, uint64_t* words, const Test& test) {
  for (size_t i = 0; i < rows; i += kWordRows) {
    uint8_t passes[kWordRows] = {};
    const size_t left = rows - i;
    if (left >= kWordRows) {
      for (size_t j = 0; j < kWordRows; ++j) passes[j] = test(values[i + j]);
    } else {
      for (size_t j = 0; j < left; ++j) passes[j] = test(values[i + j]);
    }
    words[i / kWordRows] |= packed(passes);
  }
}

void range_int8(const int8_t* values, size_t rows, int8_t low, int8_t high, uint64_t* words) {
  add_bytes(values, rows, words, [=](int8_t x) -> uint8_t { return (x >= low) & (x <= high); });
}

void lookup(const int32_t* codes, size_t rows, const uint8_t* table, uint32_t size,
            uint64_t* words) {
  if (size == 0) return;
  add_bytes(codes, rows, words, [=](int32_t code) -> uint8_t {
    const auto entry = static_cast<uint32_t>(code);
    const uint32_t inside = entry < size;
    return table[inside * entry] & static_cast<uint8_t>(inside);
  });
}

}  // namespace

extern const FilterKernels BITSENSE_TABLE(filter_kernels_);
const FilterKernels BITSENSE_TABLE(filter_kernels_) = {range_int64, range_float64, range_int32,
                                                       range_int8, lookup};

}  // namespace bitsense
