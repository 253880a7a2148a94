// Owns the form of a tokenised data set, and reading it with every fault named by its line.
//
// A data set is JSON lines, one sample a line; empty lines are passed over:
//   {"tokens": [5, 17, 230, 4], "start": 2, "level": 1, "class": "special", "entities": [[2, 1.5]], "id": "ibuprofen-dose-3"}
// tokens    token numbers of the whole sample, prompt first; at least 2, at most as many as the context
// start     index in `tokens` of the first token that is learned; 1 ≤ start < length; 1 when absent (a token has no prediction before the first)
// level     complexity of the concept, 0 the simplest; 0 when absent
// class     "general" or "special" knowledge; "general" when absent
// entities  pairs [index in `tokens`, weight]: tokens of key entities (drug, dose, unit, contraindication, criterion);
//           index ≥ start, 0 < weight ≤ 100
// id        any text for people; not read
// A scored row of a sample is a position j with start ≤ j + 1 < length: its prediction is compared with token j + 1.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trainer {

struct Sample {
  std::vector<int32_t> tokens;
  int32_t start = 1;
  int32_t level = 0;
  bool special = false;
  std::vector<std::pair<int32_t, float>> entities;  // in order of index
  bool replayed = false;                            // from the replay set: knowledge to be kept
  uint64_t hash = 0;                                // of tokens and start: how a teacher cache knows it

  int32_t length() const { return static_cast<int32_t>(tokens.size()); }
  int32_t scored_rows() const { return length() - start; }
};

struct DataLimits {
  int64_t vocab, context;
};

struct DataSet {
  std::vector<Sample> samples;
  int64_t tokens = 0;
  uint64_t hash = 0;  // of all that training uses
};

/// Throws FILE_UNREADABLE, DATA_EMPTY, and with file and line DATA_INVALID, TOKEN_OUT_OF_RANGE, SAMPLE_TOO_LONG.
DataSet read_data(const std::string & path, const DataLimits & limits);

}  // namespace trainer
