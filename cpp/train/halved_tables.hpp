// Tables whose rows lie in two halves (kHalfLanes) while two threads train: first the columns of
// the first half of all rows, then those of the second.
//
// Two threads then touch no line in common (word_step.hpp), and no neighbours either: where both
// halves of a row lie side by side, the prefetchers of the processor, which go on where a thread
// has read, take the other thread's lines away from it. That makes moving rows twice as slow.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "kernels/word_kernels.hpp"
#include "train/word_options.hpp"

namespace bitsense {

// Half of a table that is split, or has room for rows that are.
inline Table half_of(const Table& table, std::size_t half) {
  const std::size_t columns = table.stride / 2;
  return {table.data + half * table.rows * columns, table.rows, columns};
}

inline void take_half(std::initializer_list<Table*> tables, std::size_t half) {
  for (Table* table : tables) *table = half_of(*table, half);
}

// Splits tables in their place, and puts them in order again in the end.
class HalvedTables {
 public:
  // Beside a table there is memory for at most `most_room` floats, or for one row.
  HalvedTables(std::span<const Table> tables, std::size_t threads,
               std::size_t most_room = std::size_t{1} << 22);
  ~HalvedTables();
  HalvedTables(const HalvedTables&) = delete;
  HalvedTables& operator=(const HalvedTables&) = delete;

  void split();
  void join();

 private:
  struct Halved {
    Table table;
    std::size_t half;  // floats of a row in either half
    std::size_t room;  // floats of memory, for the first halves of as many rows as fit
    std::unique_ptr<float[]> memory;  // and behind them for one second half
    bool is_split = false;
  };
  static void split(const Table& rows, const Halved& halved);
  static void join(const Table& rows, const Halved& halved);
  void set(bool split, std::size_t threads);

  std::vector<Halved> tables_;
  std::size_t threads_;
};

}  // namespace bitsense
