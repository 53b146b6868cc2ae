// The rows of one query that may be among its answers, while scores are rounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitsense {

// An approximate score and a row; larger is nearer.
struct Scored {
  float score;
  std::uint32_t row;
};

// The rows of one query that may be among the answers.
class Candidates {
 public:
  // k == 0: all from `bound` on.
  Candidates(std::size_t k, float bound, float margin) : k_(k), margin_(margin), bound_(bound) {}

  float bound() const { return bound_; }
  void push(float score, std::uint32_t row) {
    kept_.push_back({score, row});
    if (k_ != 0 && kept_.size() >= room_) cut();
  }
  // How many answers are looked for; 0: all.
  std::size_t wanted() const { return k_; }
  // Raises the bound to what it can be by now.
  void settle() {
    if (k_ != 0 && kept_.size() > k_) cut();
  }
  std::vector<Scored>& take() {
    settle();
    return kept_;
  }

 private:
  static constexpr std::size_t kSpare = 16;

  // Leaves what is not below the k-th best by more than the margin.
  void cut() {
    const auto kth = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), kth, kept_.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    bound_ = std::max(bound_, kth->score - margin_);
    std::erase_if(kept_, [&](const Scored& x) { return x.score < bound_; });
    room_ = std::max(2 * kept_.size(), 2 * k_ + kSpare);
  }

  std::size_t k_;
  float margin_, bound_;
  std::size_t room_ = 2 * k_ + kSpare;
  std::vector<Scored> kept_;
};

}  // namespace bitsense
