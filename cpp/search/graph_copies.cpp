#include "search/graph_copies.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/rng.hpp"
#include "search/graph.hpp"

namespace bitsense {

namespace {

std::uint64_t hash_of(const unsigned char* data, std::size_t bytes) {
  std::uint64_t hash = bytes;
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, std::min<std::size_t>(8, bytes - i));
    hash = mix(hash ^ word) + 0x9e3779b97f4a7c15ULL;
  }
  return hash;
}

}  // namespace

std::vector<std::uint32_t> find_copies(const void* data, std::size_t rows, std::size_t bytes) {
  const auto* first = static_cast<const unsigned char*>(data);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashed(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    hashed[i] = {hash_of(first + i * bytes, bytes), static_cast<std::uint32_t>(i)};
  }
  std::sort(hashed.begin(), hashed.end());
  std::vector<std::uint32_t> next;
  std::vector<std::uint32_t> last;  // of each kind of bytes in a run of equal hashes
  for (std::size_t i = 0; i < rows; ++i) {
    if (i == 0 || hashed[i].first != hashed[i - 1].first) last.clear();
    const std::uint32_t row = hashed[i].second;
    const auto same = std::find_if(last.begin(), last.end(), [&](std::uint32_t other) {
      return std::memcmp(first + row * bytes, first + other * bytes, bytes) == 0;
    });
    if (same == last.end()) {
      last.push_back(row);
      continue;
    }
    if (next.empty()) next.assign(rows, kNoRow);
    next[*same] = row;
    *same = row;
  }
  return next;
}

}  // namespace bitsense
