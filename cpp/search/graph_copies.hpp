// Rows with the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

// For each of the rows, row i being `bytes` bytes at data + i * bytes, the next larger row with the
// same bytes, or kNoRow. Empty if no two rows are the same.
std::vector<std::uint32_t> find_copies(const void* data, std::size_t rows, std::size_t bytes);

}  // namespace bitsense
