#include "text/word_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

namespace bitsense {
namespace {

constexpr std::size_t kFirstSlots = 1024;

// At most two slots of three are used.
constexpr bool is_full(std::size_t words, std::size_t slots) { return words > slots / 3 * 2; }

}  // namespace

WordTable::WordTable() : offsets_{0} { resize(kFirstSlots); }

void WordTable::reserve(std::size_t words, std::size_t bytes) {
  bytes_.reserve(bytes);
  offsets_.reserve(words + 1);
  std::size_t slots = slots_.size();
  while (is_full(words, slots)) slots *= 2;
  if (slots != slots_.size()) resize(slots);
}

std::uint32_t WordTable::add(const WordKey& key, std::size_t slot, std::uint64_t times) {
  if (size() >= kNoWord) throw std::length_error("more than 4,294,967,295 different words");
  const auto id = static_cast<std::uint32_t>(size());
  key.append_to(bytes_);
  offsets_.push_back(bytes_.size());
  slots_[slot] = {{key.head[0], key.head[1]}, times, id, key.length};
  if (is_full(size(), slots_.size())) resize(slots_.size() * 2);
  return id;
}

std::vector<std::uint64_t> WordTable::counts() const {
  std::vector<std::uint64_t> counts(size());
  for (const Slot& slot : slots_) {
    if (slot.id != kNoWord) counts[slot.id] = slot.count;
  }
  return counts;
}

void WordTable::resize(std::size_t slots) {
  const std::vector<std::uint64_t> counts = this->counts();
  slots_ = decltype(slots_)();
  slots_.resize(slots);
  shift_ = 64U - static_cast<unsigned>(std::bit_width(slots) - 1);
  // In groups, so that the cache lines of one group come together.
  std::array<WordKey, 32> keys;
  for (std::size_t first = 0; first < size(); first += keys.size()) {
    const std::size_t group = std::min(keys.size(), size() - first);
    for (std::size_t i = 0; i < group; ++i) {
      keys[i] = finished_key(word(static_cast<std::uint32_t>(first + i)));
      prefetch(keys[i]);
    }
    for (std::size_t i = 0; i < group; ++i) {
      const auto id = static_cast<std::uint32_t>(first + i);
      slots_[probe(keys[i])] = {{keys[i].head[0], keys[i].head[1]}, counts[id], id, keys[i].length};
    }
  }
}

}  // namespace bitsense
