#include "text/corpus.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <iomanip>
#include <iterator>
#include <utility>

#include "core/errors.hpp"

namespace bitsense {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::size_t kBlockTokens = std::size_t{1} << 16;
constexpr std::size_t kPollTokens = std::size_t{1} << 16;
constexpr std::size_t kFirstIds = std::size_t{1} << 12;
constexpr std::size_t kSections = 3;                      // of a file, but for its vocabulary
constexpr std::size_t kMemoryIds = std::size_t{1} << 20;  // four megabytes

// Cuts [0, count) into runs whose sizes add up to `block` or more each; returns where they begin,
// and `count` at the end.
template <class Size>
std::vector<std::size_t> cut_blocks(std::size_t count, std::size_t block, Size&& size) {
  std::vector<std::size_t> begins{0};
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (sum >= block) {
      begins.push_back(i);
      sum = 0;
    }
    sum += size(i);
  }
  if (count > 0) begins.push_back(count);
  return begins;
}

std::string describe(std::string_view document, const Utf8Error& error) {
  const unsigned byte = static_cast<unsigned char>(document[error.offset()]);
  return text("must be UTF-8, got byte 0x", std::hex, std::setw(2), std::setfill('0'), byte,
              std::dec, " at offset ", error.offset(), ": ", error.what());
}

}  // namespace

// Writes the documents of one block into a segment.
class CorpusBuilder::Writer {
 public:
  Writer(const CorpusBuilder& builder, Worker& worker, Segment& segment, const Poll& poll)
      : builder_(builder),
        worker_(worker),
        segment_(segment),
        poll_(poll),
        begin_(worker.used),
        first_(worker.used) {}

  void add_text(std::string_view document, const char* readable_end) {
    if (segment_.error) return;
    if (document.size() > kMaxDocumentBytes) {
      fail(text("must have at most ", kMaxDocumentBytes, " bytes, got ", document.size()));
      return;
    }
    begin();
    try {
      builder_.tokenizer_->split(document, readable_end, worker_.scratch,
                                 [&](std::span<const WordKey> words) { add_words(words); });
    } catch (const Utf8Error& error) {
      fail(describe(document, error));
      return;
    }
    end();
  }

  // One document a line.
  void add_lines(std::string_view lines) {
    for (std::size_t begin = 0; begin < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', begin), lines.size());
      add_text(lines.substr(begin, end - begin), lines.data() + lines.size());
      begin = end + 1;
    }
  }

  void add_list(const std::uint32_t* lengths, std::size_t tokens, const char*& bytes,
                const char* readable_end) {
    if (segment_.error) return;
    begin();
    std::array<WordKey, kWordBatch> words;
    for (std::size_t i = 0; i < tokens;) {
      std::size_t size = 0;
      for (; size < words.size() && i < tokens; ++i) {
        words[size++] = finished_key(bytes, lengths[i], readable_end);
        bytes += lengths[i];
      }
      add_words(std::span(words).first(size));
    }
    end();
  }

  void finish() {
    segment_.memory = worker_.memory;
    segment_.ids = worker_.memory.get() + begin_;
    segment_.size = worker_.used - begin_;
  }

 private:
  void begin() {
    worker_.joiner.clear();
    first_ = worker_.used;
    total_ = 0;
  }
  void end() {
    flush();
    segment_.lengths.push_back(static_cast<std::uint32_t>(worker_.used - first_));
    segment_.totals.push_back(total_);
  }
  void fail(const std::string& what) { segment_.error.emplace(segment_.totals.size(), what); }

  void add_words(std::span<const WordKey> words) {
    since_poll_ += words.size();
    if (since_poll_ >= kPollTokens) {
      since_poll_ = 0;
      if (poll_) poll_();
    }
    if (builder_.tokenizer_->options().ngrams == 1) {
      look_up(words);
      return;
    }
    for (const WordKey& word : words) {
      worker_.joiner.add(word, [&](const WordKey& key, unsigned order) { wait(key, order); });
    }
  }

  // N-grams are looked up some at a time. A long key does not wait, because its bytes may move
  // before its turn.
  void wait(const WordKey& key, unsigned order) {
    waiting_[waits_] = key;
    orders_[waits_++] = static_cast<std::uint8_t>(order);
    if (key.is_long() || waits_ == kWordBatch) flush();
  }
  void flush() { look_up(std::span(waiting_).first(std::exchange(waits_, 0))); }

