#include "train/sense_priors.hpp"

#include <algorithm>
#include <atomic>

#include "models/disambiguated_skip_gram.hpp"
#include "train/sense_step.hpp"
#include "train/word_plan.hpp"

namespace bitsense {

namespace {

constexpr float kUnit = 16777216.0F;  // 2^24
constexpr std::size_t kChunksPerRound = 256;

}  // namespace

void sense_priors(const Documents& documents, std::span<const std::uint64_t> counts,
                  const WordOptions& options, const Kernels& kernels, const WordTables& tables,
                  std::uint64_t* sums, const Poll& poll) {
  const NoiseDistribution noise(counts);
  const NoiseList list(noise);
  ChunkCutter cutter(documents, 1, options.seed);
  struct Worker {
    WordPlanner planner;
    WordPlan plan;
    Gate gate;
    AlignedFloats context;
    AlignedFloats z;
  };
  std::vector<Worker> workers;
  workers.reserve(options.threads);
  for (std::size_t t = 0; t < options.threads; ++t)
    workers.push_back({{documents, counts, noise, options},
                       {},
                       {*kernels.floats, tables, options.gate_window},
                       AlignedFloats(tables.output.stride),
                       AlignedFloats(padded(DisambiguatedSkipGram::kMostSenses))});
  std::vector<Chunk> chunks(kChunksPerRound);
  for (bool more = true; more;) {
    std::size_t count = 0;
    while (count < kChunksPerRound && (more = cutter.next(chunks[count]))) ++count;
    auto visit = [&](std::size_t i, std::size_t thread) {
      Worker& mine = workers[thread];
      mine.planner.make(chunks[i], list, mine.plan);
      mine.gate.begin();
      for (const Centre& centre : mine.plan.centres) {
        const std::uint32_t word = mine.plan.tokens[centre.at];
        const std::size_t first = tables.sense_offsets[word];
        const std::size_t senses = tables.sense_offsets[word + 1] - first;
        if (senses == 1) continue;
        const std::span<float> z(mine.z.data(), senses);
        mine.gate.context(mine.plan, centre, mine.context.data());
        mine.gate.logits(word, mine.context.data(), z);
        DisambiguatedSkipGram::relax(*kernels.floats, z, 1.0F);
        for (std::size_t k = 0; k < senses; ++k)  // of weights without bound z is NaN
          if (z[k] > 0.0F)
            std::atomic_ref(sums[first + k])
                .fetch_add(static_cast<std::uint64_t>(z[k] * kUnit), std::memory_order_relaxed);
      }
    };
    parallel_for(options.threads, count, visit, poll);
  }
}

}  // namespace bitsense
