#include "train/chunks.hpp"

#include <algorithm>
#include <numeric>

#include "core/rng.hpp"

namespace bitsense {

namespace {

constexpr std::uint64_t kOrderStream = 0x6f72646572;

}  // namespace

ChunkCutter::ChunkCutter(const Documents& documents, std::size_t epochs, std::uint64_t seed)
    : documents_(documents), epochs_(epochs), seed_(seed), order_(documents.count()) {
  begin_epoch();
}

void ChunkCutter::begin_epoch() {
  std::iota(order_.begin(), order_.end(), 0U);
  Rng rng(stream(seed_, kOrderStream, epoch_));
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[rng.below(static_cast<std::uint32_t>(i))]);
  place_ = 0;
  position_ = 0;
  number_ = 0;
}

void ChunkCutter::skip(std::uint64_t chunks) {
  const std::uint64_t words = documents_.ids.size();
  const std::uint64_t each = (words + kChunkWords - 1) / kChunkWords;  // chunks of an epoch
  if (const std::uint64_t epochs = each > 0 ? chunks / each : 0; epochs > 0 && number_ == 0) {
    epoch_ += std::min<std::uint64_t>(epochs, epochs_ - epoch_);
    words_done_ = epoch_ * words;
    chunks -= epochs * each;
    if (epoch_ < epochs_) begin_epoch();
  }
  for (Chunk chunk; chunks > 0 && next(chunk); --chunks) continue;
}

bool ChunkCutter::next(Chunk& chunk) {
  while (epoch_ < epochs_) {
    chunk.segments.clear();
    chunk.words = 0;
    while (place_ < order_.size() && chunk.words < kChunkWords) {
      const std::uint32_t document = order_[place_];
      const std::uint64_t size = documents_[document].size();
      const std::uint64_t end = std::min(size, position_ + (kChunkWords - chunk.words));
      if (end > position_) chunk.segments.push_back({document, position_, end});
      chunk.words += end - position_;
      position_ = end;
      if (position_ < size) break;
      position_ = 0;
      ++place_;
    }
    while (place_ < order_.size() && documents_[order_[place_]].empty()) ++place_;
    if (chunk.words > 0) {
      const double total =
          static_cast<double>(documents_.ids.size()) * static_cast<double>(epochs_);
      chunk.epoch = epoch_;
      chunk.number = number_++;
      chunk.progress = static_cast<double>(words_done_) / total;
      words_done_ += chunk.words;
      return true;
    }
    ++epoch_;
    if (epoch_ < epochs_) begin_epoch();
  }
  return false;
}

}  // namespace bitsense
