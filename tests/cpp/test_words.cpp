// Training of words and senses with several threads: the same bytes, the loss falls, a watch stops.
#include <cmath>
#include <cstring>
#include <utility>

#include "check.hpp"
#include "kernels/dispatch.hpp"
#include "models/disambiguated_skip_gram.hpp"
#include "train/sense_priors.hpp"
#include "train/word_trainer.hpp"

namespace bitsense {

namespace {

constexpr std::size_t kDim = 20;
constexpr std::uint32_t kWords = 50;
constexpr std::size_t kBuckets = 30;
constexpr std::size_t kSenses = 3;
constexpr const char* kSenseModel = DisambiguatedSkipGram::name;

// Documents of two topics: the words of even documents are below kWords / 2, the others above.
struct WordCorpus {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(kWords, 1);

  explicit WordCorpus(std::size_t documents) {
    Rng rng(stream(23));
    for (std::size_t d = 0; d < documents; ++d) {
      for (std::uint32_t left = rng.below(60); left > 0; --left) {
        const std::uint32_t word = std::min(rng.below(kWords / 2), rng.below(kWords / 2));
        ids.push_back(word + (d % 2 == 0 ? 0 : kWords / 2));
        ++counts[ids.back()];
      }
      offsets.push_back(ids.size());
    }
  }
  Documents documents() const { return {ids, offsets}; }
};

WordOptions word_options(std::size_t threads) {
  WordOptions options;
  options.epochs = 3;
  options.window = 4;
  options.negatives = 6;
  options.subsample = 0.05F;
  options.threads = threads;
  options.gate_window = 6;
  return options;
}

// Every table of a training, and what came of it.
struct TrainedWords {
  Matrix input;
  Matrix output;
  std::vector<std::uint32_t> bag_ids;
  std::vector<std::uint64_t> bag_offsets;
  std::vector<std::uint64_t> sense_offsets;
  Matrix gate;
  std::vector<float> gate_bias;
  Matrix shared_gate;
  std::vector<float> shared_bias;
  std::vector<double> losses;
  std::vector<std::uint64_t> priors;

