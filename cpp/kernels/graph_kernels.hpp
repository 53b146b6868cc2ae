// Distances of one query to a list of rows that lie anywhere in memory: what a walk over a graph of
// neighbours asks for (search/graph_walk.hpp). The rows a few places ahead in the list are asked
// for before they are needed. All results are whole numbers and equal at every level. No pointer
// need be aligned.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitsense {

constexpr std::size_t kByteQuantum = 32;  // bytes: rows of byte_dots are padded to a multiple

struct GraphKernels {
  // distances[i]: the number of bits in which the query differs from the code of `bytes` bytes at
  // codes + rows[i] * bytes, i < count.
  void (*code_distances)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t bytes,
                         const std::uint32_t* rows, std::size_t count, std::uint32_t* distances);

  // dots[i]: the sum over j < stride of query[j] * items[rows[i] * stride + j], i < count. stride
  // is a multiple of kByteQuantum and at most 65536; the query's values are -127 to 127. Exact.
  void (*byte_dots)(const std::int8_t* query, const std::int8_t* items, std::size_t stride,
                    const std::uint32_t* rows, std::size_t count, std::int32_t* dots);
};

}  // namespace bitsense
