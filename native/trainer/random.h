// Owns chance: one generator of known bits, so that a seed gives the same run with every standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace trainer {

/// What a stream of numbers is for; with its own number each, no two streams of one seed are the same.
enum class Purpose : uint64_t { weights = 1, main_order, replay_order, adapters, projection, check_data, check_direction, check_weights };

/// SplitMix64 (Steele, Lea and Flood 2014). Streams are told apart by `purpose` and `number`, so nothing of it needs to be saved to resume a run.
class Random {
 public:
  Random(uint64_t seed, Purpose purpose, uint64_t number = 0) : state_(seed) {
    state_ = next() ^ (static_cast<uint64_t>(purpose) * 0xd1342543de82ef95ull);
    state_ = next() ^ (number * 0xaf251af3b0f025b5ull);
  }

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  /// In (0, 1): never 0, so that its logarithm exists.
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

  /// In [0, count), without the bias of a plain remainder.
  uint64_t below(uint64_t count) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % count;
    uint64_t value = next();
    while (value >= limit) value = next();
    return value % count;
  }

  /// Standard normal, by Box and Muller.
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

  /// Fisher and Yates.
  template <typename T>
  void shuffle(std::vector<T> & items) {
    for (size_t i = items.size(); i > 1; i--) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace trainer
