// Owns reading and writing the cache file.
#include "teacher_cache.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "failure.h"
#include "loss.h"

namespace trainer {

namespace {

constexpr char cache_magic[4] = {'R', 'L', 'T', 'C'};
constexpr uint32_t cache_version = 1;

}  // namespace

TeacherCache::TeacherCache(const std::string & path, int64_t vocab) : path_(path), vocab_(vocab) {
  const auto refuse = [&](const char * what) {
    return Failure(code::cache_mismatch, text("%s %s. Make the teacher cache anew.", path.c_str(), what)).in_file(path);
  };
  InputFile file(path);
  char name[4];
  uint32_t header[3];
  uint64_t samples = 0;
  if (!file.read(name, sizeof name) || !file.read(header, sizeof header) || !file.read(&samples, sizeof samples) ||
      std::memcmp(name, cache_magic, sizeof cache_magic) != 0 || header[0] != cache_version)
    throw refuse("is no teacher cache of this version");
  if (header[1] != vocab) throw refuse("was made with another vocabulary");
  k_ = header[2];
  if (k_ < 1 || k_ > vocab) throw refuse("is damaged");
  uint64_t rows = 0;
  for (uint64_t i = 0; i < samples; i++) {
    uint64_t hash = 0;
    uint32_t count = 0;
    if (!file.read(&hash, sizeof hash) || !file.read(&count, sizeof count)) throw refuse("is incomplete");
    const uint64_t values = static_cast<uint64_t>(count) * static_cast<uint64_t>(k_);
    if (values * 8 > file.size()) throw refuse("is damaged");
    tokens_.resize((rows + count) * static_cast<uint64_t>(k_));
    probabilities_.resize(tokens_.size());
    const uint64_t first = rows * static_cast<uint64_t>(k_);
    if (!file.read(tokens_.data() + first, values * 4) || !file.read(probabilities_.data() + first, values * 4)) throw refuse("is incomplete");
    entries_[hash] = {rows, count};
    rows += count;
  }
  const bool sound = std::all_of(tokens_.begin(), tokens_.end(), [&](int32_t token) { return token >= 0 && token < vocab; }) &&
                     std::all_of(probabilities_.begin(), probabilities_.end(), [](float p) { return p >= 0 && p <= 1.001f; });
  if (!sound) throw refuse("is damaged");
  hash_ = file.hash();
}

void TeacherCache::check_covers(const std::vector<Sample> & samples, const std::string & data_path) const {
  for (const Sample & sample : samples) {
    const auto found = entries_.find(sample.hash);
    if (found == entries_.end() || found->second.rows != static_cast<uint32_t>(sample.scored_rows()))
      throw Failure(code::cache_mismatch,
                    text("%s lacks a sample of %s. Make the teacher cache anew from this data.", path_.c_str(), data_path.c_str()))
          .in_file(path_);
  }
}

void TeacherCache::log_probabilities(const Sample & sample, int64_t row, float * into) const {
  const auto first = (entries_.at(sample.hash).first + static_cast<uint64_t>(row)) * static_cast<uint64_t>(k_);
  double known = 0;
  for (uint64_t i = first; i < first + static_cast<uint64_t>(k_); i++) known += probabilities_[i];
  // a logarithm of 0 would be infinite; 1e-9 is below what F32 keeps of a softmax
  const double rest = vocab_ > k_ ? std::max(1 - known, 1e-9) / static_cast<double>(vocab_ - k_) : 1e-9;
  std::fill(into, into + vocab_, static_cast<float>(std::log(rest)));
  for (uint64_t i = first; i < first + static_cast<uint64_t>(k_); i++) into[tokens_[i]] = std::log(std::max(probabilities_[i], 1e-9f));
}

TeacherCacheWriter::TeacherCacheWriter(const std::string & path, int64_t vocab, int64_t k, int64_t samples) : file_(path), vocab_(vocab), k_(k) {
  const uint32_t header[3] = {cache_version, static_cast<uint32_t>(vocab), static_cast<uint32_t>(k)};
  const auto count = static_cast<uint64_t>(samples);
  file_.write(cache_magic, sizeof cache_magic);
  file_.write(header, sizeof header);
  file_.write(&count, sizeof count);
}

void TeacherCacheWriter::add(const Sample & sample, const float * logits) {
  const auto rows = static_cast<uint32_t>(sample.scored_rows());
  std::vector<int32_t> tokens, order(static_cast<size_t>(vocab_));
  std::vector<float> probabilities, row;
  for (uint32_t i = 0; i < rows; i++) {
    row.assign(logits + static_cast<int64_t>(i) * vocab_, logits + (static_cast<int64_t>(i) + 1) * vocab_);
    soften(row.data(), vocab_, 1);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k_, order.end(), [&](int32_t a, int32_t b) {
      const float left = row[static_cast<size_t>(a)], right = row[static_cast<size_t>(b)];
      return left != right ? left > right : a < b;
    });
    for (int64_t j = 0; j < k_; j++) {
      tokens.push_back(order[static_cast<size_t>(j)]);
      probabilities.push_back(row[static_cast<size_t>(tokens.back())]);
    }
  }
  file_.write(&sample.hash, sizeof sample.hash);
  file_.write(&rows, sizeof rows);
  file_.write(tokens.data(), tokens.size() * sizeof(int32_t));
  file_.write(probabilities.data(), probabilities.size() * sizeof(float));
}

}  // namespace trainer