  // Asks for the cache lines of all words, then looks them up.
  void look_up(std::span<const WordKey> words) {
    total_ += static_cast<std::uint32_t>(words.size());
    std::uint32_t* ids = room(words.size());
    if (builder_.vocabulary_) {
      worker_.used += find(words, ids);
    } else {
      count(words, ids);
      worker_.used += words.size();
    }
  }

  // Room for more ids behind those of this segment, which lie together: where the memory ends they
  // move to the beginning of a new one.
  std::uint32_t* room(std::size_t more) {
    if (worker_.capacity - worker_.used < more) {
      const std::size_t held = worker_.used - begin_;
      const std::size_t capacity =
          std::max(std::clamp(2 * worker_.capacity, kFirstIds, kMemoryIds), 2 * (held + more));
      std::shared_ptr<std::uint32_t[]> memory = large_array<std::uint32_t>(capacity);
      std::copy_n(worker_.memory.get() + begin_, held, memory.get());
      worker_.memory = std::move(memory);
      worker_.capacity = capacity;
      worker_.used = held;
      first_ -= begin_;
      begin_ = 0;
    }
    return worker_.memory.get() + worker_.used;
  }

  std::size_t find(std::span<const WordKey> words, std::uint32_t* ids) {
    const Vocabulary& vocabulary = *builder_.vocabulary_;
    for (const WordKey& word : words) vocabulary.prefetch(word);
    std::size_t found = 0;
    for (const WordKey& word : words) {
      ids[found] = vocabulary.find(word);
      found += ids[found] != kNoWord;
    }
    return found;
  }

  void count(std::span<const WordKey> words, std::uint32_t* ids) {
    Tally& tally = worker_.tally;
    for (const WordKey& word : words) tally.words.prefetch(word);
    for (std::size_t i = 0; i < words.size(); ++i) ids[i] = tally.words.insert(words[i]);
    if (builder_.tokenizer_->options().ngrams == 1) return;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (ids[i] == tally.orders.size()) tally.orders.push_back(orders_[i]);
      tally.orders[ids[i]] = std::min(tally.orders[ids[i]], orders_[i]);
    }
  }

  const CorpusBuilder& builder_;
  Worker& worker_;
  Segment& segment_;
  const Poll& poll_;
  std::size_t begin_;  // of the segment in the worker's memory
  std::size_t first_;  // and of the document
  std::uint32_t total_ = 0;
  std::size_t since_poll_ = 0;
  std::array<WordKey, kWordBatch> waiting_;
  std::array<std::uint8_t, kWordBatch> orders_;  // of what waits
  std::size_t waits_ = 0;
};

CorpusBuilder::CorpusBuilder(std::shared_ptr<const Tokenizer> tokenizer, std::size_t threads,
                             std::shared_ptr<const Vocabulary> vocabulary)
    : tokenizer_(std::move(tokenizer)), vocabulary_(std::move(vocabulary)) {
  require(threads >= 1, "`threads` must be at least 1, got ", threads);
  workers_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) workers_.emplace_back(tokenizer_->options().ngrams);
}

CorpusBuilder::CorpusBuilder(std::shared_ptr<const Tokenizer> tokenizer, std::size_t threads,
                             const std::string& path, std::size_t header_bytes)
    : CorpusBuilder(std::move(tokenizer), threads) {
  file_ = std::make_unique<GrowingFile>(path, header_bytes, kSections + kVocabularySections);
}

// Calls block(i, writer) for each i below `count` and keeps what the writers wrote, in order.
template <class Block>
void CorpusBuilder::add_blocks(std::size_t count, Block&& block, const Poll& poll) {
  begin_batch();
  std::vector<Segment> fresh(count);
  const Poll no_poll;
  parallel_for(
      workers_.size(), count,
      [&](std::size_t i, std::size_t thread) {
        fresh[i].worker = thread;
        Writer writer(*this, workers_[thread], fresh[i], thread == 0 ? poll : no_poll);
        block(i, writer);
        writer.finish();
      },
      poll);
  keep(std::move(fresh));
}

void CorpusBuilder::begin_batch() {
  require(open_, "a corpus that is finished, or that failed, takes no more documents");
  open_ = false;
}

