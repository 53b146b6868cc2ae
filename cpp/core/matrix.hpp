// Float rows, each padded with zeros to a multiple of kRowQuantum, so that no inner loop has a
// tail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "core/errors.hpp"
#include "core/large_pages.hpp"

namespace bitsense {

constexpr std::size_t kRowQuantum = 16;  // floats: one AVX-512 register, one cache line

constexpr std::size_t rounded_up(std::size_t n, std::size_t step) {
  return (n + step - 1) / step * step;
}

constexpr std::size_t padded(std::size_t dim) { return rounded_up(dim, kRowQuantum); }

struct FreeFloats {
  std::size_t size = 0;
  void operator()(float* p) const noexcept { LargePages<float>().deallocate(p, size); }
};

// An array of n floats on a cache-line boundary, zero-initialised. Tables of which rows are read at
// random lie in large pages: each miss of the translation cache would cost as much as the row.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t n) : size_(n) {
    if (n == 0) return;
    data_ = {LargePages<float>().allocate(n), FreeFloats{n}};
    if (!LargePages<float>::gives_zeros(n)) std::fill_n(data_.get(), n, 0.0F);
  }
  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  float& operator[](std::size_t i) noexcept { return data_[i]; }
  float operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  std::unique_ptr<float[], FreeFloats> data_;
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
