// Training and inference of the models.
#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "models/registry.hpp"
#include "register.hpp"
#include "state.hpp"
#include "train/bag_planner.hpp"
#include "train/infer.hpp"
#include "train/plan.hpp"
#include "train/trainer.hpp"
#include "train/word_bags.hpp"
#include "training.hpp"

namespace train_bindings {

using namespace bitsense;

Neighbors neighbors_view(const Array<std::uint32_t>& rows, std::size_t documents, float weight) {
  require_dimensions(rows, 2, "neighbors");
  require(static_cast<std::size_t>(rows.shape(0)) == documents, "`neighbors` must have ", documents,
          " rows, got ", rows.shape(0));
  const std::span<const std::uint32_t> all{rows.data(), static_cast<std::size_t>(rows.size())};
  for (const std::uint32_t row : all)
    require(row < documents, "`neighbors` must be below ", documents, ", got ", row);
  return {all, static_cast<std::size_t>(rows.shape(1)), weight};
}

// A state that belongs to this training, of which nothing has been taken out yet.
void check_state(const StateOfTraining& state, const std::string& model, const Shape& shape,
                 std::size_t documents, std::size_t words, const TrainOptions& options) {
  require(state.model == model && state.shape == shape && state.documents == documents &&
              state.parameters.output.rows() == words && state.optimizer == options.optimizer,
          "`state` must be one that was made for this training and not used for another");
  require(state.idf.empty() || state.idf.size() == words,
          "`idf` of the state must have a value for each of ", words, " words, got ",
          state.idf.size());
}

py::tuple train_model(const std::string& model, const Array<std::uint32_t>& ids,
                      const Array<std::uint64_t>& offsets, const Array<std::uint64_t>& counts,
                      const Shape& shape, const InitOptions& init, const TrainOptions& options,
                      const py::object& watch, const std::optional<Array<std::uint32_t>>& neighbors,
                      float neighbor_weight, const std::optional<std::string>& level,
                      std::shared_ptr<StateOfTraining> state, double watch_every) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  require(shape.context == options.context, "`context` must be that of the options, ",
          options.context, ", got ", shape.context);
  const Kernels& level_kernels = kernels_of(level);
  const Neighbors near =
      neighbors ? neighbors_view(*neighbors, documents.count(), neighbor_weight) : Neighbors{};
  if (state) check_state(*state, model, shape, documents.count(), words.size(), options);
  std::vector<double> losses;
  py::object error = py::none();
  {
    py::gil_scoped_release release;
    if (!state) state = make_state(model, documents.count(), words, shape, init, options);
    state->state.idf = state->idf;
    const Watch watcher = python_watch(watch, watch_every);
    try {
      train(model, documents, words, options, level_kernels, state->state, state->position, losses,
            watcher, near);
    } catch (py::error_already_set& raised) {
      keep_error(raised, error);
    }
  }
  Parameters& learned = state->parameters;
  Array<float> bias = make_array<float>({learned.bias.size()});
  std::copy(learned.bias.begin(), learned.bias.end(), bias.mutable_data());
  return py::make_tuple(taken(*state, learned.hidden), taken(*state, learned.output), bias,
                        taken(*state, learned.context), taken(*state, learned.projection), losses,
                        error);
}

// A table of the engine that Python holds, padding included.
TableView table_view(const Array<float>& table, std::size_t rows, std::size_t dim,
                     const char* name) {
  require_dimensions(table, 2, name);
  require(static_cast<std::size_t>(table.shape(0)) == rows &&
              static_cast<std::size_t>(table.shape(1)) == padded(dim),
          "`", name, "` must be ", rows, " rows of ", padded(dim), " columns, got ", table.shape(0),
          " of ", table.shape(1));
  return {table.data(), rows, dim, padded(dim)};
}

