// One walk over a graph towards what is asked, in steps that several walks take in turn, so that
// what one asks memory for arrives while the others work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/graph.hpp"
#include "search/graph_queue.hpp"
#include "search/graph_spaces.hpp"

namespace bitsense {

// A set of rows that is emptied in the time it took to fill it.
class RowMarks {
 public:
  void reset(std::size_t rows) {
    if (words_.size() * 64 < rows) words_.resize((rows + 63) / 64);
  }
  // Adds the row and returns 1 if it is new, else 0.
  std::size_t add(std::uint32_t row) {
    std::uint64_t& word = words_[row / 64];
    const std::uint64_t bit = std::uint64_t{1} << (row % 64);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new ? 1 : 0;
  }
  bool has(std::uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  // `rows` hold all rows of the set.
  void clear(const std::uint32_t* rows, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) words_[rows[i] / 64] = 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

template <class Space>
class Walk {
 public:
  // Which rows may be found; nullptr: all. A bit per row.
  using Passing = const std::uint64_t*;

  // Begins a walk that keeps ef pairs. The caller has made asked() what is asked.
  void begin(const Space& space, const GraphView& graph, Passing passing, std::size_t ef) {
    space_ = &space;
    graph_ = &graph;
    passing_ = passing;
    queue_.reset(ef + (passing == nullptr ? 0 : kStartsAnyhow));  // which are in nobody's way
    marks_.reset(graph.rows);
    start(std::min(ef, kStarts));
    choose();
  }

  typename Space::Asked& asked() { return asked_; }
  const PairQueue& found() const { return queue_; }

  // Part of a visit to one row; false at the end of the walk. Each part ends with asking memory for
  // what the next one reads.
  bool step() {
    switch (stage_) {
      case Stage::kList:
        passing_ == nullptr ? gather() : gather_passing();
        return true;
      case Stage::kThrough:
        gather_through();
        return true;
      case Stage::kRows:
        score();
        choose();
        return true;
      default:
        end();
        return false;
    }
  }

 private:
  enum class Stage { kList, kThrough, kRows, kEnd };

  static constexpr std::size_t kStarts = 8;        // entries that a walk begins with
  static constexpr std::size_t kStartsAnyhow = 2;  // of them, those that need not pass

  bool passes(std::uint32_t row) const {
    return passing_ == nullptr || (passing_[row / 64] >> (row % 64) & 1) != 0;
  }

  // Makes room for `count` more rows in fresh_.
  void reserve(std::size_t count) {
    if (fresh_.size() < fresh_end_ + count) fresh_.resize(2 * fresh_.size() + count);
    if (keys_.size() < count) keys_.resize(count);
  }

  void start(std::size_t starts) {
    const std::uint32_t* entries = graph_->entries;
    const std::size_t count = graph_->entry_count;
    keys_.resize(std::max(keys_.size(), count));
    space_->measure(asked_, entries, count, keys_.data());
    fresh_begin_ = fresh_end_ = 0;
    through_all_.clear();
    nearest_.reset(starts);
    for (std::size_t i = 0; i < count; ++i) {
      if (passes(entries[i])) nearest_.push(make_pair_of(keys_[i], entries[i]));
    }
    begin_at_nearest();
    if (passing_ == nullptr) return;
    nearest_.reset(kStartsAnyhow);
    for (std::size_t i = 0; i < count; ++i) {
      nearest_.push(make_pair_of(keys_[i], entries[i]));
    }
    begin_at_nearest();
  }

  void begin_at_nearest() {
    reserve(nearest_.size());
    for (const Pair pair : nearest_) {
      fresh_[fresh_end_] = row_of_pair(pair);
      if (marks_.add(row_of_pair(pair)) == 0) continue;
      ++fresh_end_;
      queue_.push(pair);
    }
  }

  // The next row to visit; its list is asked for.
  void choose() {
    const Pair here = queue_.take_next();
    stage_ = here == PairQueue::kNone ? Stage::kEnd : Stage::kList;
    if (stage_ == Stage::kEnd) return;
    here_ = row_of_pair(here);
    ask_for_list(here_);
  }

  void ask_for_list(std::uint32_t row) const {
    ask_for_lines(graph_->row(row), graph_->degree * sizeof(std::uint32_t));
  }
  void ask_for_rows() const {
    for (std::size_t i = fresh_begin_; i < fresh_end_; ++i) space_->prefetch(fresh_[i]);
  }

  // The neighbours where the walk has not been.
  void gather() {
    stage_ = Stage::kRows;
    fresh_begin_ = fresh_end_;
    reserve(graph_->degree);
    const std::uint32_t* list = graph_->row(here_);
    std::uint32_t* fresh = fresh_.data();
    std::size_t end = fresh_end_;
    for (std::size_t i = 0; i < graph_->degree && list[i] != kNoRow; ++i) {
      fresh[end] = list[i];
      end += marks_.add(list[i]);
    }
    fresh_end_ = end;
    ask_for_rows();
  }

  // Those that pass; if they are few, the lists of the others are asked for, to walk through them
  // to rows that pass (ACORN-1: Patel et al., SIGMOD 2024).
  void gather_passing() {
    fresh_begin_ = fresh_end_;
    reserve(graph_->degree * (graph_->degree + 1));
    through_.clear();
    const std::uint32_t* list = graph_->row(here_);
    for (std::size_t i = 0; i < graph_->degree && list[i] != kNoRow; ++i) {
      if (passes(list[i])) {
        fresh_[fresh_end_] = list[i];
        fresh_end_ += marks_.add(list[i]);
      } else if (!marks_.has(list[i])) {
        through_.push_back(list[i]);
      }
    }
    ask_for_rows();
    const bool enough = fresh_end_ - fresh_begin_ >= wanted() || through_.empty();
    stage_ = enough ? Stage::kRows : Stage::kThrough;
    if (enough) return;
    for (const std::uint32_t row : through_) ask_for_list(row);
  }

  void gather_through() {
    stage_ = Stage::kRows;
    const std::size_t begin = fresh_end_;
    for (const std::uint32_t row : through_) {
      if (fresh_end_ - fresh_begin_ >= wanted()) break;
      if (marks_.add(row) == 0) continue;
      through_all_.push_back(row);
      const std::uint32_t* list = graph_->row(row);
      for (std::size_t i = 0; i < graph_->degree && list[i] != kNoRow; ++i) {
        if (!passes(list[i])) continue;
        fresh_[fresh_end_] = list[i];
        fresh_end_ += marks_.add(list[i]);
      }
    }
    for (std::size_t i = begin; i < fresh_end_; ++i) space_->prefetch(fresh_[i]);
  }

  // Rows that pass which a visit looks for.
  std::size_t wanted() const { return graph_->degree / 2; }

  void score() {
    const std::uint32_t* fresh = fresh_.data() + fresh_begin_;
    const std::size_t count = fresh_end_ - fresh_begin_;
    space_->measure(asked_, fresh, count, keys_.data());
    pairs_.resize(std::max(pairs_.size(), count));
    for (std::size_t i = 0; i < count; ++i) pairs_[i] = make_pair_of(keys_[i], fresh[i]);
    queue_.push_all(pairs_.data(), count);
  }

  void end() {
    marks_.clear(fresh_.data(), fresh_end_);
    marks_.clear(through_all_.data(), through_all_.size());
  }

  const Space* space_ = nullptr;
  const GraphView* graph_ = nullptr;
  Passing passing_ = nullptr;
  typename Space::Asked asked_;
  PairQueue queue_, nearest_;
  RowMarks marks_;
  std::vector<std::uint32_t> fresh_;  // all rows met; those of this visit are the last
  std::size_t fresh_begin_ = 0, fresh_end_ = 0;
  std::vector<std::uint32_t> keys_;
  std::vector<Pair> pairs_;
  std::vector<std::uint32_t> through_, through_all_;  // rows walked through: now, ever
  std::uint32_t here_ = 0;
  Stage stage_ = Stage::kEnd;
};

constexpr std::size_t kLanes = 6;  // walks that one thread takes in turn

// Runs `count` walks: begin(walk, i) starts the i-th, end(walk, i) takes what it found.
template <class Space, class Begin, class End>
void run_walks(std::vector<Walk<Space>>& lanes, std::size_t count, Begin&& begin, End&& end) {
  std::size_t number[kLanes];
  std::size_t next = 0, active = 0;
  lanes.resize(kLanes);
  std::size_t lane_of[kLanes];
  for (; active < kLanes && next < count; ++active, ++next) {
    lane_of[active] = active;
    number[active] = next;
    begin(lanes[active], next);
  }
  while (active > 0) {
    for (std::size_t a = 0; a < active;) {
      Walk<Space>& walk = lanes[lane_of[a]];
      if (walk.step()) {
        ++a;
        continue;
      }
      end(walk, number[lane_of[a]]);
      if (next < count) {
        number[lane_of[a]] = next;
        begin(walk, next++);
        ++a;
      } else {
        lane_of[a] = lane_of[--active];
      }
    }
  }
}

}  // namespace bitsense
