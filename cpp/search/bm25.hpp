// An inverted index of documents, searched by BM25 (Robertson and Zaragoza, "The probabilistic
// relevance framework: BM25 and beyond", 2009). With N documents, of which df hold a term,
//
//   score(q, d) = sum over the terms t of q of  n(t, q) idf(t) tf (k1 + 1) / (tf + norm(d))
//   norm(d)     = k1 (1 - b + b length(d) / mean length)
//   idf(t)      = ln(1 + (N - df + 1/2) / (df + 1/2))      never below 0, as in Lucene
//
// where n(t, q) and tf say how often t is in the query and in the document. A sum is taken in
// double, in the order in which the terms appear first in the query, so the score of a pair depends
// on nothing else in the call. Answers are ordered by (score as float32, falling; row).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/parallel.hpp"
#include "search/filter.hpp"

namespace bitsense {

// Documents or queries as ids of terms: text i has ids[offsets[i]] to ids[offsets[i + 1]].
struct TermLists {
  std::span<const std::uint32_t> ids;
  std::span<const std::uint64_t> offsets;  // texts + 1, from 0 to ids.size(), not falling

  std::size_t size() const noexcept { return offsets.size() - 1; }
  std::span<const std::uint32_t> operator[](std::size_t i) const {
    return ids.subspan(offsets[i], offsets[i + 1] - offsets[i]);
  }
};

// The documents of each term: term t has the places offsets[t] to offsets[t + 1], rows ascending.
struct Postings {
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> counts;  // how often the term is in the document, at least 1

  std::size_t terms() const noexcept { return offsets.size() - 1; }
};

struct Bm25Options {
  double k1;
  double b;
};

class Bm25 {
 public:
  explicit Bm25(const Bm25Options& options) : options_(options) {}

  // From untrusted parts; throws FormatError unless they fit each other.
  Bm25(const Bm25Options& options, Postings postings, std::vector<std::uint32_t> lengths);

  // Appends documents; `lengths` are their numbers of tokens. Runs of documents are merged so that
  // there are few of them: a document is moved as often as the index doubles.
  void add(const TermLists& documents, std::span<const std::uint32_t> lengths);

  std::size_t documents() const noexcept { return lengths_.size(); }
  const std::vector<std::uint32_t>& lengths() const noexcept { return lengths_; }
  Postings postings() const;  // of all documents

  // Writes the best k documents of each query that pass the filter, queries x k; k is at most the
  // number of those. Documents without a term of the query have score 0. Ids of terms that the
  // index does not have are passed over.
  void search(const TermLists& queries, std::size_t k, const Filter& filter, std::size_t threads,
              const Poll& poll, std::int64_t* rows, float* scores) const;

 private:
  void finish();
  void search_one(std::span<const std::uint32_t> terms, std::size_t k, const Filter& filter,
                  std::vector<double>& sums, std::int64_t* rows, float* scores) const;

  Bm25Options options_;
  // Rows are those of the whole index, a run's after those of the run before. Copies share runs.
  std::vector<std::shared_ptr<const Postings>> runs_;
  std::vector<std::uint32_t> lengths_;  // tokens of each document
  std::vector<double> norms_;           // of each document
  std::vector<double> idf_;             // of each term
};

}  // namespace bitsense