// Takes the segments of a batch, or throws the first error in it.
void CorpusBuilder::keep(std::vector<Segment> fresh) {
  std::size_t documents = 0;
  for (Segment& segment : fresh) {
    if (segment.error) {
      throw DocumentError(documents + segment.error->document(), segment.error->what());
    }
    documents += segment.totals.size();
    for (const std::uint32_t total : segment.totals) counts_.tokens += total;
    if (file_) {
      file_->append(bytes_of(std::span<const std::uint32_t>(segment.ids, segment.size)));
      segment.memory.reset();
      segment.ids = nullptr;
    }
    segments_.push_back(std::move(segment));
  }
  if (file_) {
    for (Worker& worker : workers_) worker.used = 0;
  }
  counts_.documents += documents;
  open_ = true;
}

void CorpusBuilder::add_documents(std::span<const std::string_view> documents, const Poll& poll) {
  const auto begins = cut_blocks(documents.size(), kBlockBytes,
                                 [&](std::size_t i) { return documents[i].size() + 16; });
  add_blocks(
      begins.size() - 1,
      [&](std::size_t block, Writer& writer) {
        for (std::size_t i = begins[block]; i < begins[block + 1]; ++i) {
          writer.add_text(documents[i], documents[i].data() + documents[i].size());
        }
      },
      poll);
}

void CorpusBuilder::add_lines(std::string_view lines, const Poll& poll) {
  std::vector<std::size_t> begins{0};
  while (begins.back() < lines.size()) {
    const std::size_t least = std::min(begins.back() + kBlockBytes, lines.size()) - 1;
    const std::size_t newline = lines.find('\n', least);
    begins.push_back(newline == std::string_view::npos ? lines.size() : newline + 1);
  }
  add_blocks(
      begins.size() - 1,
      [&](std::size_t block, Writer& writer) {
        writer.add_lines(lines.substr(begins[block], begins[block + 1] - begins[block]));
      },
      poll);
}

bool CorpusBuilder::add_file(LineReader& reader, std::size_t bytes, const Poll& poll) {
  begin_batch();
  reader.allow(bytes);
  std::vector<std::vector<std::pair<std::size_t, Segment>>> made(workers_.size());
  std::atomic<bool> failed{false};
  const Poll no_poll;
  run_team(
      workers_.size(),
      [&](std::size_t thread) {
        Worker& worker = workers_[thread];
        while (!failed.load(std::memory_order_relaxed)) {
          if (thread == 0 && poll) poll();
          const std::optional<std::size_t> number = reader.next(worker.text);
          if (!number) return;
          Segment& segment = made[thread].emplace_back(*number, Segment()).second;
          segment.worker = thread;
          Writer writer(*this, worker, segment, thread == 0 ? poll : no_poll);
          writer.add_lines(worker.text.view());
          writer.finish();
          // The blocks before this one are on their way, so the first error is among them.
          if (segment.error) reader.stop();
        }
      },
      &failed);
  std::vector<std::pair<std::size_t, Segment>> numbered;
  for (auto& part : made) std::move(part.begin(), part.end(), std::back_inserter(numbered));
  std::sort(numbered.begin(), numbered.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Segment> fresh(numbered.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) fresh[i] = std::move(numbered[i].second);
  keep(std::move(fresh));
  return !reader.ended();
}

void CorpusBuilder::add_tokens(const TokenBatch& batch, const Poll& poll) {
  const auto& documents = batch.document_tokens;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    if (documents[i] <= kMaxDocumentTokens) continue;
    throw DocumentError(
        i, text("must have at most ", kMaxDocumentTokens, " tokens, got ", documents[i]));
  }
  const auto begins = cut_blocks(documents.size(), kBlockTokens,
                                 [&](std::size_t i) { return documents[i] + std::size_t{1}; });
  std::vector<std::pair<std::size_t, std::size_t>> starts{{0, 0}};  // token and byte of each block
  for (std::size_t block = 0; block + 1 < begins.size(); ++block) {
    auto [token, byte] = starts.back();
    for (std::size_t i = begins[block]; i < begins[block + 1]; ++i) {
      for (std::size_t end = token + documents[i]; token < end; ++token)
        byte += batch.lengths[token];
    }
    starts.emplace_back(token, byte);
  }
  const char* readable_end = batch.bytes.data() + batch.bytes.size();
  add_blocks(
      begins.size() - 1,
      [&](std::size_t block, Writer& writer) {
        auto [token, byte] = starts[block];
        const char* bytes = batch.bytes.data() + byte;
        for (std::size_t i = begins[block]; i < begins[block + 1]; ++i) {
          writer.add_list(batch.lengths.data() + token, documents[i], bytes, readable_end);
          token += documents[i];
        }
      },
      poll);
}

}  // namespace bitsense
