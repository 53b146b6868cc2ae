#include "text/word_table.hpp"

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

std::uint32_t WordTable::add(const WordKey& key, std::size_t slot) {
  if (size() >= kNoWord) throw std::length_error("more than 4,294,967,295 different words");
  const auto id = static_cast<std::uint32_t>(size());
  key.append_to(bytes_);
  offsets_.push_back(bytes_.size());
  slots_[slot] = {{key.head[0], key.head[1]}, id, key.length};
  if (is_full(size(), slots_.size())) resize(slots_.size() * 2);
  return id;
}

void WordTable::resize(std::size_t slots) {
  slots_ = std::vector<Slot>();
  slots_.resize(slots);
  shift_ = 64U - static_cast<unsigned>(std::bit_width(slots) - 1);
  for (std::uint32_t id = 0; id < size(); ++id) {
    const WordKey key = finished_key(word(id));
    slots_[probe(key)] = {{key.head[0], key.head[1]}, id, key.length};
  }
}

}  // namespace bitsense
