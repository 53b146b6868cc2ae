// The end of a CorpusBuilder: merge the threads' tables, rank the words, map the ids, give them
// away.
#include <algorithm>
#include <array>
#include <utility>

#include "core/errors.hpp"
#include "text/corpus.hpp"

namespace bitsense {
namespace {

constexpr std::size_t kPollWords = std::size_t{1} << 16;
constexpr std::size_t kSortRun = std::size_t{1} << 15;
constexpr std::size_t kWaveSegments = 8;  // for each thread
constexpr std::size_t kWaveIds = std::size_t{1} << 20;

// A word to be ranked. The first eight bytes, as a number that sorts like them, settle most ties.
struct Candidate {
  std::uint64_t count;
  std::uint64_t prefix;
  std::uint32_t id;
};

std::uint64_t sorting_prefix(std::string_view word) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < word.size() ? static_cast<unsigned char>(word[i]) : 0U);
  }
  return prefix;
}

// Sorts runs on all threads, then merges pairs of runs until one is left.
template <class Less>
void parallel_sort(std::vector<Candidate>& items, std::size_t threads, const Less& less,
                   const Poll& poll) {
  const auto at = [&](std::size_t i) {
    return items.begin() + static_cast<std::ptrdiff_t>(std::min(i, items.size()));
  };
  const std::size_t runs = (items.size() + kSortRun - 1) / kSortRun;
  parallel_for(
      threads, runs,
      [&](std::size_t i, std::size_t) {
        std::sort(at(i * kSortRun), at((i + 1) * kSortRun), less);
      },
      poll);
  for (std::size_t width = kSortRun; width < items.size(); width *= 2) {
    parallel_for(
        threads, (items.size() + 2 * width - 1) / (2 * width),
        [&](std::size_t i, std::size_t) {
          const std::size_t begin = i * 2 * width;
          std::inplace_merge(at(begin), at(begin + width), at(begin + 2 * width), less);
        },
        poll);
  }
}

}  // namespace

// Adds every table to that of worker 0. Returns each worker's map from its ids to those of worker 0
// and gives the other tables back.
CorpusBuilder::Maps CorpusBuilder::merge(const Poll& poll) {
  Maps maps(workers_.size());
  Tally& all = workers_.front().tally;
  const bool has_ngrams = tokenizer_->options().ngrams > 1;
  for (std::size_t w = 1; w < workers_.size(); ++w) {
    Tally& tally = workers_[w].tally;
    const std::vector<std::uint64_t> counts = tally.words.counts();
    maps[w].resize(counts.size());
    std::array<WordKey, 32> keys;
    for (std::size_t first = 0; first < counts.size(); first += keys.size()) {
      if (first % kPollWords == 0 && poll) poll();
      const std::size_t group = std::min(keys.size(), counts.size() - first);
      for (std::size_t i = 0; i < group; ++i) {
        keys[i] = finished_key(tally.words.word(static_cast<std::uint32_t>(first + i)));
        all.words.prefetch(keys[i]);
      }
      for (std::size_t i = 0; i < group; ++i) {
        const std::size_t id = first + i;
        const std::uint32_t merged = all.words.insert(keys[i], counts[id]);
        if (has_ngrams && merged == all.orders.size()) all.orders.push_back(tally.orders[id]);
        if (has_ngrams) all.orders[merged] = std::min(all.orders[merged], tally.orders[id]);
        maps[w][id] = merged;
      }
    }
    tally = Tally();
  }
  return maps;
}

// The merged ids of the words that stay, in the order of their ranks.
std::vector<std::uint32_t> CorpusBuilder::ranked_words(const std::vector<std::uint64_t>& counts,
                                                       const RankOptions& options,
                                                       const Poll& poll) {
  const Tally& all = workers_.front().tally;
  std::vector<Candidate> candidates;
  for (std::uint32_t id = 0; id < counts.size(); ++id) {
    const bool is_ngram = !all.orders.empty() && all.orders[id] > 1;
    const std::uint64_t least = is_ngram ? options.min_count_ngrams : options.min_count;
    counts_.most_frequent = std::max(counts_.most_frequent, counts[id]);
    if (counts[id] < least) continue;
    candidates.push_back({counts[id], sorting_prefix(all.words.word(id)), id});
  }
  const auto less = [&](const Candidate& a, const Candidate& b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return all.words.word(a.id) < all.words.word(b.id);
  };
  parallel_sort(candidates, workers_.size(), less, poll);
  if (candidates.size() > options.max_vocabulary) candidates.resize(options.max_vocabulary);
  std::vector<std::uint32_t> ranked(candidates.size());
  std::transform(candidates.begin(), candidates.end(), ranked.begin(),
                 [](const Candidate& candidate) { return candidate.id; });
  return ranked;
}

namespace {

// Maps ids where they lie, drops those that map to kNoWord, and returns how many are left;
// `lengths` are those of the documents.
std::size_t keep_mapped(std::uint32_t* ids, std::vector<std::uint32_t>& lengths,
                        const std::vector<std::uint32_t>& map) {
  const std::uint32_t* from = ids;
  std::uint32_t* to = ids;
  for (std::uint32_t& length : lengths) {
    const std::uint32_t* before = to;
    for (const std::uint32_t* end = from + length; from < end; ++from) {
      const std::uint32_t id = map[*from];
      *to = id;
      to += id != kNoWord;
    }
    length = static_cast<std::uint32_t>(to - before);
  }
  return static_cast<std::size_t>(to - ids);
}

}  // namespace

