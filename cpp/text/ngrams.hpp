// Runs of adjacent tokens as words of their own: the tokens joined with one space. After each token
// come the runs that end in it, the shortest first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "text/word_table.hpp"

namespace bitsense {

constexpr unsigned kMaxNgrams = 3;

class NgramJoiner {
 public:
  explicit NgramJoiner(unsigned orders) : orders_(orders) {}

  // Begins a new document.
  void clear() noexcept {
    joined_.clear();
    held_ = 0;
  }

  // Calls sink(key, order) for the token and each n-gram that ends in it.
  template <class Sink>
  void add(const WordKey& token, Sink&& sink) {
    sink(token, 1U);
    if (orders_ == 1) return;
    if (joined_.size() > kCompactAt) drop_old();
    if (held_ > 0) joined_.push_back(' ');
    for (unsigned i = orders_ - 1; i > 0; --i) starts_[i] = starts_[i - 1];
    starts_[0] = joined_.size();
    token.append_to(joined_);
    if (held_ < orders_) ++held_;
    const char* end = joined_.data() + joined_.size();
    for (unsigned order = 2; order <= held_; ++order) {
      const std::size_t start = starts_[order - 1];
      const std::size_t length = joined_.size() - start;
      if (length >= kLongest) return;
      sink(finished_key(joined_.data() + start, static_cast<std::uint32_t>(length), end), order);
    }
  }

 private:
  static constexpr std::size_t kCompactAt = 4096;
  static constexpr std::size_t kLongest = UINT32_MAX;  // bytes; no n-gram is that long

  // Forgets what no later n-gram can need.
  void drop_old() {
    const unsigned needed = held_ < orders_ - 1 ? held_ : orders_ - 1;
    const std::size_t cut = starts_[needed - 1];
    joined_.erase(0, cut);
    for (unsigned i = 0; i < needed; ++i) starts_[i] -= cut;
    held_ = needed;
  }

  unsigned orders_;
  unsigned held_ = 0;  // tokens of this document in joined_, at most orders_
  std::string joined_;
  std::array<std::size_t, kMaxNgrams> starts_{};  // of the last tokens in joined_, newest first
};

}  // namespace bitsense
