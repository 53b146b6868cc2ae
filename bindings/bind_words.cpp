// Training of word vectors, in place, in tables that Python holds.
#include "models/disambiguated_skip_gram.hpp"
#include "register.hpp"
#include "text/subwords.hpp"
#include "train/sense_priors.hpp"
#include "train/word_plan.hpp"
#include "train/word_trainer.hpp"
#include "training.hpp"

namespace words_bindings {

using namespace bitsense;

// A table whose rows are padded with zeros; the array must be writeable.
Table table_view(Array<float>& array, std::size_t rows, const char* name) {
  require_dimensions(array, 2, name);
  require(static_cast<std::size_t>(array.shape(0)) == rows, "`", name, "` must have ", rows,
          " rows, got ", array.shape(0));
  const auto stride = static_cast<std::size_t>(array.shape(1));
  require(stride > 0 && stride % kRowQuantum == 0, "`", name, "` must have a multiple of ",
          kRowQuantum, " columns, got ", stride);
  require(array.writeable(), "`", name, "` must be writeable");
  return {array.mutable_data(), rows, stride};
}

Bags bags_view(const Array<std::uint32_t>& ids, const Array<std::uint64_t>& offsets,
               std::size_t words, std::size_t rows) {
  const Bags bags{span_of(ids, "bag_ids"), span_of(offsets, "bag_offsets")};
  if (bags.empty()) return bags;
  require(bags.offsets.size() == words + 1 && bags.offsets[0] == 0 &&
              bags.offsets.back() == bags.ids.size(),
          "`bag_offsets` must run from 0 to ", bags.ids.size(), " with an entry for each of ",
          words, " words");
  for (std::size_t w = 0; w < words; ++w)
    require(bags.offsets[w] < bags.offsets[w + 1], "`bag_offsets` must rise at every word");
  for (const std::uint32_t id : bags.ids)
    require(id < rows, "`bag_ids` must be below the number of rows, ", rows, ", got ", id);
  return bags;
}

void check_options(const WordOptions& options) {
  require(options.window > 0 && options.window <= 4096, "`window` must be from 1 to 4096, got ",
          options.window);
  require(options.negatives > 0 && options.negatives <= 65536,
          "`negatives` must be from 1 to 65536, got ", options.negatives);
  require(options.gate_window <= 4096, "`gate_window` must be at most 4096, got ",
          options.gate_window);
  require(options.threads > 0, "`threads` must be at least 1, got 0");
}

Array<float> word_table(std::size_t rows, std::size_t dim, float scale, std::uint64_t seed,
                        std::size_t threads) {
  Matrix matrix;
  {
    py::gil_scoped_release release;
    matrix = Matrix(rows, dim);
    if (rows > 0 && scale > 0.0F)
      fill_uniform({matrix.row(0), rows, matrix.stride()}, dim, scale, seed, threads);
  }
  return to_array(std::move(matrix));
}

py::tuple train_tables(const std::string& model, const Array<std::uint32_t>& ids,
                       const Array<std::uint64_t>& offsets, const Array<std::uint64_t>& counts,
                       Array<float> input, Array<float> output, const WordOptions& options,
                       const py::object& watch, const std::optional<std::string>& level,
                       const Array<std::uint32_t>& bag_ids, const Array<std::uint64_t>& bag_offsets,
                       Position* position, double watch_every) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  check_options(options);
  require_dimensions(input, 2, "input");
  const auto rows = static_cast<std::size_t>(input.shape(0));
  require(model != DisambiguatedSkipGram::name, "`model` must have one vector per word, got ",
          model);
  WordTables tables;
  tables.input = table_view(input, rows, "input");
  tables.output = table_view(output, words.size(), "output");
  tables.bags = bags_view(bag_ids, bag_offsets, words.size(), rows);
  require(tables.bags.empty() ? rows == words.size() : rows >= words.size(),
          "`input` must have a row for each of ", words.size(), " words, got ", rows);
  require(tables.input.stride == tables.output.stride,
          "`output` must have as many columns as `input`, ", tables.input.stride, ", got ",
          tables.output.stride);
  require(options.dim <= tables.input.stride, "`dim` must be at most the columns of `input`, ",
          tables.input.stride, ", got ", options.dim);
  const Kernels& level_kernels = kernels_of(level);
  std::vector<double> losses;
  py::object error = py::none();
  {
    py::gil_scoped_release release;
    const Watch watcher = python_watch(watch, watch_every);
    Position begin;
    try {
      train_words(model, documents, words, options, level_kernels, tables,
                  position ? *position : begin, losses, watcher);
    } catch (py::error_already_set& raised) {
      keep_error(raised, error);
    }
  }
  return py::make_tuple(losses, error);
}

