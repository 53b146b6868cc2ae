// The building of a graph, for one space of items; see graph.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/large_pages.hpp"
#include "core/rng.hpp"
#include "search/graph.hpp"
#include "search/graph_copies.hpp"
#include "search/graph_prune.hpp"
#include "search/graph_walk.hpp"

namespace bitsense {

template <class Space>
class GraphBuilder {
 public:
  GraphBuilder(const Space& space, const GraphOptions& options, const GraphRun& run)
      : space_(space),
        options_(options),
        run_(run),
        width_(options.degree + std::max<std::size_t>(options.degree / 3, 4)),
        lists_(space.rows() * width_),
        sizes_(space.rows()),
        workers_(std::max<std::size_t>(run.threads, 1), Worker(space, options.alpha)) {}

  GraphParts build(const GraphView& old, std::uint32_t* neighbors) {
    link(old, neighbors);
    connect(neighbors);
    return std::move(parts_);
  }

  // The same, but some rows may lead to others only, and nothing to them.
  void link(const GraphView& old, std::uint32_t* neighbors) {
    parts_.copies = find_copies(space_.data(), space_.rows(), space_.bytes());
    std::fill(lists_.begin(), lists_.end(), kNoRow);
    take_old(old);
    order_ = insertion_order(old.rows);
    choose_entries();
    std::size_t done = 0;
    while (done < order_.size()) {
      const std::size_t before = old.rows + done;
      const std::size_t largest = std::max<std::size_t>(kLeastBatch, space_.rows() / 50);
      const std::size_t batch = std::clamp<std::size_t>(before / 4, 1, largest);
      const std::size_t last = std::min(order_.size(), done + batch);
      insert(order_.data() + done, last - done);
      done = last;
    }
    finish(neighbors);
  }

 private:
  static constexpr std::size_t kLeastBatch = 64;
  static constexpr std::size_t kBlock = 32;  // rows that a thread takes at once

  struct Worker {
    Worker(const Space& space, float alpha) : pruner(space, alpha) {}
    std::vector<Walk<Space>> lanes;
    Pruner<Space> pruner;
    typename Space::Asked asked;
    std::vector<Pair> candidates;
    std::vector<std::uint32_t> rows, keys;
  };

  std::uint32_t* list(std::size_t row) { return lists_.data() + row * width_; }

  template <class Body>
  void for_blocks(std::size_t count, Body&& body) {
    parallel_for(
        run_.threads, (count + kBlock - 1) / kBlock,
        [&](std::size_t block, std::size_t thread) {
          const std::size_t first = block * kBlock;
          body(first, std::min(count, first + kBlock), workers_[thread]);
        },
        run_.poll);
  }

  void take_old(const GraphView& old) {
    for (std::size_t i = 0; i < old.rows; ++i) {
      const std::size_t most = std::min(old.degree, width_);
      std::size_t& size = sizes_[i];
      for (; size < most && old.row(i)[size] != kNoRow; ++size) list(i)[size] = old.row(i)[size];
    }
    parts_.entries.assign(old.entries, old.entries + old.entry_count);
    usable_entries_ = old.entry_count;
  }

