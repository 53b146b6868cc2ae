#include "train/word_trainer.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "core/parallel.hpp"
#include "core/rng.hpp"
#include "train/halved_tables.hpp"
#include "train/loss_meter.hpp"
#include "train/team.hpp"
#include "train/word_step.hpp"

namespace bitsense {

namespace {

constexpr std::uint64_t kInitStream = 0x696e6974;
// Chunks that are planned side by side, then trained one after another: few, so that the plans are
// still in the cache.
constexpr std::size_t chunks_per_round(std::size_t threads) {
  return threads == 1 ? 1 : 2 * threads;
}

// As long as it lives, a watch can put the tables in order.
class ArrangedByWatch {
 public:
  ArrangedByWatch(Position& position, HalvedTables& tables) : position_(position) {
    position_.arrange_tables = [&tables] { tables.join(); };
  }
  ~ArrangedByWatch() { position_.arrange_tables = nullptr; }
  ArrangedByWatch(const ArrangedByWatch&) = delete;
  ArrangedByWatch& operator=(const ArrangedByWatch&) = delete;

 private:
  Position& position_;
};

class WordTraining {
 public:
  WordTraining(const std::string& model, const Documents& documents,
               std::span<const std::uint64_t> counts, const WordOptions& options,
               const Kernels& kernels, const WordTables& tables, Position& position,
               std::vector<double>& losses, const Watch& watch)
      : model_(model),
        documents_(documents),
        counts_(counts),
        options_(options),
        kernels_(kernels),
        tables_(tables),
        noise_(counts),
        position_(position),
        done_(position.blocks),
        meter_(position, losses),
        watch_(watch) {}

  void together();
  void apart();

 private:
  // Chunks of one epoch and the noise of that epoch.
  struct Round {
    explicit Round(std::size_t most) : chunks(most), plans(most) {}
    std::vector<Chunk> chunks;
    std::vector<WordPlan> plans;
    std::size_t size = 0;
  };

  std::unique_ptr<WordStep> step(std::size_t threads) const {
    return make_word_step(model_, kernels_, options_, tables_, threads);
  }
  // Of the chunks that are left.
  ChunkCutter cutter() const {
    ChunkCutter made(documents_, options_.epochs, options_.seed);
    made.skip(done_);
    return made;
  }
  // Whether splitting the tables is worth it: a row takes as long as what three words gain.
  bool is_long() const {
    const std::uint64_t rows = tables_.input.rows + tables_.output.rows;
    return documents_.ids.size() * options_.epochs >= 3 * rows;
  }
  WordPlanner planner(const WordStep& work) const {
    return {documents_, counts_, noise_, options_, work.noise_centres(), work.most_centres()};
  }
  Block block(const WordStep& work, const WordPlan& plan, std::size_t b) const {
    const double left = std::max(1e-4, 1.0 - plan.progress);
    return {&plan,
            b,
            plan.blocks[b],
            plan.blocks[b + 1],
            static_cast<float>(options_.learning_rate * left),
            work.group_centres()};
  }
  bool cut(ChunkCutter& cutter, Round& round, NoiseList& list, std::size_t& list_epoch);
  bool train(WordStep& work, const WordPlan& plan, Member& member, LossSum& loss) const;
  bool train(WordStep& work, const Block& block, Member& member, LossSum& loss) const;
  static bool train_halves(WordStep& work, const Block& block, Member& member);
  void report(const WordPlan& plan, const LossSum& loss);

