// What a walk knows of the items: distances as keys, unsigned numbers in the order of the
// distances.
//
//   Asked                       what is compared with the items, and its scratch
//   ask(asked, query)           makes it of a query, ask_row(asked, i) of an item
//   measure(asked, rows, n, keys)
//   dominates(a, b, alpha)      is a so much nearer than b that b need not be kept beside it?
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/codes.hpp"
#include "core/prefetch.hpp"
#include "kernels/graph_kernels.hpp"
#include "search/records.hpp"

namespace bitsense {

class CodeSpace {
 public:
  using Distance = std::int32_t;
  struct Asked {
    const std::uint8_t* code = nullptr;
  };

  CodeSpace(const GraphKernels& kernels, const CodesView& items)
      : kernels_(kernels), items_(items) {}

  std::size_t rows() const { return items_.rows; }
  std::size_t bytes() const { return items_.bytes(); }
  const void* data() const { return items_.data; }
  void ask(Asked& asked, const std::uint8_t* query) const { asked.code = query; }
  void ask_row(Asked& asked, std::size_t i) const { asked.code = items_.row(i); }
  void prefetch(std::size_t i) const { ask_for_lines(items_.row(i), bytes()); }
  void measure(const Asked& asked, const std::uint32_t* rows, std::size_t count,
               std::uint32_t* keys) const {
    kernels_.code_distances(asked.code, items_.data, items_.bytes(), rows, count, keys);
  }
  static Distance distance(std::uint32_t key) { return static_cast<Distance>(key); }
  bool dominates(std::uint32_t a, std::uint32_t b, float alpha) const {
    return alpha * static_cast<float>(a) < static_cast<float>(b);
  }

 private:
  const GraphKernels& kernels_;
  CodesView items_;
};

// Queries and items are compared by the metric.
class RecordSpace {
 public:
  using Distance = float;
  struct Asked {
    std::vector<std::int8_t> values;  // zeros where a record has its two floats
    float scale = 0.0F, norm = 0.0F;
  };

  RecordSpace(const GraphKernels& kernels, const RecordsView& items, Metric metric)
      : kernels_(kernels), items_(items), metric_(metric) {}

  std::size_t rows() const { return items_.rows; }
  std::size_t bytes() const { return items_.stride; }
  const void* data() const { return items_.data; }
  void ask(Asked& asked, const std::int8_t* query) const {
    take(asked, {query, 1, items_.stride});
    asked.norm = 0.0F;
  }
  void ask_row(Asked& asked, std::size_t i) const {
    take(asked, {items_.row(i), 1, items_.stride});
  }
  void prefetch(std::size_t i) const { ask_for_lines(items_.row(i), bytes()); }
  void measure(const Asked& asked, const std::uint32_t* rows, std::size_t count,
               std::uint32_t* keys) const {
    kernels_.byte_dots(asked.values.data(), items_.data, items_.stride, rows, count,
                       reinterpret_cast<std::int32_t*>(keys));
    for (std::size_t i = 0; i < count; ++i) {
      const auto dot = static_cast<float>(static_cast<std::int32_t>(keys[i]));
      const float product = asked.scale * items_.scale(rows[i]) * dot;
      keys[i] = key_of(metric_ == Metric::kEuclidean
                           ? (items_.norm(rows[i]) + asked.norm) - 2.0F * product
                           : 0.0F - product);
    }
  }
  static Distance distance(std::uint32_t key) {
    return std::bit_cast<float>((key >> 31) != 0 ? key ^ kSign : ~key);
  }
  bool dominates(std::uint32_t a, std::uint32_t b, float alpha) const {
    if (metric_ == Metric::kInnerProduct) return a < b;  // it has no zero from which to stretch
    return alpha * distance(a) < distance(b);
  }

 private:
  static constexpr std::uint32_t kSign = 0x80000000;

  // Floats as numbers in the same order.
  static std::uint32_t key_of(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return (bits >> 31) != 0 ? ~bits : bits ^ kSign;
  }
  static void take(Asked& asked, const RecordsView& record) {
    asked.values.assign(record.data, record.data + record.stride);
    std::memset(asked.values.data() + record.stride - 8, 0, 8);
    asked.scale = record.scale(0);
    asked.norm = record.norm(0);
  }

  const GraphKernels& kernels_;
  RecordsView items_;
  Metric metric_;
};

}  // namespace bitsense
