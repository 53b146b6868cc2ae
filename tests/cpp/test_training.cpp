// Training and inference with several threads: the same bytes, the loss falls, exceptions stop all.
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "kernels/dispatch.hpp"
#include "train/infer.hpp"
#include "train/trainer.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kDim = 20;
constexpr const char* kModels[] = {"pv-dbow",    "binary-pv-dbow", "real-binary-pv-dbow",
                                   "pv-dm-mean", "pv-dm-concat",   "binary-pv-dm"};

Shape shape_of(const std::string& model) {
  if (model == "real-binary-pv-dbow") return {.dim = kDim, .bits = 9};
  if (model.find("dm") == std::string::npos) return {.dim = kDim};
  return {.dim = kDim, .context = 3, .word_dim = model == "pv-dm-mean" ? kDim : 7};
}

// Documents of two topics: the words of even documents are below kTopic, the others above.
struct Corpus {
  static constexpr std::uint32_t kTopic = 25;
  std::vector<std::uint32_t> ids;
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(2 * kTopic, 1);

  explicit Corpus(std::size_t documents) {
    Rng rng(stream(17));
    for (std::size_t d = 0; d < documents; ++d) {
      for (std::uint32_t left = rng.below(60); left > 0; --left) {
        const std::uint32_t word = std::min(rng.below(kTopic), rng.below(kTopic));
        ids.push_back(word + (d % 2 == 0 ? 0 : kTopic));
        ++counts[ids.back()];
      }
      offsets.push_back(ids.size());
    }
  }
  Documents documents() const { return {ids, offsets}; }
};

TrainOptions options(std::size_t threads) {
  TrainOptions options;
  options.epochs = 4;
  options.negatives = 6;
  options.run = 4;
  options.batch = 40;
  options.dropout = 0.1F;
  options.subsample = 0.05F;
  options.threads = threads;
  return options;
}

struct Trained {
  Parameters parameters;
  std::vector<double> losses;
};

Trained trained(const char* model, const Corpus& corpus, TrainOptions options,
                const Watch& watch = {}) {
  const Shape shape = shape_of(model);
  options.context = shape.context;
  Trained result{make_parameters(model, corpus.documents().count(), corpus.counts, shape,
                                 {0.1F, 0.5F, 0.1F}, options.seed),
                 {}};
  train(model, corpus.documents(), corpus.counts, options, kernels(), result.parameters,
        result.losses, watch);
  return result;
}

bool same(const Matrix& a, const Matrix& b) {
  return a.rows() == 0 ||
         std::memcmp(a.row(0), b.row(0), a.rows() * a.stride() * sizeof(float)) == 0;
}

bool finite(const Matrix& matrix) {
  for (std::size_t i = 0; i < matrix.rows() * matrix.stride(); ++i)
    if (!std::isfinite(matrix.row(0)[i])) return false;
  return true;
}

void threads_do_not_change_a_byte() {
  const Corpus corpus(150);
  for (const char* model : kModels) {
    for (const Objective objective : {Objective::kSampledSoftmax, Objective::kNegativeSampling}) {
      for (const Optimizer optimizer : {Optimizer::kAdaGrad, Optimizer::kSgd}) {
        auto with = [&](std::size_t threads) {
          TrainOptions all = options(threads);
          all.objective = objective;
          all.optimizer = optimizer;
          return trained(model, corpus, all);
        };
        const Trained one = with(1);
        BITSENSE_CHECK(one.losses.size() == 4 && finite(one.parameters.hidden));
        for (const std::size_t threads : {2U, 3U, 5U}) {
          const Trained many = with(threads);
          BITSENSE_CHECK(same(one.parameters.hidden, many.parameters.hidden));
          BITSENSE_CHECK(same(one.parameters.output, many.parameters.output));
          BITSENSE_CHECK(same(one.parameters.context, many.parameters.context));
          BITSENSE_CHECK(same(one.parameters.projection, many.parameters.projection));
          BITSENSE_CHECK(one.parameters.bias == many.parameters.bias);
          BITSENSE_CHECK(one.losses == many.losses);
        }
      }
    }
  }
}

void the_loss_falls() {
  const Corpus corpus(150);
  for (const char* model : kModels) {
    TrainOptions all = options(2);
    all.epochs = 10;
    const Trained result = trained(model, corpus, all);
    BITSENSE_CHECK(result.losses.back() < 0.9 * result.losses.front());
  }
}

