// Training and inference with several threads: the same bytes, the loss falls, exceptions stop all.
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "kernels/dispatch.hpp"
#include "train/bag_planner.hpp"
#include "train/infer.hpp"
#include "train/trainer.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kDim = 20;
constexpr const char* kModels[] = {"pv-dbow",    "binary-pv-dbow",   "real-binary-pv-dbow",
                                   "pv-dm-mean", "pv-dm-concat",     "binary-pv-dm",
                                   "pv-encoder", "binary-pv-encoder"};

bool is_encoder(const std::string& model) { return model.find("encoder") != std::string::npos; }

Shape shape_of(const std::string& model) {
  if (is_encoder(model)) return {.dim = kDim, .word_dim = kDim};
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

// Three documents for each, of its topic.
struct Near {
  std::vector<std::uint32_t> rows;

  explicit Near(const Corpus& corpus) {
    const auto documents = static_cast<std::uint32_t>(corpus.documents().count());
    Rng rng(stream(18));
    for (std::uint32_t i = 0; i < 3 * documents; ++i)
      rows.push_back(rng.below(documents / 2) * 2 + (i / 3) % 2);
  }
  Neighbors neighbors() const { return {rows, 3, 0.5F}; }
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
                const Watch& watch = {}, const Neighbors& neighbors = {}) {
  const Shape shape = shape_of(model);
  options.context = shape.context;
  Trained result{make_parameters(model, corpus.documents().count(), corpus.counts, shape,
                                 {0.1F, 0.5F, 0.1F}, options.seed),
                 {}};
  train(model, corpus.documents(), corpus.counts, options, kernels(), result.parameters,
        result.losses, watch, neighbors);
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
  const Near near(corpus);
  for (const char* model : kModels) {
    const Neighbors neighbors = is_encoder(model) ? near.neighbors() : Neighbors{};
    for (const bool sampled : {true, false}) {
      auto with = [&](std::size_t threads) {
        TrainOptions all = options(threads);
        all.objective = sampled ? Objective::kSampledSoftmax : Objective::kNegativeSampling;
        all.optimizer = sampled ? Optimizer::kAdaGrad : Optimizer::kSgd;
        return trained(model, corpus, all, {}, neighbors);
      };
      const Trained one = with(1);
      BITSENSE_CHECK(one.losses.size() == 4 && finite(one.parameters.hidden));
      for (const std::size_t threads : {2U, 5U}) {
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

// Stopped every few blocks, and gone on with by another number of threads each time.
void a_training_that_was_stopped_goes_on_to_the_same_bytes() {
  const Corpus corpus(150);
  const Near near(corpus);
  for (const char* model : kModels) {
    const Neighbors neighbors = is_encoder(model) ? near.neighbors() : Neighbors{};
    const Trained whole = trained(model, corpus, options(1), {}, neighbors);
    for (const int most : {1, 3, 20}) {
      Parameters parameters = make_parameters(model, corpus.documents().count(), corpus.counts,
                                              shape_of(model), {0.1F, 0.5F, 0.1F}, 0);
      TrainState state{&parameters, first_squares(parameters, Optimizer::kAdaGrad)};
      Position position;
      std::vector<double> losses;
      bool stopped = true;
      for (std::size_t times = 0; stopped; ++times) {
        TrainOptions all = options(1 + times % 3);
        all.context = shape_of(model).context;
        int left = most;
        try {
          train(
              model, corpus.documents(), corpus.counts, all, kernels(), state, position, losses,
              [&](const TrainProgress&) { require(--left > 0, "stop"); }, neighbors);
          stopped = false;
        } catch (const std::invalid_argument&) {
        }
      }
      BITSENSE_CHECK(same(whole.parameters.hidden, parameters.hidden));
      BITSENSE_CHECK(same(whole.parameters.output, parameters.output));
      BITSENSE_CHECK(same(whole.parameters.context, parameters.context));
      BITSENSE_CHECK(same(whole.parameters.projection, parameters.projection));
      BITSENSE_CHECK(whole.parameters.bias == parameters.bias && whole.losses == losses);
    }
  }
}

void the_loss_falls() {
  const Corpus corpus(150);
  for (const char* model : kModels) {
    TrainOptions all = options(2);
    all.epochs = 10;
    if (is_encoder(model)) all.context_rate = 50.0F, all.negatives = 20;
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
    seen = 0;
    const Near near(corpus);
    const std::string second = error_of<std::invalid_argument>([&] {
      trained(
          "binary-pv-encoder", corpus, all,
          [&](const TrainProgress&) { require(++seen < 5, "stop"); }, near.neighbors());
    });
    BITSENSE_CHECK(second == "stop" && seen == 5);
  }
}

// The threads race on purpose, so ThreadSanitizer does not see this one.
void racing_threads_learn_too() {
#if !defined(__SANITIZE_THREAD__)
  const Corpus corpus(150);
  TrainOptions all = options(4);
  all.epochs = 20;
  all.deterministic = false;
  const Near near(corpus);
  for (const char* model : {"binary-pv-dbow", "binary-pv-encoder"}) {
    if (is_encoder(model)) all.context_rate = 50.0F, all.negatives = 20;
    const Trained result =
        trained(model, corpus, all, {}, is_encoder(model) ? near.neighbors() : Neighbors{});
    BITSENSE_CHECK(finite(result.parameters.hidden) && finite(result.parameters.output));
    BITSENSE_CHECK(finite(result.parameters.context));
    BITSENSE_CHECK(result.losses.back() < 0.95 * result.losses.front());
  }
#endif
}

void empty_corpora_are_trained_on() {
  const std::vector<std::uint64_t> counts = {1};
  const std::vector<std::uint64_t> offsets[] = {{0}, {0, 0, 0}};
  for (const auto& some : offsets) {
    for (const char* model : {"pv-dbow", "pv-encoder"}) {
      Parameters parameters =
          make_parameters(model, some.size() - 1, counts, shape_of(model), {}, 0);
      std::vector<double> losses;
      train(model, {{}, some}, counts, options(3), kernels(), parameters, losses, {});
      BITSENSE_CHECK(finite(parameters.output) && losses.empty());
    }
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
  const std::vector<float> idf = inverse_frequencies(corpus.documents(), corpus.counts.size());
  for (const char* model : kModels) {
    const Trained result = trained(model, corpus, options(2));
    const Parameters& parameters = result.parameters;
    const ModelView view{
        view_of(parameters.output),  parameters.bias.data(),         shape_of(model),
        view_of(parameters.context), view_of(parameters.projection), idf.data()};
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

// Each document once an epoch, whoever of the workers takes it: its own words as inputs of length
// one, and after them the words of one of its neighbours, which are none.
void plans_of_bags_hold_documents_and_a_neighbour_each() {
  const Corpus corpus(41);
  const Near near(corpus);
  const Documents documents = corpus.documents();
  const NoiseDistribution noise(corpus.counts);
  const WordBags bags(documents, corpus.counts.size());
  std::vector<std::size_t> seen(documents.count(), 0);
  for (std::size_t worker = 0; worker < 3; ++worker) {
    BagPlanner planner(documents, bags, near.neighbors(), noise, options(1), worker, 3);
    for (Plan plan; planner.next(plan);) {
      BITSENSE_CHECK(plan.target_weight.size() == plan.targets.size());
      BITSENSE_CHECK(plan.target_input.size() == plan.targets.size());
      for (const Run& run : plan.runs) {
        ++seen[run.document];
        const auto own = bags.words(run.document);
        BITSENSE_CHECK(run.count >= own.size());
        BITSENSE_CHECK(std::equal(own.begin(), own.end(), plan.targets.begin() + run.first));
        const float* inputs = plan.target_input.data() + run.first;
        double squares = 0.0;
        for (std::size_t i = 0; i < run.count; ++i) {
          BITSENSE_CHECK((inputs[i] > 0.0F) == (i < own.size()));
          squares += static_cast<double>(inputs[i]) * static_cast<double>(inputs[i]);
        }
        BITSENSE_CHECK(std::abs(squares - 1.0) < 1e-5);
        const std::span<const std::uint32_t> others{plan.targets.data() + run.first + own.size(),
                                                    run.count - own.size()};
        bool found = false;
        for (std::size_t i = 0; i < 3; ++i) {
          const auto words = bags.words(near.rows[3 * run.document + i]);
          found = found || std::equal(words.begin(), words.end(), others.begin(), others.end());
        }
        BITSENSE_CHECK(found);
      }
    }
  }
  for (std::size_t d = 0; d < documents.count(); ++d)
    BITSENSE_CHECK(seen[d] == (documents[d].empty() ? 0 : options(1).epochs));
}

}  // namespace

void training_tests(Suite& test) {
  test("threads do not change a byte", threads_do_not_change_a_byte);
  test("a training that was stopped goes on to the same bytes",
       a_training_that_was_stopped_goes_on_to_the_same_bytes);
  test("the loss falls", the_loss_falls);
  test("a watch that throws stops every thread", a_watch_that_throws_stops_every_thread);
  test("racing threads learn too", racing_threads_learn_too);
  test("empty corpora are trained on", empty_corpora_are_trained_on);
  test("unknown models are refused", unknown_models_are_refused);
  test("shapes of other models are refused", shapes_of_other_models_are_refused);
  test("plans of bags hold documents and a neighbour each",
       plans_of_bags_hold_documents_and_a_neighbour_each);
  test("inference does not depend on threads or company",
       inference_does_not_depend_on_threads_or_company);
}

}  // namespace bitsense