// The tables of the disambiguated skip-gram: checked, not copied.
struct SenseTables {
  Array<float> input;
  Array<float> output;
  Array<float> gate;
  Array<float> gate_bias;
  Array<float> shared_gate;
  Array<float> shared_bias;
  Array<std::uint64_t> offsets;
};

WordTables sense_tables_view(SenseTables& arrays, std::size_t words) {
  require_dimensions(arrays.offsets, 1, "sense_offsets");
  require_dimensions(arrays.shared_gate, 2, "shared_gate");
  const std::span offsets(arrays.offsets.data(), static_cast<std::size_t>(arrays.offsets.size()));
  const auto most = static_cast<std::size_t>(arrays.shared_gate.shape(0));
  require(offsets.size() == words + 1 && offsets[0] == 0,
          "`sense_offsets` must begin with 0 and have an entry for each of ", words, " words");
  require(most <= DisambiguatedSkipGram::kMostSenses, "`shared_gate` must have at most ",
          DisambiguatedSkipGram::kMostSenses, " rows, got ", most);
  for (std::size_t w = 0; w < words; ++w)
    require(offsets[w] < offsets[w + 1] && offsets[w + 1] - offsets[w] <= most,
            "`sense_offsets` must give each word 1 to ", most, " senses");
  const std::size_t rows = offsets.back();
  WordTables tables;
  tables.input = table_view(arrays.input, rows, "input");
  tables.output = table_view(arrays.output, words, "output");
  tables.sense_offsets = offsets;
  tables.gate = table_view(arrays.gate, rows, "gate");
  tables.gate_bias = arrays.gate_bias.mutable_data();
  tables.shared_gate = table_view(arrays.shared_gate, most, "shared_gate");
  tables.shared_bias = arrays.shared_bias.mutable_data();
  for (const Table* table : {&tables.output, &tables.gate, &tables.shared_gate})
    require(table->stride == tables.input.stride, "all tables must have ", tables.input.stride,
            " columns, got ", table->stride);
  require(static_cast<std::size_t>(arrays.gate_bias.size()) == rows,
          "`gate_bias` must have an item for each of ", rows, " senses");
  require(static_cast<std::size_t>(arrays.shared_bias.size()) == most, "`shared_bias` must have ",
          most, " items, got ", arrays.shared_bias.size());
  return tables;
}

py::tuple train_sense_tables(const Array<std::uint32_t>& ids, const Array<std::uint64_t>& offsets,
                             const Array<std::uint64_t>& counts, SenseTables& arrays,
                             const WordOptions& options, const py::object& watch,
                             const std::optional<std::string>& level, Position* position,
                             double watch_every) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  check_options(options);
  const WordTables tables = sense_tables_view(arrays, words.size());
  const Kernels& level_kernels = kernels_of(level);
  std::vector<double> losses;
  py::object error = py::none();
  {
    py::gil_scoped_release release;
    const Watch watcher = python_watch(watch, watch_every);
    Position begin;
    try {
      train_words(DisambiguatedSkipGram::name, documents, words, options, level_kernels, tables,
                  position ? *position : begin, losses, watcher);
    } catch (py::error_already_set& raised) {
      keep_error(raised, error);
    }
  }
  return py::make_tuple(losses, error);
}

Array<std::uint64_t> priors(const Array<std::uint32_t>& ids, const Array<std::uint64_t>& offsets,
                            const Array<std::uint64_t>& counts, SenseTables& arrays,
                            const WordOptions& options, const std::optional<std::string>& level) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  check_options(options);
  const WordTables tables = sense_tables_view(arrays, words.size());
  const Kernels& level_kernels = kernels_of(level);
  Array<std::uint64_t> sums = make_array<std::uint64_t>({tables.gate.rows});
  std::uint64_t* out = sums.mutable_data();
  std::fill_n(out, tables.gate.rows, 0);
  {
    py::gil_scoped_release release;
    sense_priors(documents, words, options, level_kernels, tables, out, python_poll());
  }
  return sums;
}