Array<float> infer_model(const std::string& model, const Array<std::uint32_t>& ids,
                         const Array<std::uint64_t>& offsets, const Array<std::uint64_t>& counts,
                         const Array<float>& output, const Array<float>& bias,
                         const Array<float>& context, const Array<float>& projection,
                         const std::optional<Array<float>>& idf, const Shape& shape,
                         const InferOptions& options, const std::optional<std::string>& level) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  const Inputs inputs = checked_inputs(model, shape);
  require_dimensions(bias, 1, "bias");
  require(static_cast<std::size_t>(bias.size()) == words.size(),
          "`bias` must have a value per word, ", words.size(), ", got ", bias.size());
  const ModelView view{table_view(output, words.size(), shape.hidden(inputs), "output"),
                       bias.data(),
                       shape,
                       has_word_rows(inputs)
                           ? table_view(context, words.size(), shape.word_dim, "context")
                           : TableView{},
                       inputs == Inputs::kProjectedDocument
                           ? table_view(projection, shape.bits, shape.dim, "projection")
                           : TableView{},
                       idf ? idf->data() : nullptr};
  require(inputs != Inputs::kWords ||
              (idf && idf->ndim() == 1 && static_cast<std::size_t>(idf->size()) == words.size()),
          "`idf` must have a value per word, ", words.size());
  const Kernels& level_kernels = kernels_of(level);
  Array<float> result = make_array<float>({documents.count(), shape.dim});
  float* out = result.mutable_data();
  {
    py::gil_scoped_release release;
    infer(model, view, documents, words, options, level_kernels, out, python_poll());
  }
  return result;
}

Array<float> inverse_document_frequencies(const Array<std::uint32_t>& ids,
                                          const Array<std::uint64_t>& offsets, std::size_t words) {
  const Documents documents = documents_view(ids, offsets, words);
  const std::vector<float> idf = inverse_frequencies(documents, words);
  Array<float> result = make_array<float>({idf.size()});
  std::copy(idf.begin(), idf.end(), result.mutable_data());
  return result;
}

// All plans of a training, for the tests.
py::list plans(const Array<std::uint32_t>& ids, const Array<std::uint64_t>& offsets,
               const Array<std::uint64_t>& counts, const TrainOptions& options, std::size_t worker,
               std::size_t workers, bool bags, const std::optional<Array<std::uint32_t>>& neighbors,
               float neighbor_weight) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  const NoiseDistribution noise(words);
  const WordBags word_bags(documents, words.size());
  const Neighbors near =
      neighbors ? neighbors_view(*neighbors, documents.count(), neighbor_weight) : Neighbors{};
  std::unique_ptr<Planner> planner;
  if (bags)
    planner =
        std::make_unique<BagPlanner>(documents, word_bags, near, noise, options, worker, workers);
  else
    planner = std::make_unique<RunPlanner>(documents, words, noise, options, worker, workers);
  py::list all;
  for (Plan plan; planner->next(plan);) {
    std::vector<std::uint32_t> run_documents;
    for (const Run& run : plan.runs) run_documents.push_back(run.document);
    py::dict item;
    item["epoch"] = plan.epoch;
    item["progress"] = plan.progress;
    item["documents"] = copied(run_documents);
    item["targets"] = copied(plan.targets);
    item["target_run"] = copied(plan.target_run);
    item["target_noise"] = copied(plan.target_noise);
    item["noise"] = copied(plan.noise.words);
    item["noise_times"] = copied(plan.noise.times);
    item["rows"] = copied(plan.rows);
    item["row_entries"] = copied(plan.row_entries);
    item["entries"] = copied(plan.entries);
    item["target_weight"] = copied(plan.target_weight);
    item["target_input"] = copied(plan.target_input);
    item["context"] = copied(plan.context);
    item["context_rows"] = copied(plan.context_rows);
    item["context_begins"] = copied(plan.context_begins);
    item["context_entries"] = copied(plan.context_entries);
    item["document_runs"] = copied(plan.document_runs);
    all.append(item);
  }
  return all;
}

