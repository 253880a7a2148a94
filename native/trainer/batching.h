// Owns the order in which samples are learned and how they are packed: several in a row of the batch, none seeing another.
#pragma once

#include <cstdint>
#include <vector>

#include "data.h"

namespace trainer {

struct OrderConfig {
  bool progressive = false;   // simple concepts first
  bool basic_first = false;   // general knowledge first, then special
  int64_t epochs = 1;         // the first epochs that are so ordered; later ones are shuffled
  double replay_share = 0.0;  // of all samples that are learned, from the replay set; below 1
};

/// A sample with its place in a batch.
struct Placed {
  const Sample * sample;
  int32_t row, offset;
};
using Selection = std::vector<Placed>;

/// Rows × length positions of which some are padding. Flat positions are row · length + offset.
struct Batch {
  int64_t rows = 0, length = 0;
  std::vector<int32_t> tokens, positions;
  std::vector<float> mask;        // [rows][length][length]: 0 where the second may be seen from the first, else -inf
  std::vector<int32_t> scored;    // flat positions whose prediction is compared
  std::vector<int32_t> targets;   // of each scored position, the token that follows
  std::vector<float> entity;      // of each scored position, the entity weight of its target; 0 for an ordinary token
  std::vector<int32_t> retained;  // indices into `scored` that belong to the replay set
  Selection selection;            // scored positions run in its order
  int64_t real_tokens = 0;

  int64_t scored_count() const { return static_cast<int64_t>(scored.size()); }
};

/// Lays the selected samples out. Positions begin at 0 in every sample; padding sees only padding, so that no row of the softmax is empty.
Batch pack(const Selection & selection, int64_t rows, int64_t length);

/// The endless sequence of selections of a run. It depends on nothing but its arguments, so a resumed run draws again what it had drawn.
class SampleStream {
 public:
  SampleStream(const std::vector<Sample> & main, const std::vector<Sample> & replay, const OrderConfig & order, int64_t rows, int64_t length,
               uint64_t seed);
  /// First fit into the rows until a sample has no place; never across the end of an epoch.
  Selection next();
  /// Epochs that `next` has finished.
  int64_t epoch() const { return at_ == order_.size() ? epoch_ + 1 : epoch_; }

 private:
  const std::vector<Sample> &main_, &replay_;
  OrderConfig config_;
  int64_t rows_, length_;
  uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<const Sample *> order_;
  size_t at_ = 0;

  void begin_epoch();
  void mix_in_replay();
};

}  // namespace trainer
