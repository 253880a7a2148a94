// Owns packing and the order of an epoch.
#include "batching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "random.h"

namespace trainer {

namespace {

std::vector<int64_t> shuffled(size_t count, uint64_t seed, Purpose purpose, int64_t number) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Random(seed, purpose, static_cast<uint64_t>(number)).shuffle(order);
  return order;
}

}  // namespace

Batch pack(const Selection & selection, int64_t rows, int64_t length) {
  Batch batch;
  // no more rows and no longer ones than are filled: the last batch of an epoch is often small
  for (const Placed & placed : selection) {
    batch.rows = std::max<int64_t>(batch.rows, placed.row + 1);
    batch.length = std::max<int64_t>(batch.length, placed.offset + placed.sample->length());
  }
  batch.rows = std::min(batch.rows, rows);
  batch.length = std::min(batch.length, length);
  const auto cells = static_cast<size_t>(batch.rows * batch.length);
  batch.tokens.assign(cells, 0);
  batch.positions.assign(cells, 0);
  batch.selection = selection;
  std::vector<int32_t> owner(cells, -1);
  for (size_t number = 0; number < selection.size(); number++) {
    const Placed & placed = selection[number];
    const Sample & sample = *placed.sample;
    const auto base = static_cast<size_t>(placed.row * batch.length + placed.offset);
    auto entity = sample.entities.begin();
    for (int32_t j = 0; j < sample.length(); j++) {
      const size_t cell = base + static_cast<size_t>(j);
      batch.tokens[cell] = sample.tokens[static_cast<size_t>(j)];
      batch.positions[cell] = j;
      owner[cell] = static_cast<int32_t>(number);
      if (j + 1 < sample.start || j + 1 == sample.length()) continue;
      if (sample.replayed) batch.retained.push_back(static_cast<int32_t>(batch.scored.size()));
      batch.scored.push_back(static_cast<int32_t>(cell));
      batch.targets.push_back(sample.tokens[static_cast<size_t>(j) + 1]);
      const bool is_entity = entity != sample.entities.end() && entity->first == j + 1;
      batch.entity.push_back(is_entity ? entity->second : 0.0f);
      if (is_entity) ++entity;
    }
    batch.real_tokens += sample.length();
  }
  batch.mask.assign(cells * static_cast<size_t>(batch.length), -std::numeric_limits<float>::infinity());
  for (int64_t row = 0; row < batch.rows; row++)
    for (int64_t from = 0; from < batch.length; from++)
      for (int64_t to = 0; to <= from; to++)
        if (owner[static_cast<size_t>(row * batch.length + from)] == owner[static_cast<size_t>(row * batch.length + to)])
          batch.mask[static_cast<size_t>((row * batch.length + from) * batch.length + to)] = 0;
  return batch;
}

SampleStream::SampleStream(const std::vector<Sample> & main, const std::vector<Sample> & replay, const OrderConfig & order, int64_t rows,
                           int64_t length, uint64_t seed)
    : main_(main), replay_(replay), config_(order), rows_(rows), length_(length), seed_(seed) {}

void SampleStream::begin_epoch() {
  epoch_++;
  at_ = 0;
  order_.clear();
  for (const int64_t index : shuffled(main_.size(), seed_, Purpose::main_order, epoch_)) order_.push_back(&main_[static_cast<size_t>(index)]);
  if (epoch_ < config_.epochs && (config_.progressive || config_.basic_first))
    std::stable_sort(order_.begin(), order_.end(), [&](const Sample * a, const Sample * b) {
      if (config_.basic_first && a->special != b->special) return b->special;
      return config_.progressive && a->level < b->level;
    });
  if (config_.replay_share > 0 && !replay_.empty()) mix_in_replay();
}

/// Spread evenly, so that no stretch of new knowledge goes by without the old.
void SampleStream::mix_in_replay() {
  const auto own = static_cast<int64_t>(order_.size());
  const auto added = std::llround(static_cast<double>(own) * config_.replay_share / (1 - config_.replay_share));
  const auto count = static_cast<int64_t>(replay_.size());
  std::vector<const Sample *> mixed;
  std::vector<int64_t> cycle;
  int64_t cycle_number = -1;
  for (int64_t i = 0, taken = 0; i < own; i++) {
    mixed.push_back(order_[static_cast<size_t>(i)]);
    for (; taken < added * (i + 1) / own; taken++) {
      const int64_t number = epoch_ * added + taken;
      if (number / count != cycle_number) cycle = shuffled(replay_.size(), seed_, Purpose::replay_order, cycle_number = number / count);
      mixed.push_back(&replay_[static_cast<size_t>(cycle[static_cast<size_t>(number % count)])]);
    }
  }
  order_ = std::move(mixed);
}

Selection SampleStream::next() {
  if (at_ == order_.size()) begin_epoch();
  Selection selection;
  std::vector<int64_t> filled(static_cast<size_t>(rows_), 0);
  for (; at_ < order_.size(); at_++) {
    const Sample & sample = *order_[at_];
    const auto place = std::find_if(filled.begin(), filled.end(), [&](int64_t used) { return used + sample.length() <= length_; });
    if (place == filled.end()) break;
    selection.push_back({&sample, static_cast<int32_t>(place - filled.begin()), static_cast<int32_t>(*place)});
    *place += sample.length();
  }
  return selection;
}

}  // namespace trainer