  std::string model_;
  Documents documents_;
  std::span<const std::uint64_t> counts_;
  WordOptions options_;
  const Kernels& kernels_;
  WordTables tables_;
  NoiseDistribution noise_;
  Position& position_;
  std::uint64_t done_;  // chunks, before this call
  LossMeter meter_;
  const Watch& watch_;
  double mean_loss_ = 0.0;
};

// Takes the next chunks, all of one epoch; false when training is over.
bool WordTraining::cut(ChunkCutter& cutter, Round& round, NoiseList& list,
                       std::size_t& list_epoch) {
  round.size = 0;
  while (round.size < round.chunks.size() && cutter.next(round.chunks[round.size])) {
    ++round.size;
    if (cutter.at_end_of_epoch()) break;
  }
  if (round.size == 0) return false;
  if (list_epoch != round.chunks[0].epoch) {
    list_epoch = round.chunks[0].epoch;
    list.refill(noise_seed(options_.seed, list_epoch));
  }
  return true;
}

void WordTraining::report(const WordPlan& plan, const LossSum& loss) {
  ++position_.blocks;
  position_.words += plan.words_read;
  if (loss.targets > 0.0) mean_loss_ = loss.loss / loss.targets;
  meter_.add(plan.epoch, loss.loss, loss.targets);
}

// One thread's share of a plan; false if a thread has failed. The first one adds up the loss.
bool WordTraining::train(WordStep& work, const WordPlan& plan, Member& member,
                         LossSum& loss) const {
  for (std::size_t b = 0; b < plan.block_count(); ++b) {
    if (!train(work, block(work, plan, b), member, loss)) return false;
    member.next_block();
  }
  return member.meet();
}

// Two threads, each on half of the columns: neither waits but for what the other has summed or
// scored.
bool WordTraining::train_halves(WordStep& work, const Block& block, Member& member) {
  const Share& share = member.share();
  const std::size_t groups = block.groups();
  for (std::size_t g = 0; g < groups; ++g) {
    work.sum(block, g, share);
    member.hand_over(g);
  }
  if (!member.score_groups(groups, [&](std::size_t g) { work.score(block, g, share); }))
    return false;
  for (std::size_t g = 0; g < groups; ++g) {
    if (!member.await_scores(g)) return false;
    work.move(block, g, share);
  }
  return true;
}

bool WordTraining::train(WordStep& work, const Block& block, Member& member, LossSum& loss) const {
  const Share& share = member.share();
  const std::size_t groups = block.groups();
  if (work.composes()) {
    work.compose(block, share);
    if (!work.sums() && !member.meet()) return false;
  }
  if (work.sums()) {
    if (!train_halves(work, block, member)) return false;
  } else {
    for (std::size_t g = share.begin(groups); g < share.end(groups); ++g)
      work.score(block, g, share);
    if (!member.meet()) return false;
    for (std::size_t g = 0; g < groups; ++g) work.move(block, g, share);
  }
  work.move_shared(block, share);
  if (share.index == 0) loss.add(work.loss(block));
  return work.sums() || member.meet();
}

// All threads on one block at a time. The chunks of a round are planned side by side.
void WordTraining::together() {
  const std::size_t threads = options_.threads;
  ChunkCutter chunks = cutter();
  tables_.halved = threads == 2 && is_long();
  std::unique_ptr<WordStep> work = step(threads);
  tables_.halved = work->sums();  // not for a model that does not sum
  std::vector<Table> to_split;
  if (tables_.halved) to_split = {tables_.input, tables_.output};
  HalvedTables halved(to_split, threads);
  halved.split();
  const ArrangedByWatch arranged(position_, halved);
  NoiseList list(noise_);
  std::size_t list_epoch = SIZE_MAX;
  Round round(chunks_per_round(threads));
  bool more = cut(chunks, round, list, list_epoch);
  std::atomic<std::size_t> next_plan{0};
  Team team(threads, tables_.halved);
  run_team(
      threads,
      [&](std::size_t thread) {
        WordPlanner mine = planner(*work);
        Member member(team, thread);
        while (more) {
          const std::size_t size = round.size;  // it is another's when thread 0 has cut the next
          for (std::size_t i; (i = next_plan.fetch_add(1)) < size;) {
            mine.make(round.chunks[i], list, round.plans[i]);
            work->lay_out(round.plans[i]);
          }
          if (!member.meet()) return;
          for (std::size_t i = 0; i < size; ++i) {
            const WordPlan& plan = round.plans[i];
            LossSum loss;
            if (!train(*work, plan, member, loss)) return;
            if (thread == 0) {
              report(plan, loss);
              if (watch_) watch_({plan.epoch, plan.progress, position_.words, mean_loss_});
              halved.split();
              if (i + 1 == size) {
                more = cut(chunks, round, list, list_epoch);
                next_plan.store(0);
              }
            }
            if (!member.meet()) return;
          }
        }
      },
      &team.failed());
}

// Each thread on chunks of its own, without waiting for the others.
void WordTraining::apart() {
  std::mutex lock;
  std::atomic<bool> failed{false};
  run_team(
      options_.threads,
      [&](std::size_t thread) {
        ChunkCutter chunks = cutter();
        std::unique_ptr<WordStep> work = step(1);
        WordPlanner mine = planner(*work);
        Team alone(1);
        Member member(alone, 0);
        NoiseList list(noise_);
        std::size_t list_epoch = SIZE_MAX;
        Chunk chunk;
        WordPlan plan;
        for (std::uint64_t number = done_; !failed.load() && chunks.next(chunk); ++number) {
          if (number % options_.threads != thread) continue;
          if (list_epoch != chunk.epoch)
            list.refill(noise_seed(options_.seed, list_epoch = chunk.epoch));
          mine.make(chunk, list, plan);
          work->lay_out(plan);
          LossSum loss;
          train(*work, plan, member, loss);
          std::scoped_lock hold(lock);
          report(plan, loss);
          if (thread == 0 && watch_)
            watch_({plan.epoch, plan.progress, position_.words, mean_loss_});
        }
      },
      &failed);
}

}  // namespace

void fill_uniform(const Table& table, std::size_t dim, float scale, std::uint64_t seed,
                  std::size_t threads) {
  constexpr std::size_t kRows = 4096;
  parallel_for(threads, (table.rows + kRows - 1) / kRows, [&](std::size_t part, std::size_t) {
    for (std::size_t i = part * kRows; i < std::min(table.rows, (part + 1) * kRows); ++i) {
      Rng rng(stream(seed, kInitStream, i));
      float* row = table.row(i);
      for (std::size_t x = 0; x < dim; ++x) row[x] = (2.0F * rng.uniform() - 1.0F) * scale;
    }
  });
}

void train_words(const std::string& model, const Documents& documents,
                 std::span<const std::uint64_t> counts, const WordOptions& options,
                 const Kernels& kernels, const WordTables& tables, Position& position,
                 std::vector<double>& losses, const Watch& watch) {
  WordTraining training(model, documents, counts, options, kernels, tables, position, losses,
                        watch);
  if (options.deterministic || options.threads == 1)
    training.together();
  else
    training.apart();
}

void train_words(const std::string& model, const Documents& documents,
                 std::span<const std::uint64_t> counts, const WordOptions& options,
                 const Kernels& kernels, const WordTables& tables, std::vector<double>& losses,
                 const Watch& watch) {
  Position begin;
  train_words(model, documents, counts, options, kernels, tables, begin, losses, watch);
}

}  // namespace bitsense
