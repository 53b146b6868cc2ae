// One pass over panels of real vectors for some queries, in one of four ways: by sketches, by
// products of bytes, by products of floats, or row by row.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/candidates.hpp"
#include "search/filter.hpp"
#include "search/panels.hpp"
#include "search/pieces.hpp"
#include "search/real.hpp"
#include "search/scan.hpp"
#include "search/sketches.hpp"

namespace bitsense {

constexpr std::size_t kFewQueries = 4;  // fewer are compared with the rows as they lie

// What is compared with what.
struct PanelWork {
  const StoredVectors& rows;
  const PaddedQueries& queries;
  const std::vector<std::uint32_t>* chosen;
  const Filter& filter;
  const RealOptions& options;
  const SketchedQueries* sketched;
  double longest;  // of the rows

  bool by_rows(std::size_t count) const { return count < kFewQueries; }
  // Are the products of queries [first, last) so large and so small that bytes give them?
  bool usual(std::size_t first, std::size_t last) const {
    const double row = options.metric == RealMetric::kCosine ? 1.0 : longest;
    return row < 1e15 &&
           std::all_of(
               queries.lengths.begin() + static_cast<std::ptrdiff_t>(first),
               queries.lengths.begin() + static_cast<std::ptrdiff_t>(last),
               [&](double query) { return query * row > 1e-25 && query * row < 1e30; });
  }
  bool by_bytes(std::size_t first, std::size_t last) const {
    return !by_rows(last - first) && !queries.bytes.empty() && usual(first, last);
  }
  bool by_sketches(std::size_t first, std::size_t last) const {
    return sketched != nullptr && usual(first, last);
  }
  // The rows of a panel that pass.
  std::uint64_t passing(const Panels& panels, std::size_t panel) const {
    const std::size_t size = panels.size(panel);
    const std::uint64_t there = size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
    return chosen ? there : there & filter.word(panel);
  }
};

// Whether a way to pass over most rows pays: while it leaves fewer than one row in kWorth open.
// That is seen every kTried panels, and tried again later, as fewer rows are open where better
// answers were found.
class Worth {
 public:
  explicit Worth(bool possible) : possible_(possible), now_(possible) {}
  bool now() const { return now_; }
  void leave_open(std::size_t rows) { open_ += rows; }
  // A panel of so many rows x queries was compared.
  void end_panel(std::size_t pairs) {
    if (!possible_) return;
    ++seen_;
    if (now_ && seen_ % kTried == 0) {
      const bool filled = seen_ > kTried;  // the first panels fill the lists
      now_ = !filled || open_ * kWorth < kTried * pairs;
      open_ = 0;
    } else if (seen_ % kAgain == 0) {
      now_ = true;
    }
  }

 private:
  static constexpr std::size_t kTried = 64, kAgain = 16 * kTried, kWorth = 12;
  bool possible_, now_;
  std::size_t seen_ = 0, open_ = 0;
};

// One run over panels for queries [first, first + found.size()).
class PanelScan {
 public:
  PanelScan(const PanelWork& work, std::size_t first, std::vector<Candidates>& found)
      : work_(work),
        kernels_(*work.options.kernels.scores),
        first_(first),
        found_(found),
        panels_(work.rows, work.chosen, work.options.metric, work.options.kernels),
        scores_(kPanelQueries * kPanelRows),
        open_(found.size()),
        sketches_(work.by_sketches(first, first + found.size())),
        bytes_(work.by_bytes(first, first + found.size())) {}

  void run(TileRange range, Stopper& stopper, std::size_t thread) {
    for (std::size_t panel = range.first; panel < range.last; ++panel) {
      passing_ = work_.passing(panels_, panel);
      if (passing_ == 0) continue;
      if (panel % 16 == 0 && stopper.stop(thread)) return;
      if (sketches_.now() && is_sketched(panel)) {
        compare_sketches(panel);
      } else {
        panels_.gather(panel);
        compare_gathered(panel);
        bytes_.end_panel(kPanelRows * found_.size());
      }
      sketches_.end_panel(kPanelRows * found_.size());
    }
    for (std::size_t q = 0; q < found_.size(); ++q) {
      while (!open_[q].empty()) multiply_best(q);
    }
  }

 private:
  std::size_t groups() const { return (found_.size() + kPanelQueries - 1) / kPanelQueries; }

  bool is_sketched(std::size_t panel) const {
    return panel * kPanelRows + panels_.size(panel) <= work_.options.sketches->rows;
  }

  // Calls compare(q, count) for queries whose scores of a panel lie in the cache.
  template <class Compare>
  void for_groups(Compare&& compare) {
    for (std::size_t q = 0; q < found_.size(); q += kPanelQueries) {
      compare(q, std::min(kPanelQueries, found_.size() - q));
    }
  }

  void compare_sketches(std::size_t panel) {
    const RowSketches& sketches = *work_.options.sketches;
    const SketchedQueries& asked = *work_.sketched;
    const float* lengths = sketches.terms_of(panel, kLength);
    for_groups([&](std::size_t q, std::size_t count) {
      kernels_.multiply_bytes(sketches.tile(panel), sketches.terms_of(panel, kStep),
                              sketches.terms_of(panel, kOwn), asked.bytes(first_ + q), count,
                              sketches.axes.kept(), scores_.data());
      for (std::size_t i = q; i < q + count; ++i) {
        const std::uint64_t left =
            passing_ & kernels_.mask_open(scores_.data() + (i - q) * kPanelRows, lengths,
                                          asked.weights(first_ + i),
                                          asked.bound(first_ + i, found_[i].bound()));
        if (left != 0) keep_open(i, panel, left, scores_.data() + (i - q) * kPanelRows, lengths);
      }
    });
  }

