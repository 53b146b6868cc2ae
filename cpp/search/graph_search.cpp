#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

#include "core/errors.hpp"
#include "search/graph.hpp"
#include "search/graph_spaces.hpp"
#include "search/graph_walk.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kBlockQueries = 64;  // that a thread takes at once

// Which rows may be found, and which of the walk's rows lead to one: that or a copy of it passes.
struct Passing {
  Passing(const Filter& rows, const GraphView& graph) : filter(rows) {
    if (!filter.active()) return;
    const std::size_t words = (graph.rows + 63) / 64;
    any.resize(words);
    for (std::size_t w = 0; w < words; ++w) any[w] = filter.word(w);
    if (graph.copies == nullptr) return;
    for (std::size_t i = graph.rows; i-- > 0;) {
      const std::uint32_t next = graph.copies[i];
      if (next != kNoRow && (any[next / 64] >> (next % 64) & 1) != 0) {
        any[i / 64] |= std::uint64_t{1} << (i % 64);
      }
    }
  }
  const std::uint64_t* walk() const { return filter.active() ? any.data() : nullptr; }

  const Filter& filter;
  std::vector<std::uint64_t> any;
};

template <class Space>
class GraphSearcher {
 public:
  GraphSearcher(const Space& space, const GraphView& graph, std::size_t k, std::size_t ef,
                const Passing& passing)
      : space_(space), graph_(graph), k_(k), ef_(std::max(k, ef)), passing_(passing) {}

  // `rows` and `distances` are k per query.
  template <class Query>
  void search(const Query& query, std::size_t count, std::int64_t* rows,
              typename Space::Distance* distances) {
    run_walks(
        lanes_, count,
        [&](Walk<Space>& walk, std::size_t i) {
          space_.ask(walk.asked(), query(i));
          walk.begin(space_, graph_, passing_.walk(), ef_);
        },
        [&](Walk<Space>& walk, std::size_t i) {
          collect(walk.found());
          if (found_.size() < k_) compare_all(walk.asked());
          for (std::size_t j = 0; j < k_; ++j) {
            rows[i * k_ + j] = row_of_pair(found_[j]);
            distances[i * k_ + j] = Space::distance(key_of_pair(found_[j]));
          }
        });
  }

 private:
  // The nearest rows of the walk that pass, with their copies, in order.
  void collect(const PairQueue& walked) {
    found_.clear();
    std::size_t first = 0;  // of the pairs at the same distance
    for (const Pair pair : walked) {
      const std::uint32_t key = key_of_pair(pair);
      if (!found_.empty() && key_of_pair(found_.back()) != key) {
        std::sort(found_.begin() + static_cast<std::ptrdiff_t>(first), found_.end());
        first = found_.size();
        if (first >= k_) break;
      }
      std::uint32_t row = row_of_pair(pair);
      for (std::size_t taken = 0; row != kNoRow && taken < k_;) {
        if (passing_.filter.passes(row)) {
          found_.push_back(make_pair_of(key, row));
          ++taken;
        }
        row = graph_.copies == nullptr ? kNoRow : graph_.copies[row];
      }
    }
    std::sort(found_.begin() + static_cast<std::ptrdiff_t>(first), found_.end());
  }

  // The nearest of all rows that pass.
  void compare_all(const typename Space::Asked& asked) {
    nearest_.reset(k_);
    rows_.clear();
    const auto flush = [&] {
      keys_.resize(rows_.size());
      space_.measure(asked, rows_.data(), rows_.size(), keys_.data());
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        nearest_.push(make_pair_of(keys_[i], rows_[i]));
      }
      rows_.clear();
    };
    for (std::size_t first = 0; first < graph_.rows; first += 64) {
      std::uint64_t left = passing_.filter.word(first / 64);
      if (graph_.rows - first < 64) left &= (std::uint64_t{1} << (graph_.rows - first)) - 1;
      for (; left != 0; left &= left - 1) {
        rows_.push_back(static_cast<std::uint32_t>(first) +
                        static_cast<std::uint32_t>(std::countr_zero(left)));
      }
      if (rows_.size() >= 256) flush();
    }
    flush();
    found_.assign(nearest_.begin(), nearest_.end());
  }

  const Space& space_;
  GraphView graph_;
  std::size_t k_, ef_;
  const Passing& passing_;
  std::vector<Walk<Space>> lanes_;
  std::vector<Pair> found_;
  PairQueue nearest_;
  std::vector<std::uint32_t> rows_, keys_;
};

template <class Space, class Query>
void search(const Space& space, const GraphView& graph, std::size_t queries, const Query& query,
            std::size_t k, std::size_t ef, const Filter& filter, const GraphRun& run,
            std::int64_t* rows, typename Space::Distance* distances) {
  require(graph.rows == space.rows(), "`neighbors` must have ", space.rows(), " rows, got ",
          graph.rows);
  require(k <= filter.passing(graph.rows), "`k` must be at most ", filter.passing(graph.rows),
          ", got ", k);
  if (k == 0 || queries == 0) return;
  const Passing passing(filter, graph);
  std::vector<GraphSearcher<Space>> searchers(std::max<std::size_t>(run.threads, 1),
                                              {space, graph, k, std::min(ef, graph.rows), passing});
  parallel_for(
      run.threads, (queries + kBlockQueries - 1) / kBlockQueries,
      [&](std::size_t block, std::size_t thread) {
        const std::size_t first = block * kBlockQueries;
        const std::size_t count = std::min(kBlockQueries, queries - first);
        searchers[thread].search([&](std::size_t i) { return query(first + i); }, count,
                                 rows + first * k, distances + first * k);
      },
      run.poll);
}

}  // namespace

void search_graph(const GraphView& graph, const CodesView& items, const CodesView& queries,
                  std::size_t k, std::size_t ef, const Filter& filter, const GraphRun& run,
                  std::int64_t* rows, std::int32_t* distances) {
  require(items.bits == queries.bits, "`queries` must have ", items.bits, " bits, got ",
          queries.bits);
  search(
      CodeSpace(run.kernels, items), graph, queries.rows,
      [&](std::size_t i) { return queries.row(i); }, k, ef, filter, run, rows, distances);
}

void search_graph(const GraphView& graph, const RecordsView& items, const RecordsView& queries,
                  Metric metric, std::size_t k, std::size_t ef, const Filter& filter,
                  const GraphRun& run, std::int64_t* rows, float* distances) {
  require(items.stride == queries.stride, "`queries` must have ", items.stride, " columns, got ",
          queries.stride);
  search(
      RecordSpace(run.kernels, items, metric), graph, queries.rows,
      [&](std::size_t i) { return queries.row(i); }, k, ef, filter, run, rows, distances);
}

}  // namespace bitsense