// All plans of a training, for the tests.
py::list word_plans(const Array<std::uint32_t>& ids, const Array<std::uint64_t>& offsets,
                    const Array<std::uint64_t>& counts, const WordOptions& options,
                    std::size_t run) {
  const auto words = counts_view(counts);
  const Documents documents = documents_view(ids, offsets, words.size());
  check_options(options);
  require(run > 0 && run <= kBlockCentres, "`run` must be from 1 to ", kBlockCentres, ", got ",
          run);
  const NoiseDistribution noise(words);
  NoiseList list(noise);
  ChunkCutter cutter(documents, options.epochs, options.seed);
  WordPlanner planner(documents, words, noise, options, run);
  py::list all;
  std::size_t epoch = SIZE_MAX;
  WordPlan plan;
  for (Chunk chunk; cutter.next(chunk);) {
    if (epoch != chunk.epoch) list.refill(noise_seed(options.seed, epoch = chunk.epoch));
    planner.make(chunk, list, plan);
    py::dict item;
    item["epoch"] = plan.epoch;
    item["progress"] = plan.progress;
    item["words_read"] = plan.words_read;
    item["seed"] = plan.seed;
    item["tokens"] = copied(plan.tokens);
    py::list centres;
    for (const Centre& centre : plan.centres)
      centres.append(
          py::make_tuple(centre.at, centre.first, centre.last, centre.begin, centre.end));
    item["centres"] = centres;
    item["blocks"] = copied(plan.blocks);
    item["noise"] = copied(plan.noise);
    all.append(item);
  }
  return all;
}

py::tuple subwords_of(const Vocabulary& vocabulary, std::size_t shortest, std::size_t longest,
                      std::uint32_t buckets) {
  SubwordRows rows;
  {
    py::gil_scoped_release release;
    rows = subword_rows(vocabulary, {shortest, longest, buckets});
  }
  return py::make_tuple(copied(rows.ids), copied(rows.offsets));
}

}  // namespace words_bindings

void register_words(py::module_& m) {
  using namespace words_bindings;
  py::class_<WordOptions>(m, "WordOptions")
      .def(py::init<>())
      .def_readwrite("dim", &WordOptions::dim)
      .def_readwrite("epochs", &WordOptions::epochs)
      .def_readwrite("window", &WordOptions::window)
      .def_readwrite("negatives", &WordOptions::negatives)
      .def_readwrite("learning_rate", &WordOptions::learning_rate)
      .def_readwrite("subsample", &WordOptions::subsample)
      .def_readwrite("shrink_windows", &WordOptions::shrink_windows)
      .def_readwrite("gate_window", &WordOptions::gate_window)
      .def_readwrite("gate_rate", &WordOptions::gate_rate)
      .def_readwrite("shared_gate_rate", &WordOptions::shared_gate_rate)
      .def_readwrite("shared_until", &WordOptions::shared_until)
      .def_readwrite("temperature", &WordOptions::temperature)
      .def_readwrite("annealed_after", &WordOptions::annealed_after)
      .def_readwrite("entropy_cost", &WordOptions::entropy_cost)
      .def_readwrite("move_input", &WordOptions::move_input)
      .def_readwrite("move_output", &WordOptions::move_output)
      .def_readwrite("seed", &WordOptions::seed)
      .def_readwrite("threads", &WordOptions::threads)
      .def_readwrite("deterministic", &WordOptions::deterministic);
  using namespace py::literals;
  m.def("word_table", &word_table, "rows"_a, "dim"_a, "scale"_a = 0.0F, "seed"_a = 0,
        "threads"_a = 1);
  m.def("train_words", &train_tables, "model"_a, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "input"_a.noconvert(), "output"_a.noconvert(), "options"_a,
        "watch"_a = py::none(), "level"_a = py::none(),
        "bag_ids"_a.noconvert() = Array<std::uint32_t>(0),
        "bag_offsets"_a.noconvert() = Array<std::uint64_t>(0), "position"_a = py::none(),
        "watch_every"_a = kWatchEvery);
  py::class_<SenseTables>(m, "SenseTables")
      .def(py::init<Array<float>, Array<float>, Array<float>, Array<float>, Array<float>,
                    Array<float>, Array<std::uint64_t>>(),
           "input"_a.noconvert(), "output"_a.noconvert(), "gate"_a.noconvert(),
           "gate_bias"_a.noconvert(), "shared_gate"_a.noconvert(), "shared_bias"_a.noconvert(),
           "sense_offsets"_a.noconvert());
  m.def("train_senses", &train_sense_tables, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "tables"_a, "options"_a, "watch"_a = py::none(),
        "level"_a = py::none(), "position"_a = py::none(), "watch_every"_a = kWatchEvery);
  m.def("sense_priors", &priors, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "tables"_a, "options"_a, "level"_a = py::none());
  m.def("word_plans", &word_plans, "ids"_a.noconvert(), "offsets"_a.noconvert(),
        "counts"_a.noconvert(), "options"_a, "run"_a = 1);
  m.def("subword_rows", &subwords_of, "vocabulary"_a, "shortest"_a, "longest"_a, "buckets"_a);
}