  // Notes rows of the panel that a sketch leaves open, with the most that their scores may be.
  void keep_open(std::size_t q, std::size_t panel, std::uint64_t left, const float* scores,
                 const float* lengths) {
    const float* weights = work_.sketched->weights(first_ + q);
    sketches_.leave_open(static_cast<std::size_t>(std::popcount(left)));
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      const float error = weights[0] * lengths[i] + weights[1] * lengths[kPanelRows + i] +
                          weights[2] * lengths[2 * kPanelRows + i];
      open_[q].push_back({scores[i] + 1.0001F * error, panels_.row(panel * kPanelRows + i)});
    }
    if (open_[q].size() >= kPanelRows + 2 * found_[q].wanted()) multiply_best(q);
  }

  // Takes products of floats with the open rows that promise most, after which few others are open.
  void multiply_best(std::size_t q) {
    std::vector<Scored>& open = open_[q];
    Candidates& found = found_[q];
    const std::size_t count = std::min(open.size(), found.wanted() + kPanelRows / 4);
    const auto best = open.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(open.begin(), best - 1, open.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    for (std::size_t first = 0; first < count; first += kPanelRows) {
      const std::size_t some = std::min(kPanelRows, count - first);
      for (std::size_t i = 0; i < some; ++i) panels_.gather_row(open[first + i].row, i);
      float products[kPanelRows];
      panels_.dots(work_.queries.rows[first_ + q], some, products);
      for (std::size_t i = 0; i < some; ++i) {
        if (products[i] >= found.bound()) found.push(products[i], open[first + i].row);
      }
    }
    found.settle();
    open.erase(open.begin(), best);
    const float bound = work_.sketched->bound(first_ + q, found.bound());
    std::erase_if(open, [&](const Scored& x) { return x.score < bound; });
  }

  void compare_gathered(std::size_t panel) {
    if (work_.by_rows(found_.size())) {
      compare_rows(panel);
    } else if (bytes_.now()) {
      compare_bytes(panel);
    } else {
      compare_floats(panel);
    }
  }

  void compare_rows(std::size_t panel) {
    for (std::size_t q = 0; q < found_.size(); ++q) {
      panels_.dots(work_.queries.rows[first_ + q], kPanelRows, scores_.data());
      push(q, panel, scores_.data());
    }
  }

  void compare_floats(std::size_t panel) {
    panels_.pack();
    for_groups([&](std::size_t q, std::size_t count) {
      panels_.multiply(work_.queries.rows.data() + first_ + q, count, scores_.data(), panel,
                       q / kPanelQueries, groups());
      for (std::size_t i = 0; i < count; ++i) {
        push(q + i, panel, scores_.data() + i * kPanelRows);
      }
    });
  }

  void compare_bytes(std::size_t panel) {
    panels_.pack_bytes();
    for_groups([&](std::size_t q, std::size_t count) {
      panels_.multiply_bytes(work_.queries, first_ + q, count, scores_.data(), panel,
                             q / kPanelQueries, groups());
      for (std::size_t i = q; i < q + count; ++i) {
        const Open open = open_rows(
            scores_.data() + (i - q) * kPanelRows, found_[i].bound(),
            panels_.byte_error(work_.queries, first_ + i),
            [&](std::size_t row) { return panels_.byte_error(work_.queries, first_ + i, row); });
        bytes_.leave_open(open.count);
        multiply(i, panel, open);
      }
    });
  }

  // Pushes the passing rows of the panel that may be answers of query q.
  void push(std::size_t q, std::size_t panel, const float* scores) {
    Candidates& found = found_[q];
    std::uint64_t left = passing_ & kernels_.mask_from(scores, found.bound());
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (scores[i] >= found.bound()) found.push(scores[i], panels_.row(panel * kPanelRows + i));
    }
  }

  // Rows of a panel of which bytes do not say that they are no answers.
  struct Open {
    std::size_t rows[kPanelRows], count = 0;
  };
  // `error` of a row is at most `most`.
  template <class Error>
  Open open_rows(const float* scores, float bound, float most, Error&& error) {
    Open open;
    std::uint64_t left = passing_ & kernels_.mask_from(scores, bound - most);
    for (; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (scores[i] >= bound - error(i)) open.rows[open.count++] = i;
    }
    return open;
  }

  // Pushes what is an answer by the product of floats.
  void multiply(std::size_t q, std::size_t panel, const Open& open) {
    if (open.count == 0) return;
    Candidates& found = found_[q];
    float products[kPanelRows];
    panels_.dots(work_.queries.rows[first_ + q], open.rows, open.count, products);
    for (std::size_t i = 0; i < open.count; ++i) {
      if (products[i] >= found.bound()) {
        found.push(products[i], panels_.row(panel * kPanelRows + open.rows[i]));
      }
    }
  }

  const PanelWork& work_;
  const ScoreKernels& kernels_;
  std::size_t first_;
  std::vector<Candidates>& found_;
  Panels panels_;
  AlignedFloats scores_;
  std::vector<std::vector<Scored>> open_;  // what sketches left open, with the most it may score
  Worth sketches_, bytes_;
  std::uint64_t passing_ = 0;
};

}  // namespace bitsense
