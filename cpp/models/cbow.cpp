#include "models/cbow.hpp"

#include <algorithm>

namespace bitsense {

void Cbow::add_contexts(WordPlan& plan, const Bags& bags) {
  Contexts& contexts = plan.contexts;
  const std::size_t size = plan.centres.size() + kRowQuantum;
  contexts.first.resize(size);
  contexts.last.resize(size);
  contexts.at.resize(size);
  contexts.share.resize(size);
  contexts.tokens.clear();
  for (std::size_t b = 0; b < plan.block_count(); ++b) {
    Contexts::Tokens tokens{UINT32_MAX, 0};
    for (std::size_t c = plan.blocks[b]; c < plan.blocks[b + 1]; ++c) {
      const Centre& centre = plan.centres[c];
      contexts.first[c] = centre.first;
      contexts.last[c] = centre.last;
      contexts.at[c] = centre.at;
      std::size_t rows = centre.contexts();
      if (!bags.empty()) {
        rows = 0;
        for (std::uint32_t t = centre.first; t < centre.last; ++t)
          if (t != centre.at) rows += bags[plan.tokens[t]].size();
      }
      contexts.share[c] = 1.0F / static_cast<float>(rows);
      tokens.begin = std::min(tokens.begin, centre.first);
      tokens.end = std::max(tokens.end, centre.last);
    }
    contexts.tokens.push_back(tokens);
  }
}

}  // namespace bitsense
