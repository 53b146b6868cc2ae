#include "train/word_step.hpp"

#include <type_traits>

#include "models/registry.hpp"
#include "train/sense_step.hpp"
#include "train/window_step.hpp"

namespace bitsense {

std::unique_ptr<WordStep> make_word_step(const std::string& model, const Kernels& kernels,
                                         const WordOptions& options, const WordTables& tables,
                                         std::size_t threads) {
  return WordModels::with(model, [&](auto m) -> std::unique_ptr<WordStep> {
    if constexpr (std::is_same_v<decltype(m), DisambiguatedSkipGram>)
      return std::make_unique<SenseStep>(kernels, options, tables, threads);
    else
      return std::make_unique<WindowStep<decltype(m)>>(kernels, options, tables, threads);
  });
}

}  // namespace bitsense