  // The new rows but for copies of others, in a random order.
  std::vector<std::uint32_t> insertion_order(std::size_t first) {
    std::vector<char> is_copy(parts_.copies.size());
    for (const std::uint32_t row : parts_.copies)
      if (row != kNoRow) is_copy[row] = 1;
    std::vector<std::uint32_t> order;
    for (std::size_t i = first; i < space_.rows(); ++i) {
      if (is_copy.empty() || is_copy[i] == 0) order.push_back(static_cast<std::uint32_t>(i));
    }
    Rng rng(stream(options_.seed, first));
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[rng.below(static_cast<std::uint32_t>(i))]);
    }
    return order;
  }

  // An eighth of the square root of the rows: more cost more than they save, but a filter has to
  // leave some. They are those inserted first, so that a search may begin at them.
  void choose_entries() {
    const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(space_.rows())));
    const std::size_t wanted = std::clamp<std::size_t>(root / 8, 32, 256);
    for (std::size_t i = 0; i < order_.size() && parts_.entries.size() < wanted; ++i) {
      parts_.entries.push_back(order_[i]);
    }
  }

  void insert(const std::uint32_t* rows, std::size_t count) {
    search(rows, count);
    reverse(rows, count);
    usable_entries_ = std::min(parts_.entries.size(), usable_entries_ + count);
  }

  // Gives each of the rows its neighbours among those inserted before.
  void search(const std::uint32_t* rows, std::size_t count) {
    const GraphView graph{lists_.data(),         space_.rows(),   width_,
                          parts_.entries.data(), usable_entries_, nullptr};
    for_blocks(count, [&](std::size_t first, std::size_t last, Worker& worker) {
      run_walks(
          worker.lanes, last - first,
          [&](Walk<Space>& walk, std::size_t i) {
            space_.ask_row(walk.asked(), rows[first + i]);
            walk.begin(space_, graph, nullptr, options_.ef);
          },
          [&](const Walk<Space>& walk, std::size_t i) {
            const PairQueue& found = walk.found();
            const std::uint32_t row = rows[first + i];
            sizes_[row] =
                worker.pruner.prune(found.begin(), found.size(), options_.degree, list(row));
          });
    });
  }

  // Adds the edges back to the rows from their neighbours.
  void reverse(const std::uint32_t* rows, std::size_t count) {
    edges_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < sizes_[rows[i]]; ++j) {
        edges_.push_back(static_cast<std::uint64_t>(list(rows[i])[j]) << 32 | rows[i]);
      }
    }
    std::sort(edges_.begin(), edges_.end());
    starts_.clear();
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      if (i == 0 || edges_[i] >> 32 != edges_[i - 1] >> 32) starts_.push_back(i);
    }
    starts_.push_back(edges_.size());
    for_blocks(starts_.size() - 1, [&](std::size_t first, std::size_t last, Worker& worker) {
      for (std::size_t i = first; i < last; ++i) {
        add_neighbors(edges_.data() + starts_[i], starts_[i + 1] - starts_[i], worker);
      }
    });
  }

  // The edges lead from one row to `count` others.
  void add_neighbors(const std::uint64_t* edges, std::size_t count, Worker& worker) {
    const auto row = static_cast<std::uint32_t>(edges[0] >> 32);
    std::size_t& size = sizes_[row];
    if (size + count <= width_) {
      for (std::size_t i = 0; i < count; ++i) {
        list(row)[size++] = static_cast<std::uint32_t>(edges[i]);
      }
      return;
    }
    worker.rows.assign(list(row), list(row) + size);
    for (std::size_t i = 0; i < count; ++i) {
      worker.rows.push_back(static_cast<std::uint32_t>(edges[i]));
    }
    rank(row, worker);
    size = worker.pruner.prune(worker.candidates.data(), worker.candidates.size(), options_.degree,
                               list(row));
    std::fill(list(row) + size, list(row) + width_, kNoRow);
  }

  // Makes candidates of worker.rows, in order of their distance to the row.
  void rank(std::uint32_t row, Worker& worker) {
    const std::size_t count = worker.rows.size();
    worker.keys.resize(count);
    worker.candidates.resize(count);
    space_.ask_row(worker.asked, row);
    space_.measure(worker.asked, worker.rows.data(), count, worker.keys.data());
    for (std::size_t i = 0; i < count; ++i) {
      worker.candidates[i] = make_pair_of(worker.keys[i], worker.rows[i]);
    }
    std::sort(worker.candidates.begin(), worker.candidates.end());
  }

  // Writes the lists in order of distance, cut to the degree.
  void finish(std::uint32_t* neighbors) {
    for_blocks(space_.rows(), [&](std::size_t first, std::size_t last, Worker& worker) {
      for (std::size_t i = first; i < last; ++i) {
        std::uint32_t* out = neighbors + i * options_.degree;
        worker.rows.assign(list(i), list(i) + sizes_[i]);
        rank(static_cast<std::uint32_t>(i), worker);
        std::size_t size = worker.candidates.size();
        if (size > options_.degree) {
          size = worker.pruner.prune(worker.candidates.data(), size, options_.degree, out);
        } else {
          for (std::size_t j = 0; j < size; ++j) out[j] = row_of_pair(worker.candidates[j]);
        }
        std::fill(out + size, out + options_.degree, kNoRow);
      }
    });
  }

  // Lets every row be reached from the entries: from a neighbour of its own that has room, or as
  // one more entry.
  void connect(std::uint32_t* neighbors) {
    std::vector<char> reached(space_.rows());
    std::vector<std::uint32_t> open;
    const auto reach = [&](std::uint32_t row) {
      if (reached[row] != 0) return;
      reached[row] = 1;
      open.push_back(row);
    };
    const auto spread = [&] {
      while (!open.empty()) {
        const std::uint32_t* list = neighbors + open.back() * options_.degree;
        open.pop_back();
        for (std::size_t j = 0; j < options_.degree && list[j] != kNoRow; ++j) reach(list[j]);
      }
    };
    for (const std::uint32_t row : parts_.entries) reach(row);
    spread();
    for (const std::uint32_t row : order_) {
      if (reached[row] != 0) continue;
      if (!link_back(neighbors, row, reached)) parts_.entries.push_back(row);
      reach(row);
      spread();
    }
  }

  // Adds an edge to the row from one of its neighbours that is reached and has room.
  bool link_back(std::uint32_t* neighbors, std::uint32_t row, const std::vector<char>& reached) {
    const std::uint32_t* list = neighbors + row * options_.degree;
    for (std::size_t j = 0; j < options_.degree && list[j] != kNoRow; ++j) {
      if (reached[list[j]] == 0) continue;
      std::uint32_t* back = neighbors + list[j] * options_.degree;
      std::uint32_t* room = std::find(back, back + options_.degree, kNoRow);
      if (room == back + options_.degree) continue;
      *room = row;
      return true;
    }
    return false;
  }

  const Space& space_;
  GraphOptions options_;
  GraphRun run_;
  std::size_t width_;  // of the lists while they grow: a list is cut when it is full
  std::vector<std::uint32_t, LargePages<std::uint32_t>> lists_;
  std::vector<std::size_t> sizes_;
  std::vector<Worker> workers_;
  GraphParts parts_;
  std::vector<std::uint32_t> order_;  // in which the new rows are inserted
  std::vector<std::uint64_t> edges_;  // of a batch reversed: to << 32 | from, in order
  std::vector<std::size_t> starts_;   // of the edges to each row
  std::size_t usable_entries_ = 0;    // entries that are part of the graph so far
};

}  // namespace bitsense