void CorpusBuilder::remap(const Maps& maps, const Poll& poll) {
  parallel_for(
      workers_.size(), segments_.size(),
      [&](std::size_t i, std::size_t) {
        Segment& segment = segments_[i];
        segment.size = keep_mapped(segment.ids, segment.lengths, maps[segment.worker]);
      },
      poll);
}

// The same in the file, where the ids of all segments follow each other before and after. One
// thread takes them one by one, several share some at a time, which are then put in order.
void CorpusBuilder::remap_file(const Maps& maps, const Poll& poll) {
  const std::size_t most = workers_.size() == 1 ? 1 : kWaveSegments * workers_.size();
  std::vector<std::uint32_t> ids;
  for (std::size_t first = 0; first < segments_.size();) {
    std::vector<std::size_t> begins{0};
    std::size_t last = first;
    do {
      begins.push_back(begins.back() + segments_[last++].size);
    } while (last < segments_.size() && last - first < most &&
             begins.back() + segments_[last].size <= kWaveIds);
    ids.resize(begins.back());
    file_->read(bytes_of(std::span(ids)));
    parallel_for(
        workers_.size(), last - first,
        [&](std::size_t i, std::size_t) {
          Segment& segment = segments_[first + i];
          segment.size = keep_mapped(ids.data() + begins[i], segment.lengths, maps[segment.worker]);
        },
        poll);
    for (std::size_t i = first; i < last; ++i) {
      file_->put(bytes_of(std::span(ids).subspan(begins[i - first], segments_[i].size)), poll);
    }
    first = last;
  }
}

Vocabulary CorpusBuilder::rank(const RankOptions& options, const Poll& poll) {
  require(open_ && !vocabulary_, "only an open corpus without a vocabulary can be ranked");
  open_ = false;
  if (file_) {
    for (Worker& worker : workers_) worker.memory.reset();  // all ids are in the file
  }
  Maps maps = merge(poll);
  const Tally& tally = workers_.front().tally;
  const std::vector<std::uint64_t> counted = tally.words.counts();
  counts_.types = counted.size();
  const std::vector<std::uint32_t> ranked = ranked_words(counted, options, poll);
  std::vector<std::uint32_t> ranks(counted.size(), kNoWord);
  WordTable words;
  words.reserve(ranked.size(), 0);
  std::vector<std::uint64_t> counts;
  counts.reserve(ranked.size());
  for (std::uint32_t rank = 0; rank < ranked.size(); ++rank) {
    if (rank % kPollWords == 0 && poll) poll();
    words.insert(finished_key(tally.words.word(ranked[rank])));
    counts.push_back(counted[ranked[rank]]);
    ranks[ranked[rank]] = rank;
  }
  workers_.front().tally = Tally();
  for (std::size_t w = 1; w < maps.size(); ++w) {
    for (std::uint32_t& id : maps[w]) id = ranks[id];
  }
  maps.front() = std::move(ranks);
  if (file_) {
    maps_ = std::move(maps);
  } else {
    remap(maps, poll);
  }
  return Vocabulary(std::move(words), std::move(counts));
}

std::size_t CorpusBuilder::ids() const noexcept {
  std::size_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.size;
  return sum;
}

void CorpusBuilder::drain(std::uint32_t* ids, std::uint64_t* offsets, std::uint32_t* totals,
                          const Poll& poll) {
  require(!file_, "a corpus in a file is saved, not drained");
  lay_out(ids, offsets, totals, poll);
}

void CorpusBuilder::save(std::string_view header, std::span<const Bytes> vocabulary,
                         const Poll& poll) {
  require(file_ && !maps_.empty(), "only a corpus in a file that is ranked can be saved");
  require(vocabulary.size() == kVocabularySections, "`vocabulary` must have ", kVocabularySections,
          " sections, got ", vocabulary.size());
  file_->begin(header);
  remap_file(std::exchange(maps_, {}), poll);  // a second call has none
  std::vector<std::uint64_t> offsets(counts_.documents + 1);
  std::vector<std::uint32_t> totals(counts_.documents);
  lay_out(nullptr, offsets.data(), totals.data(), poll);
  std::vector<Bytes> others = {bytes_of(std::span<const std::uint64_t>(offsets)),
                               bytes_of(std::span<const std::uint32_t>(totals))};
  others.insert(others.end(), vocabulary.begin(), vocabulary.end());
  file_->finish(others, workers_.size(), poll);
  close();
}

void CorpusBuilder::close() noexcept {
  open_ = false;
  file_.reset();
  maps_.clear();
  segments_.clear();
  counts_ = {};
}

// Where there are no `ids`, they are in the file.
void CorpusBuilder::lay_out(std::uint32_t* ids, std::uint64_t* offsets, std::uint32_t* totals,
                            const Poll& poll) {
  open_ = false;
  for (Worker& worker : workers_) worker.memory.reset();
  struct Place {
    std::uint64_t id = 0;
    std::size_t document = 0;
  };
  std::vector<Place> places(segments_.size() + 1);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    places[i + 1] = {places[i].id + segments_[i].size,
                     places[i].document + segments_[i].totals.size()};
  }
  offsets[0] = 0;
  parallel_for(
      workers_.size(), segments_.size(),
      [&](std::size_t i, std::size_t) {
        const Segment segment = std::move(segments_[i]);  // its memory goes as soon as possible
        auto [offset, document] = places[i];
        if (ids != nullptr) std::copy_n(segment.ids, segment.size, ids + offset);
        std::copy(segment.totals.begin(), segment.totals.end(), totals + document);
        for (const std::uint32_t length : segment.lengths) offsets[++document] = offset += length;
      },
      poll);
  segments_.clear();
}

}  // namespace bitsense
