// Words to ids and counts: an open-addressing hash table for short byte strings. The first 16 bytes
// of a word are in its slot, so that most look-ups touch one cache line and no text; the rest of a
// longer word is compared in the arena, where all words lie one after another in the order of their
// ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/large_pages.hpp"

namespace bitsense {

constexpr std::uint32_t kNoWord = UINT32_MAX;

// A word ready to be looked up. Bytes beyond `length` in `head` are zero. `data` holds the whole
// word when it is longer than the head, and is not read otherwise.
struct WordKey {
  static constexpr std::size_t kHead = 16;
  std::uint64_t head[2];
  std::uint64_t hash;
  const char* data;
  std::uint32_t length;

  bool is_long() const noexcept { return length > kHead; }
  void append_to(std::string& out) const {
    if (is_long()) {
      out.append(data, length);
    } else {
      char bytes[kHead];
      std::memcpy(bytes, head, kHead);
      out.append(bytes, length);
    }
  }
};

namespace detail {

// A byte mask of the first n of 16 bytes starts at kKeepFirst + 16 - n.
inline constexpr unsigned char kKeepFirst[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                 255, 255, 255, 255, 255, 255, 255, 255};

// Both halves of a product of 128 bits. A factor is never 0 for bytes that are UTF-8: the constants
// are none.
inline std::uint64_t hash_pair(std::uint64_t a, std::uint64_t b) {
  __extension__ typedef unsigned __int128 Product;
  const Product product =
      static_cast<Product>(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xc2b2ae3d27d4eb4fULL);
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

}  // namespace detail

// A key of the bytes at `data`, without its hash: change the head if need be, then finish_key.
// Where 16 bytes from `data` on are readable, a shorter word is loaded with them and the rest
// masked off.
inline WordKey make_key(const char* data, std::uint32_t length, const char* readable_end) {
  WordKey key{{0, 0}, 0, data, length};
  if (length >= WordKey::kHead) {
    std::memcpy(key.head, data, WordKey::kHead);
  } else if (readable_end - data >= static_cast<std::ptrdiff_t>(WordKey::kHead)) {
    std::uint64_t keep[2];
    std::memcpy(keep, detail::kKeepFirst + WordKey::kHead - length, WordKey::kHead);
    std::memcpy(key.head, data, WordKey::kHead);
    key.head[0] &= keep[0];
    key.head[1] &= keep[1];
  } else if (length > 0) {
    std::memcpy(key.head, data, length);
  }
  return key;
}

// The same where 16 bytes are readable at `data` in any case, written field by field: a key that is
// copied right after it was made waits for its stores.
inline void make_padded_key(const char* data, std::uint32_t length, WordKey& key) {
  const std::size_t kept = length < WordKey::kHead ? length : WordKey::kHead;
  std::uint64_t keep[2], head[2];
  std::memcpy(keep, detail::kKeepFirst + WordKey::kHead - kept, WordKey::kHead);
  std::memcpy(head, data, WordKey::kHead);
  key.head[0] = head[0] & keep[0];
  key.head[1] = head[1] & keep[1];
  key.data = data;
  key.length = length;
}

// Sets the hash of a key whose other fields are final.
inline void finish_key(WordKey& key) {
  key.hash = detail::hash_pair(key.head[0], key.head[1] ^ key.length);
  for (std::size_t i = WordKey::kHead; i < key.length; i += WordKey::kHead) {
    std::uint64_t part[2] = {0, 0};
    const std::size_t left = key.length - i;
    std::memcpy(part, key.data + i, left < WordKey::kHead ? left : WordKey::kHead);
    key.hash = detail::hash_pair(part[0] ^ key.hash, part[1]);
  }
}

inline WordKey finished_key(const char* data, std::uint32_t length, const char* readable_end) {
  WordKey key = make_key(data, length, readable_end);
  finish_key(key);
  return key;
}

inline WordKey finished_key(std::string_view word) {
  return finished_key(word.data(), static_cast<std::uint32_t>(word.size()),
                      word.data() + word.size());
}

class WordTable {
 public:
  WordTable();

  std::size_t size() const noexcept { return offsets_.size() - 1; }
  const std::string& bytes() const noexcept { return bytes_; }
  const std::vector<std::uint64_t>& offsets() const noexcept { return offsets_; }
  std::string_view word(std::uint32_t id) const noexcept {
    return std::string_view(bytes_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }

  // The id of the word, or kNoWord.
  std::uint32_t find(const WordKey& key) const noexcept { return slots_[probe(key)].id; }

  // The id of the word, which is size() as it was before if the word is new; counts it as seen so
  // many times more. Throws std::length_error when the ids are used up.
  std::uint32_t insert(const WordKey& key, std::uint64_t times = 1) {
    const std::size_t i = probe(key);
    Slot& slot = slots_[i];
    if (slot.id == kNoWord) return add(key, i, times);
    slot.count += times;
    return slot.id;
  }

  // How often each word was inserted, by id.
  std::vector<std::uint64_t> counts() const;

  // Asks for the cache line that find and insert will read first.
  void prefetch(const WordKey& key) const noexcept {
    __builtin_prefetch(&slots_[key.hash >> shift_]);
  }

  // Makes room for `words` words of `bytes` bytes together.
  void reserve(std::size_t words, std::size_t bytes);

 private:
  struct alignas(32) Slot {  // half a cache line
    std::uint64_t head[2] = {0, 0};
    std::uint64_t count = 0;
    std::uint32_t id = kNoWord;  // kNoWord: empty
    std::uint32_t length = 0;
  };

  // The slot that holds the word, or the empty one where it belongs. An empty slot holds no word,
  // for none is empty.
  std::size_t probe(const WordKey& key) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = key.hash >> shift_;
    while (!holds(slots_[i], key) && slots_[i].id != kNoWord) i = (i + 1) & mask;
    return i;
  }
  bool holds(const Slot& slot, const WordKey& key) const noexcept {
    const std::uint64_t differing =
        (slot.head[0] ^ key.head[0]) | (slot.head[1] ^ key.head[1]) | (slot.length ^ key.length);
    return differing == 0 && (!key.is_long() || same_tail(slot.id, key));
  }
  bool same_tail(std::uint32_t id, const WordKey& key) const noexcept {
    return std::memcmp(bytes_.data() + offsets_[id] + WordKey::kHead, key.data + WordKey::kHead,
                       key.length - WordKey::kHead) == 0;
  }
  std::uint32_t add(const WordKey& key, std::size_t slot, std::uint64_t times);
  // Rebuilds the slots from the arena; the old ones are given back first, so both never coexist.
  void resize(std::size_t slots);

  std::vector<Slot, LargePages<Slot>> slots_;  // a power of two
  unsigned shift_;                             // the top bits of a hash are its first slot
  std::string bytes_;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace bitsense
