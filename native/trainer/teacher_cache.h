// Owns the teacher cache: the teacher's most probable tokens at every scored row of every sample, computed once, so that no teacher is in memory
// while a student learns.
//
// The file, little-endian, without padding:
//   bytes "RLTC", u32 version = 1, u32 vocab, u32 k, u64 samples
//   per sample: u64 hash, u32 rows, then rows × k times i32 token, then rows × k times f32 probability at temperature 1
// `hash` is FNV-1a 64 of the bytes of i32 `start` and of every i32 token of the sample. `rows` is the sample's count of scored rows (see data.h), in
// order. Within a row tokens differ and their probabilities add up to at most 1; what is missing to 1 is spread evenly over the other tokens.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data.h"
#include "files.h"

namespace trainer {

class TeacherCache {
 public:
  /// Throws FILE_UNREADABLE; CACHE_MISMATCH for a damaged file or one of another vocabulary.
  TeacherCache(const std::string & path, int64_t vocab);

  /// Throws CACHE_MISMATCH when a sample is not in the cache.
  void check_covers(const std::vector<Sample> & samples, const std::string & data_path) const;
  /// The logarithms of the probabilities of all tokens in scored row `row` of the sample, into `into` of vocab values.
  void log_probabilities(const Sample & sample, int64_t row, float * into) const;
  uint64_t hash() const { return hash_; }

 private:
  struct Entry {
    uint64_t first;  // row
    uint32_t rows;
  };
  std::string path_;
  int64_t vocab_, k_ = 0;
  uint64_t hash_ = 0;
  std::unordered_map<uint64_t, Entry> entries_;
  std::vector<int32_t> tokens_;
  std::vector<float> probabilities_;
};

/// Writes a cache sample by sample.
class TeacherCacheWriter {
 public:
  TeacherCacheWriter(const std::string & path, int64_t vocab, int64_t k, int64_t samples);
  /// `logits` are the teacher's, [scored rows of the sample][vocab].
  void add(const Sample & sample, const float * logits);
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  int64_t vocab_, k_;
};

}  // namespace trainer