  WordTables tables() {
    auto table = [](Matrix& matrix) {
      return Table{matrix.row(0), matrix.rows(), matrix.stride()};
    };
    WordTables all;
    all.input = table(input);
    all.output = table(output);
    all.bags = {bag_ids, bag_offsets};
    if (!sense_offsets.empty()) {
      all.sense_offsets = sense_offsets;
      all.gate = table(gate);
      all.gate_bias = gate_bias.data();
      all.shared_gate = table(shared_gate);
      all.shared_bias = shared_bias.data();
    }
    return all;
  }
};

// Word w is its own row and up to three others.
void add_bags(TrainedWords& result) {
  Rng rng(stream(29));
  result.bag_offsets = {0};
  for (std::uint32_t word = 0; word < kWords; ++word) {
    result.bag_ids.push_back(word);
    for (std::uint32_t left = rng.below(4); left > 0; --left)
      result.bag_ids.push_back(kWords + rng.below(kBuckets));
    result.bag_offsets.push_back(result.bag_ids.size());
  }
}

// One, two and three senses by turns.
std::size_t add_senses(TrainedWords& result) {
  result.sense_offsets = {0};
  for (std::uint32_t word = 0; word < kWords; ++word)
    result.sense_offsets.push_back(result.sense_offsets.back() + 1 + word % kSenses);
  const std::size_t rows = result.sense_offsets.back();
  result.gate = Matrix(rows, kDim);
  result.gate_bias.resize(rows);
  result.shared_gate = Matrix(kSenses, kDim);
  result.shared_bias.resize(kSenses);
  return rows;
}

// Tables before their training.
TrainedWords new_tables(const std::string& model, bool bags) {
  TrainedWords result;
  std::size_t rows = kWords;
  if (bags) {
    add_bags(result);
    rows += kBuckets;
  }
  const bool senses = model == kSenseModel;
  if (senses) rows = add_senses(result);
  result.input = Matrix(rows, kDim);
  result.output = Matrix(kWords, kDim);
  fill_uniform(result.tables().input, kDim, 0.05F, 7, 1);
  return result;
}

TrainedWords trained_words(const std::string& model, bool bags, const WordCorpus& corpus,
                           const WordOptions& options, const Watch& watch = {}) {
  TrainedWords result = new_tables(model, bags);
  const WordTables tables = result.tables();
  train_words(model, corpus.documents(), corpus.counts, options, kernels(), tables, result.losses,
              watch);
  if (model == kSenseModel) {
    result.priors.resize(result.input.rows());
    sense_priors(corpus.documents(), corpus.counts, options, kernels(), tables,
                 result.priors.data(), {});
  }
  return result;
}

bool same_table(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() &&
         (a.rows() == 0 ||
          std::memcmp(a.row(0), b.row(0), a.rows() * a.stride() * sizeof(float)) == 0);
}

void check_same(const TrainedWords& a, const TrainedWords& b) {
  BITSENSE_CHECK(same_table(a.input, b.input));
  BITSENSE_CHECK(same_table(a.output, b.output));
  BITSENSE_CHECK(same_table(a.gate, b.gate));
  BITSENSE_CHECK(same_table(a.shared_gate, b.shared_gate));
  BITSENSE_CHECK(a.gate_bias == b.gate_bias && a.shared_bias == b.shared_bias);
  BITSENSE_CHECK(a.losses == b.losses);
}

bool finite_table(const Matrix& matrix) {
  for (std::size_t i = 0; i < matrix.rows() * matrix.stride(); ++i)
    if (!std::isfinite(matrix.row(0)[i])) return false;
  return true;
}

constexpr struct {
  const char* model;
  bool bags;
} kCases[] = {{"skip-gram", false},
              {"skip-gram", true},
              {"cbow", false},
              {"cbow", true},
              {kSenseModel, false}};

// On a corpus for which tables are split, and on one too short for that.
void threads_do_not_change_a_byte() {
  const WordCorpus long_one(150);
  const WordCorpus short_one(2);
  BITSENSE_CHECK(short_one.ids.size() > 20 && short_one.ids.size() < 100);
  for (const auto& each : kCases)
    for (const WordCorpus& corpus : {long_one, short_one}) {
      const TrainedWords one = trained_words(each.model, each.bags, corpus, word_options(1));
      BITSENSE_CHECK(one.losses.size() == 3 && finite_table(one.input) && finite_table(one.output));
      for (const std::size_t threads : {2U, 3U, 7U}) {
        const TrainedWords many =
            trained_words(each.model, each.bags, corpus, word_options(threads));
        check_same(one, many);
        BITSENSE_CHECK(one.priors == many.priors);
      }
    }
}

// Tiles of several passes, blocks of few centres, threads without centres or columns.
void nor_do_many_of_them_with_wide_windows_and_much_noise() {
  const WordCorpus corpus(20);
  for (const auto& each : kCases)
    for (const auto& [window, negatives] : {std::pair{40U, 6U}, {3U, 14U}}) {
      WordOptions options = word_options(1);
      options.epochs = 1;
      options.window = window;
      options.negatives = negatives;
      const TrainedWords one = trained_words(each.model, each.bags, corpus, options);
      for (const std::size_t threads : {2U, 18U}) {
        options.threads = threads;
        check_same(one, trained_words(each.model, each.bags, corpus, options));
      }
    }
}

// Stopped every few chunks, and gone on with by another number of threads each time.
void a_training_that_was_stopped_goes_on_to_the_same_bytes() {
  const WordCorpus corpus(150);
  for (const auto& each : kCases) {
    const TrainedWords whole = trained_words(each.model, each.bags, corpus, word_options(1));
    for (const int most : {1, 2, 5}) {
      TrainedWords parts = new_tables(each.model, each.bags);
      const WordTables tables = parts.tables();
      Position position;
      bool stopped = true;
      for (std::size_t times = 0; stopped; ++times) {
        int left = most;
        try {
          train_words(each.model, corpus.documents(), corpus.counts, word_options(1 + times % 3),
                      kernels(), tables, position, parts.losses,
                      [&](const TrainProgress&) { require(--left > 0, "stop"); });
          stopped = false;
        } catch (const std::invalid_argument&) {
        }
      }
      check_same(whole, parts);
      BITSENSE_CHECK(position.words == 3 * corpus.documents().ids.size());
    }
  }
}

// While it is asked, a watch sees the tables of one thread, if it puts them in order.
void a_watch_finds_the_tables_in_order() {
  const WordCorpus corpus(150);
  for (const auto& each : kCases) {
    std::vector<std::vector<float>> expected;
    for (const std::size_t threads : {1U, 2U, 5U}) {
      TrainedWords result = new_tables(each.model, each.bags);
      const WordTables tables = result.tables();
      Position position;
      std::size_t times = 0;
      train_words(
          each.model, corpus.documents(), corpus.counts, word_options(threads), kernels(), tables,
          position, result.losses, [&](const TrainProgress&) {
            if (times % 3 != 0) position.arrange_tables();
            if (times % 3 == 2) position.arrange_tables();
            std::vector<float> seen(result.input.row(0), tables.input.row(tables.input.rows));
            seen.insert(seen.end(), tables.output.data, tables.output.row(tables.output.rows));
            if (threads == 1)
              expected.push_back(seen);
            else if (times % 3 != 0)
              BITSENSE_CHECK(seen == expected.at(times));
            ++times;
          });
      BITSENSE_CHECK(times == expected.size() && times > 5);
      BITSENSE_CHECK(!position.arrange_tables);
    }
  }
}

void frozen_tables_do_not_move() {
  const WordCorpus corpus(60);
  for (const auto& each : kCases) {
    if (std::strcmp(each.model, kSenseModel) == 0) continue;
    WordOptions still = word_options(3);
    still.move_input = still.move_output = false;
    const TrainedWords start = trained_words(each.model, each.bags, corpus, still);
    still.move_output = true;
    const TrainedWords moved = trained_words(each.model, each.bags, corpus, still);
    BITSENSE_CHECK(same_table(start.input, moved.input));
    BITSENSE_CHECK(!same_table(start.output, moved.output));
  }
}

void the_loss_falls() {
  const WordCorpus corpus(150);
  for (const auto& each : kCases) {
    WordOptions options = word_options(2);
    options.epochs = 10;
    const TrainedWords result = trained_words(each.model, each.bags, corpus, options);
    BITSENSE_CHECK(result.losses.back() < 0.9 * result.losses.front());
  }
}

void a_watch_that_throws_stops_every_thread() {
  const WordCorpus corpus(150);
  for (const auto& each : kCases) {
    for (const bool deterministic : {true, false}) {
#if defined(__SANITIZE_THREAD__)
      if (!deterministic) continue;
#endif
      WordOptions options = word_options(4);
      options.epochs = 1000;
      options.deterministic = deterministic;
      int seen = 0;
      const std::string what = error_of<std::invalid_argument>([&] {
        trained_words(each.model, each.bags, corpus, options,
                      [&](const TrainProgress&) { require(++seen < 5, "stop"); });
      });
      BITSENSE_CHECK(what == "stop" && seen == 5);
    }
  }
}

// The threads race on purpose, so ThreadSanitizer does not see this one.
void racing_threads_learn_too() {
#if !defined(__SANITIZE_THREAD__)
  const WordCorpus corpus(150);
  for (const auto& each : kCases) {
    WordOptions options = word_options(4);
    options.epochs = 10;
    options.deterministic = false;
    const TrainedWords result = trained_words(each.model, each.bags, corpus, options);
    BITSENSE_CHECK(finite_table(result.input) && finite_table(result.output));
    BITSENSE_CHECK(result.losses.back() < 0.95 * result.losses.front());
  }
#endif
}

// A cast of NaN to a whole number would be undefined.
void weights_without_bound_give_priors_of_nothing() {
  const WordCorpus corpus(20);
  WordOptions options = word_options(2);
  options.epochs = 20;
  options.learning_rate = 1000.0F;
  const TrainedWords result = trained_words(kSenseModel, false, corpus, options);
  BITSENSE_CHECK(!finite_table(result.input) && result.priors.size() == result.input.rows());
}

void corpora_without_contexts_are_trained_on() {
  WordCorpus corpus(0);
  for (const auto& each : kCases) {
    for (const std::size_t documents : {0U, 2U}) {
      corpus.ids.assign(documents, 3);  // of one word each
      corpus.offsets = {0};
      while (corpus.offsets.size() <= documents) corpus.offsets.push_back(corpus.offsets.size());
      const TrainedWords result = trained_words(each.model, each.bags, corpus, word_options(3));
      BITSENSE_CHECK(finite_table(result.input));
    }
  }
}

void unknown_models_are_refused() {
  const std::string what = error_of<std::invalid_argument>(
      [] { trained_words("glove", false, WordCorpus(4), word_options(2)); });
  BITSENSE_CHECK(what == "`model` must be a registered model, got glove");
}

}  // namespace

void word_tests(Suite& test) {
  test("threads do not change a byte", threads_do_not_change_a_byte);
  test("nor do many of them with wide windows and much noise",
       nor_do_many_of_them_with_wide_windows_and_much_noise);
  test("a training that was stopped goes on to the same bytes",
       a_training_that_was_stopped_goes_on_to_the_same_bytes);
  test("a watch finds the tables in order", a_watch_finds_the_tables_in_order);
  test("frozen tables do not move", frozen_tables_do_not_move);
  test("the loss falls", the_loss_falls);
  test("a watch that throws stops every thread", a_watch_that_throws_stops_every_thread);
  test("racing threads learn too", racing_threads_learn_too);
  test("weights without bound give priors of nothing",
       weights_without_bound_give_priors_of_nothing);
  test("corpora without contexts are trained on", corpora_without_contexts_are_trained_on);
  test("unknown models are refused", unknown_models_are_refused);
}

}  // namespace bitsense
