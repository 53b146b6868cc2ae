#include "search/bm25.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/errors.hpp"

namespace bitsense {

namespace {

// The distinct terms of each document, with their counts.
class Distinct {
 public:
  // Calls take(term, count) for each distinct term, in ascending order.
  template <class Take>
  void each(std::span<const std::uint32_t> terms, Take&& take) {
    sorted_.assign(terms.begin(), terms.end());
    std::sort(sorted_.begin(), sorted_.end());
    for (std::size_t i = 0; i < sorted_.size();) {
      std::size_t end = i + 1;
      while (end < sorted_.size() && sorted_[end] == sorted_[i]) ++end;
      take(sorted_[i], static_cast<std::uint32_t>(end - i));
      i = end;
    }
  }

 private:
  std::vector<std::uint32_t> sorted_;
};

// Turns sizes, at offsets[t + 1], into offsets.
void accumulate(std::vector<std::uint64_t>& offsets) {
  for (std::size_t t = 1; t < offsets.size(); ++t) offsets[t] += offsets[t - 1];
}

Postings inverted(const TermLists& documents, std::size_t first_row) {
  Postings result;
  Distinct distinct;
  std::uint32_t terms = 0;
  for (const std::uint32_t id : documents.ids) terms = std::max(terms, id + 1);
  result.offsets.assign(std::size_t{terms} + 1, 0);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    distinct.each(documents[i], [&](std::uint32_t t, std::uint32_t) { ++result.offsets[t + 1]; });
  }
  accumulate(result.offsets);
  result.rows.resize(result.offsets.back());
  result.counts.resize(result.offsets.back());
  std::vector<std::uint64_t> next(result.offsets.begin(), result.offsets.end() - 1);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    distinct.each(documents[i], [&](std::uint32_t t, std::uint32_t count) {
      result.rows[next[t]] = static_cast<std::uint32_t>(first_row + i);
      result.counts[next[t]++] = count;
    });
  }
  return result;
}

// All rows of `a` are below those of `b`.
Postings merged(const Postings& a, const Postings& b) {
  Postings result;
  result.offsets.assign(std::max(a.terms(), b.terms()) + 1, 0);
  result.rows.reserve(a.rows.size() + b.rows.size());
  result.counts.reserve(a.rows.size() + b.rows.size());
  for (std::size_t t = 0; t + 1 < result.offsets.size(); ++t) {
    for (const Postings* part : {&a, &b}) {
      if (t >= part->terms()) continue;
      const auto first = static_cast<std::ptrdiff_t>(part->offsets[t]);
      const auto last = static_cast<std::ptrdiff_t>(part->offsets[t + 1]);
      result.rows.insert(result.rows.end(), part->rows.begin() + first, part->rows.begin() + last);
      result.counts.insert(result.counts.end(), part->counts.begin() + first,
                           part->counts.begin() + last);
    }
    result.offsets[t + 1] = result.rows.size();
  }
  return result;
}

void check_format(bool holds, const char* what) {
  if (!holds) throw FormatError(text("corrupt: the postings ", what));
}

void check_postings(const Postings& postings, std::size_t documents) {
  const auto& offsets = postings.offsets;
  check_format(
      !offsets.empty() && offsets.front() == 0 && std::is_sorted(offsets.begin(), offsets.end()) &&
          offsets.back() == postings.rows.size() && postings.counts.size() == postings.rows.size(),
      "have offsets that do not rise to their end");
  for (std::size_t t = 0; t < postings.terms(); ++t) {
    for (std::uint64_t i = offsets[t]; i < offsets[t + 1]; ++i) {
      const bool ascends = i == offsets[t] || postings.rows[i - 1] < postings.rows[i];
      check_format(ascends && postings.rows[i] < documents, "have rows out of order");
      check_format(postings.counts[i] > 0, "have a count of 0");
    }
  }
}

struct Hit {
  float score;
  std::uint32_t row;
};

bool before(const Hit& a, const Hit& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

}  // namespace

Bm25::Bm25(const Bm25Options& options, Postings postings, std::vector<std::uint32_t> lengths)
    : options_(options), lengths_(std::move(lengths)) {
  check_postings(postings, lengths_.size());
  runs_.push_back(std::make_shared<const Postings>(std::move(postings)));
  finish();
}