void register_options(py::module_& m) {
  py::native_enum<Objective>(m, "Objective", "enum.Enum")
      .value("sampled_softmax", Objective::kSampledSoftmax)
      .value("negative_sampling", Objective::kNegativeSampling)
      .finalize();
  py::native_enum<Optimizer>(m, "Optimizer", "enum.Enum")
      .value("adagrad", Optimizer::kAdaGrad)
      .value("sgd", Optimizer::kSgd)
      .finalize();
  py::class_<TrainOptions>(m, "TrainOptions")
      .def(py::init<>())
      .def_readwrite("objective", &TrainOptions::objective)
      .def_readwrite("optimizer", &TrainOptions::optimizer)
      .def_readwrite("epochs", &TrainOptions::epochs)
      .def_readwrite("negatives", &TrainOptions::negatives)
      .def_readwrite("run", &TrainOptions::run)
      .def_readwrite("batch", &TrainOptions::batch)
      .def_readwrite("learning_rate", &TrainOptions::learning_rate)
      .def_readwrite("subsample", &TrainOptions::subsample)
      .def_readwrite("dropout", &TrainOptions::dropout)
      .def_readwrite("seed", &TrainOptions::seed)
      .def_readwrite("threads", &TrainOptions::threads)
      .def_readwrite("document_rate", &TrainOptions::document_rate)
      .def_readwrite("context_rate", &TrainOptions::context_rate)
      .def_readwrite("projection_rate", &TrainOptions::projection_rate)
      .def_readwrite("context", &TrainOptions::context)
      .def_readwrite("round_words", &TrainOptions::round_words)
      .def_readwrite("deterministic", &TrainOptions::deterministic);
  py::class_<Shape>(m, "Shape")
      .def(py::init([](std::size_t dim, std::size_t context, std::size_t word_dim,
                       std::size_t bits) { return Shape{dim, context, word_dim, bits}; }),
           py::arg("dim"), py::arg("context") = 0, py::arg("word_dim") = 0, py::arg("bits") = 0)
      .def(
          "hidden",
          [](const Shape& shape, const std::string& model) {
            return shape.hidden(checked_inputs(model, shape));
          },
          py::arg("model"))
      .def_readonly("dim", &Shape::dim)
      .def_readonly("context", &Shape::context)
      .def_readonly("word_dim", &Shape::word_dim)
      .def_readonly("bits", &Shape::bits);
  py::class_<InitOptions>(m, "InitOptions")
      .def(py::init<>())
      .def_readwrite("scale", &InitOptions::scale)
      .def_readwrite("bias_power", &InitOptions::bias_power)
      .def_readwrite("context_scale", &InitOptions::context_scale);
  py::class_<InferOptions>(m, "InferOptions")
      .def(py::init<>())
      .def_readwrite("objective", &InferOptions::objective)
      .def_readwrite("negatives", &InferOptions::negatives)
      .def_readwrite("noise", &InferOptions::noise)
      .def_readwrite("iterations", &InferOptions::iterations)
      .def_readwrite("learning_rate", &InferOptions::learning_rate)
      .def_readwrite("threads", &InferOptions::threads)
      .def_readwrite("round_words", &InferOptions::round_words);
}

}  // namespace train_bindings

void register_train(py::module_& m) {
  using namespace train_bindings;
  register_options(m);
  using namespace py::literals;
  m.def("train", &train_model, "model"_a, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "shape"_a, "init"_a, "options"_a, "watch"_a = py::none(),
        "neighbors"_a.noconvert() = py::none(), "neighbor_weight"_a = 0.0F, "level"_a = py::none(),
        "state"_a = py::none(), "watch_every"_a = kWatchEvery);
  m.def("inverse_frequencies", &inverse_document_frequencies, "ids"_a.noconvert(),
        "offsets"_a.noconvert(), "words"_a);
  m.def("plans", &plans, "ids"_a.noconvert(), "offsets"_a.noconvert(), "counts"_a.noconvert(),
        "options"_a, "worker"_a = 0, "workers"_a = 1, "bags"_a = false,
        "neighbors"_a.noconvert() = py::none(), "neighbor_weight"_a = 0.0F);
  m.def("infer", &infer_model, "model"_a, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "output"_a.noconvert(), "bias"_a.noconvert(),
        "context"_a.noconvert(), "projection"_a.noconvert(), "idf"_a.noconvert(), "shape"_a,
        "options"_a, "level"_a = py::none());
}
