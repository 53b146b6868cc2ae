// Threads that train on one block at a time, and how they wait for each other.
//
// Where a model sums (word_step.hpp), each of two threads has half of the columns. It reads and
// writes no rows but its half of them, so it needs nothing of the other but scalars, and these are
// handed over group by group. Whoever has summed all groups scores those that nobody has begun,
// once both have summed them, and moves his columns of the groups that are scored. The two do not
// meet within a plan: the one that has fewer columns, or a quicker core, scores more groups, and
// may already sum the next block while the other still moves rows.
//
// It is no more than a block: a group of the next block is scored, and its scalars overwritten,
// when both have summed it, thus have moved all of this block; and its sums are overwritten by one
// who has moved all of this block, thus when all of it had been scored.
//
// More threads, and those of a model that does not sum, meet after each phase.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/parallel.hpp"
#include "train/barrier.hpp"
#include "train/share.hpp"

namespace bitsense {

// What the threads share. A thread that throws sets `failed`, and all waits return false.
class Team {
 public:
  static constexpr std::size_t kMostGroups = 16;  // of a block

  // `halved`: of two threads, each has half of the columns.
  explicit Team(std::size_t threads, bool halved = false)
      : threads_(threads), halved_(halved), everyone_(threads, failed_), waiting_(failed_) {}

  std::size_t threads() const { return threads_; }
  std::atomic<bool>& failed() { return failed_; }

 private:
  friend class Member;
  struct alignas(kApart) Done {
    std::atomic<std::uint64_t>& operator[](std::size_t group) { return blocks[group]; }
    std::array<std::atomic<std::uint64_t>, kMostGroups> blocks{};  // per group
  };

  std::size_t threads_;
  bool halved_;
  std::atomic<bool> failed_{false};
  Barrier everyone_;
  Waiting waiting_;
  Done summed_[2];  // by half
  Done scored_;
  // Groups of all blocks that somebody scores or has scored; a block has kMostGroups of them here.
  alignas(kApart) std::atomic<std::uint64_t> begun_{0};
};

// One thread of a team. All members enter the same blocks, each of which ends with next_block().
class Member {
 public:
  Member(Team& team, std::size_t index) : team_(team), share_{index, team.threads_, team.halved_} {}

  const Share& share() const { return share_; }

  // False, here and below: a thread has failed.
  bool meet() { return alone() || team_.everyone_.wait(); }

  // One of two threads: its sums of a group are there.
  void hand_over(std::size_t group) { finish(team_.summed_[share_.half()][group]); }

  // Calls score(group) for those of a block's groups that nobody has begun, each as soon as both
  // threads have handed it over.
  template <class Score>
  bool score_groups(std::size_t groups, Score&& score) {
    for (std::size_t group; (group = begin_next(groups)) < groups;) {
      if (!(await(team_.summed_[0][group]) && await(team_.summed_[1][group]))) return false;
      score(group);
      finish(team_.scored_[group]);
    }
    return true;
  }

  bool await_scores(std::size_t group) { return await(team_.scored_[group]); }

  void next_block() { ++block_; }

 private:
  bool alone() const { return share_.count == 1; }

  // The next group that nobody has begun; `groups` if there is none.
  std::size_t begin_next(std::size_t groups) {
    const std::uint64_t first = block_ * Team::kMostGroups;
    std::uint64_t begun = team_.begun_.load();
    std::uint64_t next = 0;
    do {
      next = begun > first ? begun : first;
      if (next >= first + groups) return groups;
    } while (!team_.begun_.compare_exchange_weak(begun, next + 1));
    return static_cast<std::size_t>(next - first);
  }
  void finish(std::atomic<std::uint64_t>& done) {
    done.store(block_ + 1);
    team_.waiting_.wake();
  }
  bool await(const std::atomic<std::uint64_t>& done) {
    return team_.waiting_.until([&] { return done.load() > block_; });
  }

  Team& team_;
  Share share_;
  std::uint64_t block_ = 0;  // how many are over
};

}  // namespace bitsense