void a_watch_that_throws_stops_every_thread() {
  const Corpus corpus(150);
  for (const bool deterministic : {true, false}) {
#if defined(__SANITIZE_THREAD__)
    if (!deterministic) continue;
#endif
    TrainOptions all = options(4);
    all.epochs = 1000;
    all.deterministic = deterministic;
    int seen = 0;
    const std::string what = error_of<std::invalid_argument>([&] {
      trained("pv-dbow", corpus, all, [&](const TrainProgress&) { require(++seen < 5, "stop"); });
    });
    BITSENSE_CHECK(what == "stop" && seen == 5);
  }
}

// The threads race on purpose, so ThreadSanitizer does not see this one.
void racing_threads_learn_too() {
#if !defined(__SANITIZE_THREAD__)
  const Corpus corpus(150);
  TrainOptions all = options(4);
  all.epochs = 20;
  all.deterministic = false;
  const Trained result = trained("binary-pv-dbow", corpus, all);
  BITSENSE_CHECK(finite(result.parameters.hidden) && finite(result.parameters.output));
  BITSENSE_CHECK(result.losses.back() < 0.95 * result.losses.front());
#endif
}

void empty_corpora_are_trained_on() {
  const std::vector<std::uint64_t> counts = {1};
  const std::vector<std::uint64_t> offsets[] = {{0}, {0, 0, 0}};
  for (const auto& some : offsets) {
    Parameters parameters =
        make_parameters("pv-dbow", some.size() - 1, counts, {.dim = kDim}, {}, 0);
    std::vector<double> losses;
    train("pv-dbow", {{}, some}, counts, options(3), kernels(), parameters, losses, {});
    BITSENSE_CHECK(finite(parameters.output));
  }
}

void unknown_models_are_refused() {
  const Corpus corpus(4);
  const std::string what =
      error_of<std::invalid_argument>([&] { trained("pv-xx", corpus, options(2)); });
  BITSENSE_CHECK(what == "`model` must be a registered model, got pv-xx");
}

TableView view_of(const Matrix& table) {
  return {table.row(0), table.rows(), table.dim(), table.stride()};
}

void shapes_of_other_models_are_refused() {
  const std::vector<std::uint64_t> counts = {1};
  for (const char* model : kModels) {
    const std::string what = error_of<std::invalid_argument>([&] {
      Shape shape = shape_of(model);
      shape.context = shape.context == 0 ? 3 : 0;
      make_parameters(model, 1, counts, shape, {}, 0);
    });
    BITSENSE_CHECK(what.starts_with("`context` must be above 0 in models with a context"));
  }
}

void inference_does_not_depend_on_threads_or_company() {
  const Corpus corpus(150);
  for (const char* model : kModels) {
    const Trained result = trained(model, corpus, options(2));
    const Parameters& parameters = result.parameters;
    const ModelView view{view_of(parameters.output), parameters.bias.data(), shape_of(model),
                         view_of(parameters.context), view_of(parameters.projection)};
    auto inferred = [&](const Documents& documents, std::size_t threads) {
      std::vector<float> out(documents.count() * kDim, 7.0F);
      InferOptions infer_options;
      infer_options.threads = threads;
      infer(model, view, documents, corpus.counts, infer_options, kernels(), out.data(), {});
      return out;
    };
    const std::vector<float> all = inferred(corpus.documents(), 1);
    BITSENSE_CHECK(inferred(corpus.documents(), 5) == all);
    for (const std::size_t d : {0U, 3U, 149U}) {
      const std::vector<std::uint64_t> alone = {0, corpus.documents()[d].size()};
      const std::vector<float> out = inferred({corpus.documents()[d], alone}, 2);
      BITSENSE_CHECK(std::equal(out.begin(), out.end(), all.begin() + static_cast<long>(d * kDim)));
    }
  }
}

}  // namespace

void training_tests(Suite& test) {
  test("threads do not change a byte", threads_do_not_change_a_byte);
  test("the loss falls", the_loss_falls);
  test("a watch that throws stops every thread", a_watch_that_throws_stops_every_thread);
  test("racing threads learn too", racing_threads_learn_too);
  test("empty corpora are trained on", empty_corpora_are_trained_on);
  test("unknown models are refused", unknown_models_are_refused);
  test("shapes of other models are refused", shapes_of_other_models_are_refused);
  test("inference does not depend on threads or company",
       inference_does_not_depend_on_threads_or_company);
}

}  // namespace bitsense
