// Packed bit codes, the code contract of docs/formats.md: bit j of an item is in byte j / 8, most
// significant bit first; padding bits are zero; a bit is 1 where the value is > 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

constexpr std::size_t code_bytes(std::size_t bits) { return (bits + 7) / 8; }

// A view of `rows` codes of `bits` bits; row i starts at data + i * code_bytes(bits).
struct CodesView {
  const std::uint8_t* data;
  std::size_t rows;
  std::size_t bits;
  std::size_t bytes() const noexcept { return code_bytes(bits); }
  const std::uint8_t* row(std::size_t i) const noexcept { return data + i * bytes(); }
};

// Packs the signs of `bits` values into code_bytes(bits) bytes.
inline void pack_signs(const float* values, std::size_t bits, std::uint8_t* code) {
  for (std::size_t byte = 0; byte < code_bytes(bits); ++byte) {
    unsigned packed = 0;
    for (std::size_t j = 0; j < 8; ++j) {
      const std::size_t bit = byte * 8 + j;
      packed = packed << 1 | (bit < bits && values[bit] > 0.0F ? 1U : 0U);
    }
    code[byte] = static_cast<std::uint8_t>(packed);
  }
}

}  // namespace bitsense