void Bm25::add(const TermLists& documents, std::span<const std::uint32_t> lengths) {
  require(documents.size() == lengths.size(), "`lengths` must have ", documents.size(),
          " items, got ", lengths.size());
  require(lengths_.size() + lengths.size() <= std::numeric_limits<std::uint32_t>::max(),
          "`texts` must make fewer than 2^32 documents together");
  auto runs = runs_;
  Postings last = inverted(documents, lengths_.size());
  while (!runs.empty() && runs.back()->rows.size() <= 2 * last.rows.size()) {
    last = merged(*runs.back(), last);
    runs.pop_back();
  }
  runs.push_back(std::make_shared<const Postings>(std::move(last)));
  lengths_.insert(lengths_.end(), lengths.begin(), lengths.end());
  runs_ = std::move(runs);
  finish();
}

void Bm25::finish() {
  const auto count = static_cast<double>(lengths_.size());
  double total = 0;
  for (const std::uint32_t length : lengths_) total += length;
  const double mean = total > 0 ? total / count : 1.0;
  norms_.resize(lengths_.size());
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    norms_[i] = options_.k1 * (1 - options_.b + options_.b * lengths_[i] / mean);
  }
  std::size_t terms = 0;
  for (const auto& run : runs_) terms = std::max(terms, run->terms());
  std::vector<double> frequency(terms);
  for (const auto& run : runs_) {
    for (std::size_t t = 0; t < run->terms(); ++t) {
      frequency[t] += static_cast<double>(run->offsets[t + 1] - run->offsets[t]);
    }
  }
  idf_.resize(terms);
  for (std::size_t t = 0; t < terms; ++t) {
    idf_[t] = std::log1p((count - frequency[t] + 0.5) / (frequency[t] + 0.5));
  }
}

Postings Bm25::postings() const {
  Postings all;
  for (const auto& run : runs_) all = merged(all, *run);
  return all;
}

void Bm25::search(const TermLists& queries, std::size_t k, const Filter& filter,
                  std::size_t threads, const Poll& poll, std::int64_t* rows, float* scores) const {
  require(k <= filter.passing(documents()), "`k` must be at most ", filter.passing(documents()),
          ", got ", k);
  std::vector<std::vector<double>> sums(std::max<std::size_t>(1, threads));
  parallel_for(
      threads, queries.size(),
      [&](std::size_t q, std::size_t thread) {
        sums[thread].resize(documents());
        search_one(queries[q], k, filter, sums[thread], rows + q * k, scores + q * k);
      },
      poll);
}

// `sums` is zero for every document, and is so again at the end.
void Bm25::search_one(std::span<const std::uint32_t> terms, std::size_t k, const Filter& filter,
                      std::vector<double>& sums, std::int64_t* rows, float* scores) const {
  std::vector<std::uint32_t> touched;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const std::uint32_t t = terms[i];
    const auto seen = terms.begin() + static_cast<std::ptrdiff_t>(i);
    if (t >= idf_.size() || std::find(terms.begin(), seen, t) != seen) continue;
    const double times = static_cast<double>(std::count(seen, terms.end(), t));
    const double weight = times * idf_[t] * (options_.k1 + 1);
    for (const auto& run : runs_) {
      if (t >= run->terms()) continue;
      for (std::uint64_t p = run->offsets[t]; p < run->offsets[t + 1]; ++p) {
        const std::uint32_t row = run->rows[p];
        if (sums[row] == 0) touched.push_back(row);
        sums[row] += weight * run->counts[p] / (run->counts[p] + norms_[row]);
      }
    }
  }
  std::vector<Hit> hits;  // a heap of the best k so far, the worst of them first
  for (const std::uint32_t row : touched) {
    const Hit hit{static_cast<float>(sums[row]), row};
    if (hits.size() == k && (k == 0 || !before(hit, hits.front()))) continue;
    if (!filter.passes(row)) continue;
    if (hits.size() == k) {
      std::pop_heap(hits.begin(), hits.end(), before);
      hits.pop_back();
    }
    hits.push_back(hit);
    std::push_heap(hits.begin(), hits.end(), before);
  }
  std::sort_heap(hits.begin(), hits.end(), before);
  const std::size_t found = hits.size();
  for (std::size_t i = 0; i < found; ++i) {
    rows[i] = hits[i].row;
    scores[i] = hits[i].score;
  }
  for (std::size_t i = found, row = 0; i < k; ++row) {
    if (sums[row] != 0 || !filter.passes(row)) continue;
    rows[i] = static_cast<std::int64_t>(row);
    scores[i++] = 0.0F;
  }
  for (const std::uint32_t row : touched) sums[row] = 0;
}

}  // namespace bitsense
