#include "train/word_step.hpp"

#include "models/registry.hpp"
#include "train/window_step.hpp"

namespace bitsense {

std::unique_ptr<WordStep> make_word_step(const std::string& model, const Kernels& kernels,
                                         const WordOptions& options, const WordTables& tables,
                                         std::size_t threads) {
  return WordModels::with(model, [&](auto m) -> std::unique_ptr<WordStep> {
    return std::make_unique<WindowStep<decltype(m)>>(kernels, options, tables, threads);
  });
}

}  // namespace bitsense
