// The vectors of new documents under an encoder: sums of their words' rows, without a search.
#pragma once

#include <algorithm>

#include "core/parallel.hpp"
#include "train/infer.hpp"
#include "train/word_bags.hpp"

namespace bitsense {

inline void encode_words(const ModelView& view, const Documents& documents, const Kernels& kernels,
                         std::size_t threads, float* out, const Poll& poll) {
  constexpr std::size_t kDocuments = 64;  // of a task
  const std::size_t dim = view.shape.dim;
  const std::size_t stride = view.context.stride;
  const std::size_t tasks = (documents.count() + kDocuments - 1) / kDocuments;
  parallel_for(
      threads, tasks,
      [&](std::size_t task, std::size_t) {
        WordBag bag;
        std::vector<const float*> rows;
        AlignedFloats sum(stride);
        const std::size_t last = std::min((task + 1) * kDocuments, documents.count());
        for (std::size_t d = task * kDocuments; d < last; ++d) {
          fill_bag(documents[d], view.idf, bag);
          rows.clear();
          for (const std::uint32_t word : bag.words) rows.push_back(view.context.row(word));
          const float* weights = bag.inputs.data();
          float* a = sum.data();
          kernels.floats->multiply(&weights, 1, rows.data(), rows.size(), &a, 1, stride, false);
          std::copy_n(a, dim, out + d * dim);
        }
      },
      poll);
}

}  // namespace bitsense
