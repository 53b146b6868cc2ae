#include "train/word_step.hpp"

#include <type_traits>

#include "models/registry.hpp"
#include "train/cbow_step.hpp"
#include "train/sense_step.hpp"
#include "train/skip_gram_step.hpp"

namespace bitsense {

std::unique_ptr<WordStep> make_word_step(const std::string& model, const Kernels& kernels,
                                         const WordOptions& options, const WordTables& tables,
                                         std::size_t threads) {
  return WordModels::with(model, [&](auto m) -> std::unique_ptr<WordStep> {
    using Model = decltype(m);
    if constexpr (std::is_same_v<Model, DisambiguatedSkipGram>)
      return std::make_unique<SenseStep>(kernels, options, tables, threads);
    else if constexpr (std::is_same_v<Model, Cbow>)
      return std::make_unique<CbowStep>(kernels, options, tables, threads);
    else
      return std::make_unique<SkipGramStep>(kernels, options, tables, threads);
  });
}

}  // namespace bitsense
