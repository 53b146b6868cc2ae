#include "train/sense_step.hpp"

#include <algorithm>
#include <cmath>

namespace bitsense {

void Gate::context(const WordPlan& plan, const Centre& centre, float* c) {
  const auto window = static_cast<std::uint32_t>(window_);
  const std::uint32_t first = centre.at - std::min(window, centre.at - centre.begin);
  const std::uint32_t last = centre.at + std::min(window + 1, centre.end - centre.at);
  const std::size_t n = tables_.output.stride;
  // The window slides along: rows enter and leave the sum. Another document starts it anew.
  if (!open_ || document_ != centre.begin || first < first_ || last < last_ || first >= last_) {
    std::fill_n(sum_.data(), n, 0.0F);
    first_ = last_ = first;
    document_ = centre.begin;
    open_ = true;
  }
  for (; last_ < last; ++last_) add(plan, last_, 1.0F);
  for (; first_ < first; ++first_) add(plan, first_, -1.0F);
  std::copy_n(sum_.data(), n, c);
  kernel_.axpy(-1.0F, tables_.output.row(plan.tokens[centre.at]), c, n);
  const float* rows[1] = {c};
  float square = 0.0F;
  kernel_.dots(c, rows, 1, &square, n);
  const float scale = square > 1e-12F ? 1.0F / std::sqrt(square) : 0.0F;
  for (std::size_t x = 0; x < n; ++x) c[x] *= scale;
}

void Gate::logits(std::uint32_t word, const float* c, std::span<float> l) {
  const std::size_t first = tables_.sense_offsets[word];
  const std::size_t n = tables_.output.stride;
  rows_.resize(2 * l.size());
  shared_.resize(2 * l.size());
  for (std::size_t k = 0; k < l.size(); ++k) {
    rows_[k] = tables_.gate.row(first + k);
    rows_[l.size() + k] = tables_.shared_gate.row(k);
  }
  kernel_.dots(c, rows_.data(), rows_.size(), shared_.data(), n);
  for (std::size_t k = 0; k < l.size(); ++k)
    l[k] = (shared_[k] + tables_.gate_bias[first + k]) +
           (shared_[l.size() + k] + tables_.shared_bias[k]);
}

SenseStep::Scratch::Scratch(const Kernels& kernels, const WordOptions& options,
                            const WordTables& tables)
    : gate(*kernels.floats, tables, options.gate_window),
      word_outputs(tables.output.rows),
      in(Model::kRun) {}

SenseStep::SenseStep(const Kernels& kernels, const WordOptions& options, const WordTables& tables,
                     std::size_t threads)
    : floats_(*kernels.floats),
      words_(*kernels.words),
      options_(options),
      tables_(tables),
      n_(tables.output.stride),
      most_outputs_(Model::kRun * (2 * options.window + options.negatives)),
      g_size_(padded(Model::kRun * most_outputs_)),
      slots_(kMostCentres / Model::kRun),
      outputs_(slots_.size() * most_outputs_),
      g_(slots_.size() * g_size_),
      contexts_(kMostCentres, n_),
      hidden_(kMostCentres, n_),
      moves_(kMostCentres, n_),
      mixes_(kMostCentres, tables.shared_gate.rows),
      pulls_(kMostCentres, tables.shared_gate.rows) {
  for (std::size_t t = 0; t < threads; ++t) {
    scratch_.emplace_back(kernels, options, tables);
    scratch_.back().weight = AlignedFloats(g_size_);
    scratch_.back().label = AlignedFloats(g_size_);
    scratch_.back().out.resize(most_outputs_);
    scratch_.back().factors.resize(most_outputs_);
  }
}

SenseStep::Stage SenseStep::stage(const WordPlan& plan) const {
  const auto progress = static_cast<float>(plan.progress);
  if (progress < options_.shared_until) return {true, 1.0F};
  const float part = (progress - options_.shared_until) / (1.0F - options_.shared_until);
  const float annealed = std::min(1.0F, part / options_.annealed_after);
  return {false, 1.0F - (1.0F - options_.temperature) * annealed};
}

// The gate of the c-th centre of the block, and its hidden vector.
void SenseStep::mix_senses(const Block& block, std::size_t c, const Stage& stage,
                           Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const Centre& centre = plan.centres[block.begin + c];
  const std::uint32_t word = plan.tokens[centre.at];
  const std::size_t count = senses(word);
  float* h = hidden_.row(c);
  const std::span<float> z(mixes_.row(c), count);
  if (count == 1) {
    z[0] = 1.0F;
    std::copy_n(sense(word), n_, h);
    return;
  }
  scratch.gate.context(plan, centre, contexts_.row(c));
  scratch.gate.logits(word, contexts_.row(c), z);
  if (!stage.shared) {
    Rng rng(stream(plan.seed, block.begin + c));
    for (float& l : z) l += gumbel_.draw(rng);
  }
  Model::relax(floats_, z, stage.temperature);
  const float* factors = z.data();
  std::array<const float*, Model::kMostSenses> rows{};
  for (std::size_t k = 0; k < count; ++k) rows[k] = sense(word) + k * n_;
  floats_.multiply(&factors, 1, rows.data(), count, &h, 1, n_, false);
}

void SenseStep::add_output(std::size_t slot, std::uint32_t word, Scratch& scratch) {
  std::size_t& count = slots_[slot].outputs;
  std::uint32_t& place = scratch.word_outputs[word];
  // A number of an earlier tile is told by the word that stands there now.
  if (place < count && outputs(slot)[place] == word) return;
  place = static_cast<std::uint32_t>(count);
  outputs(slot)[count++] = word;
  prefetch_row(tables_.output.row(word), {0, n_});
}

// The distinct words of the run's contexts, then those of its noise that are new.
void SenseStep::gather_outputs(const Block& block, std::size_t slot, Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const std::size_t begin = block.begin + slot * Model::kRun;
  const std::size_t end = std::min(begin + Model::kRun, block.end);
  slots_[slot].outputs = 0;
  for (std::size_t c = begin; c < end; ++c) {
    const Centre& centre = plan.centres[c];
    for (std::uint32_t j = centre.first; j < centre.last; ++j)
      if (j != centre.at) add_output(slot, plan.tokens[j], scratch);
  }
  const auto noise =
      std::span(plan.noise).subspan(begin * options_.negatives, (end - begin) * options_.negatives);
  for (const std::uint32_t word : noise) add_output(slot, word, scratch);
  scratch.noise_times.assign(slots_[slot].outputs, 0.0F);
  for (const std::uint32_t word : noise) scratch.noise_times[scratch.word_outputs[word]] += 1.0F;
}

// Weights and labels of the tile. A context word has label 1 each time it occurs; the noise of a
// centre weighs `negatives` for each of them, spread over all that was drawn for the run. A centre
// is no noise for itself.
void SenseStep::weigh(const Block& block, std::size_t slot, Scratch& scratch) {
  const WordPlan& plan = *block.plan;
  const std::size_t begin = block.begin + slot * Model::kRun;
  const std::size_t end = std::min(begin + Model::kRun, block.end);
  const std::size_t columns = slots_[slot].outputs;
  const std::size_t size = (end - begin) * columns;
  std::fill_n(scratch.weight.data(), padded(size), 0.0F);
  std::fill_n(scratch.label.data(), padded(size), 0.0F);
  for (std::size_t c = begin; c < end; ++c) {
    const Centre& centre = plan.centres[c];
    float* weight = scratch.weight.data() + (c - begin) * columns;
    float* label = scratch.label.data() + (c - begin) * columns;
    const auto contexts = static_cast<float>(centre.contexts());
    const float share = contexts / static_cast<float>(end - begin);
    for (std::size_t j = 0; j < columns; ++j) weight[j] = share * scratch.noise_times[j];
    const std::uint32_t own = scratch.word_outputs[plan.tokens[centre.at]];
    if (own < columns && outputs(slot)[own] == plan.tokens[centre.at]) weight[own] = 0.0F;
    for (std::uint32_t j = centre.first; j < centre.last; ++j) {
      if (j == centre.at) continue;
      const std::uint32_t place = scratch.word_outputs[plan.tokens[j]];
      weight[place] += 1.0F;
      label[place] += 1.0F;
    }
    slots_[slot].loss.targets += static_cast<double>(contexts);
  }
}

void SenseStep::score_tile(const Block& block, std::size_t slot, Scratch& scratch) {
  const std::size_t first = slot * Model::kRun;
  const std::size_t rows = std::min(Model::kRun, block.size() - first);
  const std::size_t columns = slots_[slot].outputs;
  float* z = g(slot);
  for (std::size_t i = 0; i < rows; ++i) scratch.in[i] = hidden_.row(first + i);
  for (std::size_t j = 0; j < columns; ++j) scratch.out[j] = tables_.output.row(outputs(slot)[j]);
  words_.pair_dots(scratch.in.data(), rows, scratch.out.data(), columns, nullptr, z, n_);
  const std::size_t size = rows * columns;
  std::fill(z + size, z + padded(size), 0.0F);
  float loss[kLossParts];
  words_.sampling_gradient(z, scratch.weight.data(), scratch.label.data(), block.rate, size, false,
                           loss);
  slots_[slot].loss.loss += words_.sampling_loss(loss, 1);
  float* moves[Model::kRun];
  for (std::size_t i = 0; i < rows; ++i) {
    moves[i] = moves_.row(first + i);
    scratch.factors[i] = z + i * columns;
  }
  floats_.multiply(scratch.factors.data(), 1, scratch.out.data(), columns, moves, rows, n_, false);
}

void SenseStep::pull_gate(const Block& block, std::size_t c, const Stage& stage) {
  const WordPlan& plan = *block.plan;
  const Centre& centre = plan.centres[block.begin + c];
  const std::uint32_t word = plan.tokens[centre.at];
  const std::size_t count = senses(word);
  if (count == 1) return;
  const std::span<const float> z(mixes_.row(c), count);
  const std::span<float> pull(pulls_.row(c), count);
  std::array<const float*, Model::kMostSenses> rows{};
  for (std::size_t k = 0; k < count; ++k) rows[k] = sense(word) + k * n_;
  floats_.dots(moves_.row(c), rows.data(), count, pull.data(), n_);
  Model::pull_gate(z, stage.temperature, pull);
  // `moves` holds the rate of the vectors; the gate has its own.
  const float gate_rate = stage.shared ? options_.shared_gate_rate : options_.gate_rate;
  const float scale = gate_rate / options_.learning_rate;
  if (stage.shared && options_.entropy_cost != 0.0F)
    Model::pull_entropy(
        z, block.rate * options_.entropy_cost * static_cast<float>(centre.contexts()), pull);
  for (float& p : pull) p *= scale;
}

void SenseStep::score(const Block& block, std::size_t slot, Share share) {
  Scratch& scratch = scratch_[share.index];
  const Stage now = stage(*block.plan);
  slots_[slot].loss = {};
  const auto [first, last] = block.group(slot);
  gather_outputs(block, slot, scratch);
  scratch.gate.begin();
  for (std::size_t c = first; c < last; ++c) mix_senses(block, c, now, scratch);
  weigh(block, slot, scratch);
  score_tile(block, slot, scratch);
  for (std::size_t c = first; c < last; ++c) pull_gate(block, c, now);
}

LossSum SenseStep::loss(const Block& block) const {
  LossSum total;
  for (std::size_t s = 0; s < block.groups(); ++s) total.add(slots_[s].loss);
  return total;
}

// The senses and the gates, then the biases, which have no columns.
void SenseStep::move_shared(const Block& block, Share share) {
  const Slice slice = share.columns(n_);
  const bool shared = stage(*block.plan).shared;
  if (slice.size() > 0)
    for (std::size_t c = 0; c < block.size(); ++c)
      move_word(block, c, shared, slice.begin, slice.size());
  if (share.index > 0) return;
  for (std::size_t c = 0; c < block.size(); ++c) {
    const std::uint32_t word = block.word(c);
    const std::size_t count = senses(word);
    if (count == 1) continue;
    float* bias = shared ? tables_.shared_bias : tables_.gate_bias + tables_.sense_offsets[word];
    for (std::size_t k = 0; k < count; ++k) bias[k] += pulls_.row(c)[k];
  }
}

// U_j += sum over the run's centres of g_ij h_i.
void SenseStep::move(const Block& block, std::size_t slot, Share share) {
  const Slice slice = share.columns(n_);
  if (slice.size() == 0 || !options_.move_output) return;
  Scratch& scratch = scratch_[share.index];
  const std::size_t x = slice.begin;
  const auto [first, last] = block.group(slot);
  const std::size_t rows = last - first;
  const std::size_t columns = slots_[slot].outputs;
  for (std::size_t i = 0; i < rows; ++i) scratch.in[i] = hidden_.row(first + i) + x;
  for (std::size_t j = 0; j < columns; ++j) {
    scratch.out[j] = tables_.output.row(outputs(slot)[j]) + x;
    scratch.factors[j] = g(slot) + j;
  }
  floats_.multiply(scratch.factors.data(), columns, scratch.in.data(), rows, scratch.out.data(),
                   columns, slice.size(), true);
}

// The senses and the gate of a centre.
void SenseStep::move_word(const Block& block, std::size_t c, bool shared, std::size_t x,
                          std::size_t n) {
  const std::uint32_t word = block.word(c);
  const std::size_t first = tables_.sense_offsets[word];
  const std::size_t count = senses(word);
  const float* z = mixes_.row(c);
  const float* pull = pulls_.row(c);
  for (std::size_t k = 0; k < count; ++k) {
    floats_.axpy(z[k], moves_.row(c) + x, tables_.input.row(first + k) + x, n);
    if (count == 1) return;
    float* gate = shared ? tables_.shared_gate.row(k) : tables_.gate.row(first + k);
    floats_.axpy(pull[k], contexts_.row(c) + x, gate + x, n);
  }
}

}  // namespace bitsense
