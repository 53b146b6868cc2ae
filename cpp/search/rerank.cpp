#include "search/rerank.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/errors.hpp"
#include "search/stored_vectors.hpp"

namespace bitsense {

namespace {

// The signed partial sums of one query: entry [byte][value].
class SignTables {
 public:
  SignTables(const float* query, std::size_t bits) : bytes_(code_bytes(bits)), sums_(bytes_ * 256) {
    for (std::size_t b = 0; b < bytes_; ++b) {
      double* sums = sums_.data() + 256 * b;
      for (unsigned value = 0; value < 256; ++value) {
        for (std::size_t j = 0; j < 8 && 8 * b + j < bits; ++j) {
          const double q = query[8 * b + j];
          sums[value] += (value >> (7 - j) & 1U) != 0 ? q : -q;
        }
      }
    }
  }

  float score(const std::uint8_t* code) const {
    float result;
    scores<1>(code, &result);
    return result;
  }

  // The scores of Codes codes in a row: several at once, because one sum would wait for itself.
  template <std::size_t Codes>
  void scores(const std::uint8_t* codes, float* results) const {
    double sum[Codes] = {};
    for (std::size_t b = 0; b < bytes_; ++b) {
      for (std::size_t i = 0; i < Codes; ++i) sum[i] += sums_[256 * b + codes[i * bytes_ + b]];
    }
    for (std::size_t i = 0; i < Codes; ++i) results[i] = static_cast<float>(sum[i]);
  }

 private:
  std::size_t bytes_;
  std::vector<double> sums_;
};

class Cosine {
 public:
  Cosine(const float* query, std::size_t dim)
      : query_(query), dim_(dim), norm_(std::sqrt(exact_dot(query, query, dim))) {}

  float score(const float* item) const {
    const double norms = norm_ * std::sqrt(exact_dot(item, item, dim_));
    return norms > 0 ? static_cast<float>(exact_dot(query_, item, dim_) / norms) : 0.0F;
  }

 private:
  const float* query_;
  std::size_t dim_;
  double norm_;
};

// Orders each query's shortlist by its scorer; make(q) gives an object with score(row of the
// items).
template <class Items, class MakeScorer>
void rerank(const Items& items, const Shortlist& shortlist, std::size_t k, std::size_t threads,
            const Poll& poll, MakeScorer&& make, std::int64_t* ids, float* scores) {
  require(k <= shortlist.size, "`k` must be at most ", shortlist.size, ", got ", k);
  parallel_for(
      threads, shortlist.queries,
      [&](std::size_t q, std::size_t /*thread*/) {
        const auto scorer = make(q);
        std::vector<std::pair<float, std::int64_t>> found(shortlist.size);
        for (std::size_t i = 0; i < shortlist.size; ++i) {
          const std::int64_t id = shortlist.ids[q * shortlist.size + i];
          if (id < 0 || static_cast<std::size_t>(id) >= items.rows) {
            throw std::out_of_range(
                text("`shortlist` must hold rows below ", items.rows, ", got ", id));
          }
          found[i] = {-scorer.score(items.row(static_cast<std::size_t>(id))), id};
        }
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(k),
                          found.end());
        for (std::size_t i = 0; i < k; ++i) {
          ids[q * k + i] = found[i].second;
          scores[q * k + i] = 0.0F - found[i].first;  // not -x: a score of 0 is never -0
        }
      },
      poll);
}

}  // namespace

void rerank_cosine(const VectorsView& queries, const VectorsView& items, const Shortlist& shortlist,
                   std::size_t k, std::size_t threads, const Poll& poll, std::int64_t* ids,
                   float* scores) {
  require(queries.dim == items.dim, "`query_vectors` must have ", items.dim, " columns, got ",
          queries.dim);
  rerank(
      items, shortlist, k, threads, poll,
      [&](std::size_t q) { return Cosine(queries.row(q), queries.dim); }, ids, scores);
}

void rerank_asymmetric(const VectorsView& queries, const CodesView& items,
                       const Shortlist& shortlist, std::size_t k, std::size_t threads,
                       const Poll& poll, std::int64_t* ids, float* scores) {
  require(queries.dim == items.bits, "`query_vectors` must have ", items.bits, " columns, got ",
          queries.dim);
  rerank(
      items, shortlist, k, threads, poll,
      [&](std::size_t q) { return SignTables(queries.row(q), queries.dim); }, ids, scores);
}

void asymmetric_scores(const VectorsView& queries, const CodesView& codes, std::size_t threads,
                       const Poll& poll, float* scores) {
  require(queries.dim == codes.bits, "`query_vectors` must have ", codes.bits, " columns, got ",
          queries.dim);
  parallel_for(
      threads, queries.rows,
      [&](std::size_t q, std::size_t /*thread*/) {
        const SignTables tables(queries.row(q), queries.dim);
        float* row = scores + q * codes.rows;
        std::size_t i = 0;
        for (; i + 8 <= codes.rows; i += 8) tables.scores<8>(codes.row(i), row + i);
        for (; i < codes.rows; ++i) row[i] = tables.score(codes.row(i));
      },
      poll);
}

}  // namespace bitsense
