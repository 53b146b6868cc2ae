#include "train/halved_tables.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/parallel.hpp"

namespace bitsense {

namespace {

void move_floats(const float* from, std::size_t count, float* to) {
  std::memmove(to, from, count * sizeof(float));
}

// The columns of a half of a row, one behind the other, to `to`; or back from there.
void take_columns(const float* row, std::size_t stride, std::size_t half, float* to) {
  constexpr std::size_t kSome = kHalfLanes;
  for (std::size_t x = half * kSome; x < stride; x += 2 * kSome, to += kSome)
    std::memcpy(to, row + x, kSome * sizeof(float));
}

void put_columns(const float* from, std::size_t stride, std::size_t half, float* row) {
  constexpr std::size_t kSome = kHalfLanes;
  for (std::size_t x = half * kSome; x < stride; x += 2 * kSome, from += kSome)
    std::memcpy(row + x, from, kSome * sizeof(float));
}

// Its upper rows and its lower ones.
std::pair<Table, Table> two_parts(const Table& rows) {
  const std::size_t upper = rows.rows / 2;
  return {{rows.data, upper, rows.stride}, {rows.row(upper), rows.rows - upper, rows.stride}};
}

}  // namespace

HalvedTables::HalvedTables(std::span<const Table> tables, std::size_t threads,
                           std::size_t most_room)
    : threads_(threads) {
  for (const Table& table : tables) {
    const std::size_t half = table.stride / 2;
    const std::size_t room = std::max(half, std::min(table.rows * half, most_room));
    tables_.push_back({table, half, room, std::make_unique_for_overwrite<float[]>(room + half)});
  }
}

// Without other threads, and so without failing.
HalvedTables::~HalvedTables() { set(false, 1); }

void HalvedTables::split() { set(true, threads_); }

void HalvedTables::join() { set(false, threads_); }

void HalvedTables::set(bool split_them, std::size_t threads) {
  const auto is_done = [&](const Halved& halved) { return halved.is_split == split_them; };
  if (std::all_of(tables_.begin(), tables_.end(), is_done)) return;  // no threads for nothing
  parallel_for(threads, tables_.size(), [&](std::size_t i, std::size_t) {
    Halved& halved = tables_[i];
    if (is_done(halved)) return;
    if (split_them)
      split(halved.table, halved);
    else
      join(halved.table, halved);
    halved.is_split = split_them;
  });
}

// Rows whose first halves have room are split by way of the memory. Of more rows either half is
// split, and then what lies in the middle changes places.
void HalvedTables::split(const Table& rows, const Halved& halved) {
  const std::size_t half = halved.half;
  if (rows.rows * half <= halved.room) {
    float* const firsts = halved.memory.get();
    for (std::size_t i = 0; i < rows.rows; ++i)
      take_columns(rows.row(i), rows.stride, 0, firsts + i * half);
    float* const seconds = rows.data + rows.rows * half;
    float* const row = firsts + halved.room;  // where they go may be where they are
    for (std::size_t i = rows.rows; i-- > 0;) {
      take_columns(rows.row(i), rows.stride, 1, row);
      move_floats(row, half, seconds + i * half);
    }
    move_floats(firsts, rows.rows * half, rows.data);
    return;
  }
  const auto [upper, lower] = two_parts(rows);
  split(upper, halved);
  split(lower, halved);
  std::rotate(rows.data + upper.rows * half, lower.data, lower.data + lower.rows * half);
}

void HalvedTables::join(const Table& rows, const Halved& halved) {
  const std::size_t half = halved.half;
  if (rows.rows * half <= halved.room) {
    float* const firsts = halved.memory.get();
    move_floats(rows.data, rows.rows * half, firsts);
    const float* const seconds = rows.data + rows.rows * half;
    float* const row = firsts + halved.room;
    for (std::size_t i = 0; i < rows.rows; ++i) {
      move_floats(seconds + i * half, half, row);
      put_columns(row, rows.stride, 1, rows.row(i));
      put_columns(firsts + i * half, rows.stride, 0, rows.row(i));
    }
    return;
  }
  const auto [upper, lower] = two_parts(rows);
  float* const middle = rows.data + rows.rows * half;
  std::rotate(rows.data + upper.rows * half, middle, middle + upper.rows * half);
  join(upper, halved);
  join(lower, halved);
}

}  // namespace bitsense
