// Float rows, each padded with zeros to a multiple of kRowQuantum, so that no inner loop has a
// tail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/errors.hpp"
#include "core/large_pages.hpp"

namespace bitsense {

constexpr std::size_t kRowQuantum = 16;  // floats: one AVX-512 register, one cache line
constexpr std::size_t kAlignment = 64;   // bytes

constexpr std::size_t padded(std::size_t dim) {
  return (dim + kRowQuantum - 1) / kRowQuantum * kRowQuantum;
}

struct FreeAligned {
  std::align_val_t alignment{kAlignment};
  void operator()(float* p) const noexcept { ::operator delete[](p, alignment); }
};

// An array of n floats on a cache-line boundary, zero-initialised.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t n) : size_(n) {
    if (n == 0) return;
    if (n > (std::size_t{1} << 60) / sizeof(float)) throw std::bad_alloc();
    const std::size_t bytes = n * sizeof(float);
    const std::align_val_t alignment{bytes < 2 * kLargePage ? kAlignment : kLargePage};
    data_ = {static_cast<float*>(::operator new[](bytes, alignment)), FreeAligned{alignment}};
#if defined(__linux__)
    // Tables of which rows are read at random: each miss of the translation cache would cost as
    // much as the row. Advice only: nothing is lost where it is not taken.
    if (bytes >= 2 * kLargePage) (void)madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
    std::fill_n(data_.get(), n, 0.0F);
  }
  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  float& operator[](std::size_t i) noexcept { return data_[i]; }
  float operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  std::unique_ptr<float[], FreeAligned> data_;
  std::size_t size_ = 0;
};

// A rows x dim matrix; row(i) points at stride() floats of which the last stride() - dim() are
// zero.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t dim)
      : rows_(rows), dim_(dim), stride_(padded(dim)), values_(checked_product(rows, stride_)) {}

  std::size_t rows() const noexcept { return rows_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t stride() const noexcept { return stride_; }
  float* row(std::size_t i) noexcept { return values_.data() + i * stride_; }
  const float* row(std::size_t i) const noexcept { return values_.data() + i * stride_; }

 private:
  static std::size_t checked_product(std::size_t a, std::size_t b) {
    if (b != 0 && a > SIZE_MAX / sizeof(float) / b) throw std::bad_alloc();
    return a * b;
  }
  std::size_t rows_ = 0;
  std::size_t dim_ = 0;
  std::size_t stride_ = 0;
  AlignedFloats values_;
};

}  // namespace bitsense
