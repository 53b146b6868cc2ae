#include "train/composition.hpp"

#include "models/registry.hpp"
#include "train/compose_context.hpp"
#include "train/compose_document.hpp"
#include "train/compose_words.hpp"

namespace bitsense {

std::unique_ptr<Composition> make_composition(const std::string& model, const Work& work) {
  return Models::with(model, [&](auto m) -> std::unique_ptr<Composition> {
    using Model = decltype(m);
    if constexpr (has_context(Model::kInputs))
      return std::make_unique<ComposeContext<Model>>(work);
    else if constexpr (Model::kInputs == Inputs::kWords)
      return std::make_unique<ComposeWords<Model>>(work);
    else if constexpr (Model::kInputs == Inputs::kProjectedDocument)
      return std::make_unique<ComposeProjected<Model>>(work);
    else
      return std::make_unique<ComposeDocument<Model>>(work);
  });
}

}  // namespace bitsense
