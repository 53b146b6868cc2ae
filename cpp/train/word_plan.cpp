#include "train/word_plan.hpp"

#include <algorithm>

namespace bitsense {

namespace {

constexpr std::uint64_t kKeepStream = 0x6b656570;
constexpr std::uint64_t kChunkStream = 0x6368756e6b;
constexpr std::uint64_t kNoiseStream = 0x64726177;

// How often a noise word of a chunk would be drawn, on average, if each centre had noise of its
// own, and how many words there are at least: fewer rows come from memory, and the vectors are as
// good (docs/performance.md).
constexpr std::size_t kDrawsPerWord = 12;
constexpr std::size_t kLeastWords = 64;

// How often a word may be a centre of one block, and how many contributions its row may expect as
// noise of one block.
constexpr std::uint32_t kMostOccurrences = 4;
constexpr double kMostNoise = 64.0;

// Centres of a block such that the most frequent noise word expects at most kMostNoise
// contributions: one for each word of a centre's context.
std::size_t centres_by_noise(const NoiseDistribution& noise, const WordOptions& options) {
  const double contexts = static_cast<double>(options.window + 1);  // their mean number
  const double a_centre =
      contexts * static_cast<double>(options.negatives) * noise.largest_probability();
  const double most = kMostNoise / std::max(a_centre, 1e-9);
  return static_cast<std::size_t>(std::clamp(most, 1.0, static_cast<double>(kBlockCentres)));
}

}  // namespace

WordPlanner::WordPlanner(const Documents& documents, std::span<const std::uint64_t> counts,
                         const NoiseDistribution& noise, const WordOptions& options,
                         std::size_t run, std::size_t most_centres)
    : documents_(documents),
      options_(options),
      subsample_(counts, options.subsample),
      run_(run),
      most_centres_(std::min(most_centres, centres_by_noise(noise, options))),
      last_(counts.size(), WordPlan::kNone) {}

void WordPlanner::make(const Chunk& chunk, const NoiseList& list, WordPlan& plan) {
  plan.epoch = chunk.epoch;
  plan.progress = chunk.progress;
  plan.words_read = chunk.words;
  plan.seed = stream(options_.seed ^ (kChunkStream << 16), chunk.epoch, chunk.number);
  make_room(chunk, plan);
  for (const Segment& segment : chunk.segments) add_segment(segment, chunk.epoch, plan);
  for (std::size_t t = 0; t < tokens_; ++t) last_[plan.tokens[t]] = WordPlan::kNone;
  plan.tokens.resize(tokens_);
  plan.previous.resize(tokens_);
  plan.repeats.resize(tokens_);
  plan.centres.resize(centres_);
  cut_blocks(plan);
  draw_noise(list, plan);
}

void WordPlanner::draw_noise(const NoiseList& list, WordPlan& plan) {
  plan.noise.resize(plan.centres.size() * options_.negatives);
  const std::size_t share = plan.noise.size() / kDrawsPerWord;
  plan.noise_words.resize(std::max(share, std::min(plan.noise.size(), kLeastWords)));
  list.copy(plan.seed, plan.noise_words.size(), plan.noise_words.data());
  Rng rng(stream(plan.seed, kNoiseStream));
  const auto words = static_cast<std::uint32_t>(plan.noise_words.size());
  plan.for_each_run(run_, [&](std::size_t c, std::size_t /*count*/) {
    std::uint32_t* noise = plan.noise.data() + c * options_.negatives;
    for (std::size_t k = 0; k < options_.negatives; ++k)
      noise[k] = plan.noise_words[rng.below(words)];
  });
}

// For as many tokens and centres as a chunk may have.
void WordPlanner::make_room(const Chunk& chunk, WordPlan& plan) {
  std::size_t most = 0;
  for (const Segment& segment : chunk.segments) {
    const std::size_t size = segment.end - segment.begin;
    if (kept_.size() < size) kept_.resize(size);
    most += size + std::min(2 * reach(), documents_[segment.document].size() - size);
  }
  plan.tokens.resize(most);
  plan.previous.resize(most);
  plan.repeats.resize(most);
  plan.centres.resize(most);
  tokens_ = centres_ = 0;
}

void WordPlanner::add_token(std::uint32_t word, WordPlan& plan) {
  const std::uint32_t last = last_[word];
  const std::uint32_t before = tokens_ == 0 ? 0 : plan.repeats[tokens_ - 1];
  plan.repeats[tokens_] = std::max(before, last + 1);  // kNone + 1 is 0
  plan.previous[tokens_] = last;
  plan.tokens[tokens_] = word;
  last_[word] = static_cast<std::uint32_t>(tokens_++);
}

// The words of a segment that are kept, without a branch that depends on them.
std::size_t WordPlanner::keep_words(const Segment& segment, std::uint64_t seed) {
  const auto words = documents_[segment.document];
  std::size_t count = 0;
  for (std::uint64_t p = segment.begin; p < segment.end; ++p) {
    const std::uint64_t random = mix(seed + p);
    kept_[count] = {words[p], static_cast<std::uint32_t>(random)};
    count += kept(words[p], random) ? 1 : 0;
  }
  return count;
}

void WordPlanner::add_segment(const Segment& segment, std::size_t epoch, WordPlan& plan) {
  const auto words = documents_[segment.document];
  const std::uint64_t seed = stream(options_.seed ^ (kKeepStream << 24), epoch, segment.document);
  const auto first_token = static_cast<std::uint32_t>(tokens_);
  const auto window = static_cast<std::uint32_t>(options_.window);

  // The words before the segment that its first windows reach.
  std::uint64_t begin = segment.begin;
  for (std::size_t found = 0; begin > 0 && found < reach();) {
    --begin;
    if (kept(words[begin], mix(seed + begin))) ++found;
  }
  for (std::uint64_t p = begin; p < segment.begin; ++p)
    if (kept(words[p], mix(seed + p))) add_token(words[p], plan);

  const std::size_t first_centre = centres_;
  const std::size_t count = keep_words(segment, seed);
  for (std::size_t k = 0; k < count; ++k) {
    const auto at = static_cast<std::uint32_t>(tokens_);
    add_token(kept_[k].word, plan);
    // The half-width, uniform in [1, window], by other bits than those that kept the word.
    std::uint32_t half = window;
    if (options_.shrink_windows)
      half = 1 + static_cast<std::uint32_t>((std::uint64_t{kept_[k].random} * window) >> 32);
    plan.centres[centres_++] = {at, at - std::min(half, at - first_token), at + half + 1,
                                first_token, 0};
  }
  std::size_t found = 0;
  for (std::uint64_t p = segment.end; p < words.size() && found < reach(); ++p)
    if (kept(words[p], mix(seed + p))) {
      add_token(words[p], plan);
      ++found;
    }

  const auto end = static_cast<std::uint32_t>(tokens_);
  std::size_t filled = first_centre;
  for (std::size_t c = first_centre; c < centres_; ++c) {
    Centre centre = plan.centres[c];
    centre.last = std::min(centre.last, end);
    centre.end = end;
    if (centre.contexts() == 0) continue;
    plan.centres[filled++] = centre;
  }
  centres_ = filled;
}

void WordPlanner::cut_blocks(WordPlan& plan) {
  plan.blocks.assign(1, 0);
  occurrences_.assign(plan.tokens.size(), 0);
  std::uint32_t begin_token = 0;
  for (std::uint32_t c = 0; c < plan.centres.size(); ++c) {
    const std::uint32_t at = plan.centres[c].at;
    const std::uint32_t before = plan.previous[at];
    const std::uint32_t first = plan.blocks.back();
    if (c == first) begin_token = at;
    std::uint32_t times = 1;
    if (before != WordPlan::kNone && before >= begin_token) times += occurrences_[before];
    if (c - first >= most_centres_ || times > kMostOccurrences) {
      plan.blocks.push_back(c);
      begin_token = at;
      times = 1;
    }
    occurrences_[at] = times;
  }
  if (!plan.centres.empty()) plan.blocks.push_back(static_cast<std::uint32_t>(plan.centres.size()));
}

}  // namespace bitsense
