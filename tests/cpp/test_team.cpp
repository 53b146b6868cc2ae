// Threads of one training: tables in halves for them, how they share tasks, what they hand each
// other, and how a failure ends their waits.
#include <array>
#include <atomic>
#include <vector>

#include "check.hpp"
#include "core/errors.hpp"
#include "train/halved_tables.hpp"
#include "train/tasks.hpp"
#include "train/team.hpp"

namespace bitsense {

namespace {

// The columns of a half, in order: four of each eight.
std::vector<std::size_t> columns_of(std::size_t stride, std::size_t half) {
  std::vector<std::size_t> columns;
  for (std::size_t x = 0; x < stride; ++x)
    if (x % 8 / 4 == half) columns.push_back(x);
  return columns;
}

void tables_are_split_into_halves_and_joined() {
  for (const std::size_t stride : {16U, 32U, 112U}) {
    for (const std::size_t rows : {0U, 1U, 2U, 3U, 100U, 1001U}) {
      for (const std::size_t room : {std::size_t{1}, std::size_t{500}, std::size_t{1} << 22}) {
        std::vector<float> values(rows * stride);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
        std::vector<float> others = values;
        const Table table{values.data(), rows, stride};
        const Table both[] = {table, {others.data(), rows, stride}};
        HalvedTables halved(both, 2, room);
        halved.split();
        halved.split();
        for (std::size_t half = 0; half < 2; ++half) {
          const Table part = half_of(table, half);
          const std::vector<std::size_t> columns = columns_of(stride, half);
          BITSENSE_CHECK(columns.size() == part.stride);
          for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t k = 0; k < columns.size(); ++k)
              BITSENSE_CHECK(part.row(i)[k] == static_cast<float>(i * stride + columns[k]));
        }
        halved.join();
        halved.join();
        for (std::size_t i = 0; i < values.size(); ++i)
          BITSENSE_CHECK(values[i] == static_cast<float>(i) && others[i] == values[i]);
      }
    }
  }
}

// Scalars that are no atomics, as a step has them: ThreadSanitizer sees whether they are handed
// over.
struct HandedOver {
  std::array<std::array<std::size_t, Team::kMostGroups>, 2> sums{};
  std::array<std::size_t, Team::kMostGroups> scores{};
  std::array<std::size_t, Team::kMostGroups> times{};
  std::atomic<std::size_t> wrong{0};

  // The block-th block, of some groups; false if a member has failed.
  bool train(Member& member, std::size_t block, std::size_t groups) {
    for (std::size_t g = 0; g < groups; ++g) {
      sums[member.share().half()][g] = block;
      member.hand_over(g);
    }
    const auto score = [&](std::size_t g) {
      if (sums[0][g] != block || sums[1][g] != block) ++wrong;
      scores[g] = block;
      ++times[g];
    };
    if (!member.score_groups(groups, score)) return false;
    for (std::size_t g = 0; g < groups; ++g) {
      if (!member.await_scores(g)) return false;
      if (scores[g] != block) ++wrong;
    }
    member.next_block();
    return true;
  }
};

void two_threads_hand_each_other_every_group_once() {
  constexpr std::size_t kBlocks = 60;
  Team team(2, true);
  HandedOver scalars;
  std::array<std::size_t, Team::kMostGroups> expected{};
  const auto groups = [](std::size_t block) { return 1 + block * 5 % Team::kMostGroups; };
  for (std::size_t block = 1; block <= kBlocks; ++block)
    for (std::size_t g = 0; g < groups(block); ++g) ++expected[g];
  run_team(2, [&](std::size_t thread) {
    Member member(team, thread);
    for (std::size_t block = 1; block <= kBlocks; ++block)
      scalars.train(member, block, groups(block));
  });
  BITSENSE_CHECK(scalars.wrong == 0 && scalars.times == expected);
}

// More of them meet after each phase.
void members_meet() {
  for (const std::size_t threads : {1U, 3U, 5U, 18U}) {
    Team team(threads);
    std::vector<std::size_t> phase(threads);
    std::atomic<std::size_t> wrong{0};
    run_team(threads, [&](std::size_t thread) {
      Member member(team, thread);
      for (std::size_t round = 1; round <= 60; ++round) {
        phase[thread] = round;
        if (!member.meet()) ++wrong;
        for (const std::size_t other : phase)
          if (other != round) ++wrong;
        if (!member.meet()) ++wrong;
      }
    });
    BITSENSE_CHECK(wrong == 0);
  }
}

void a_member_that_fails_ends_the_waits_of_all() {
  for (const std::size_t threads : {2U, 5U}) {
    Team team(threads, threads == 2);  // two have half of the columns each
    HandedOver scalars;
    std::atomic<std::size_t> stopped{0};
    const std::string what = error_of<std::invalid_argument>([&] {
      run_team(
          threads,
          [&](std::size_t thread) {
            Member member(team, thread);
            for (std::size_t block = 1; block < 1000; ++block) {
              require(thread > 0 || block < 10, "enough");
              if (threads == 2 ? !scalars.train(member, block, Team::kMostGroups)
                               : !member.meet()) {
                ++stopped;
                return;
              }
            }
          },
          &team.failed());
    });
    BITSENSE_CHECK(what == "enough" && stopped == threads - 1 && scalars.wrong == 0);
  }
}

void tasks_are_done_once_each_ones_own_first() {
  for (const std::size_t threads : {1U, 2U, 5U}) {
    Tasks tasks(threads);
    for (const std::size_t count : {0U, 1U, 4U, 200U}) {
      tasks.begin(count);
      std::vector<std::atomic<int>> times(count);
      run_team(threads, [&](std::size_t thread) {
        for (std::size_t task; tasks.take(thread, task);) ++times[task];
      });
      for (const auto& each : times) BITSENSE_CHECK(each == 1);
    }
  }
  Tasks tasks(2);
  tasks.begin(5);
  std::vector<std::size_t> order;
  for (std::size_t task; tasks.take(1, task);) order.push_back(task);
  BITSENSE_CHECK((order == std::vector<std::size_t>{2, 3, 4, 0, 1}));
}

}  // namespace

void team_tests(Suite& test) {
  test("tables are split into halves and joined", tables_are_split_into_halves_and_joined);
  test("tasks are done once, each one's own first", tasks_are_done_once_each_ones_own_first);
  test("two threads hand each other every group once",
       two_threads_hand_each_other_every_group_once);
  test("members of a team meet", members_meet);
  test("a member that fails ends the waits of all", a_member_that_fails_ends_the_waits_of_all);
}

}  // namespace bitsense
