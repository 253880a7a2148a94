// Owns checkpoints: all that a run needs to go on as if it had never stopped, written so that a kill at any moment leaves a whole one.
//
// The file, little-endian: bytes "RLCK", u32 version, u64 fingerprint, Progress as i64 step, i64 updates, f64 scale, i64 alarm, f64 seconds,
// u32 count + f64 losses; u32 count of parameters, per parameter u32 length + name, i64 columns, i64 rows; then per parameter weight and both moments
// as F32; u64 FNV-1a of all before it. The checkpoint before this one is kept beside it as PATH.previous.
#pragma once

#include <string>
#include <vector>

#include "lora.h"
#include "optimiser.h"

namespace trainer {

struct Progress {
  int64_t step = 0;             // steps done; the sample stream is a function of it
  int64_t updates = 0;          // of them, those that changed the weights
  double scale = 1;             // gradient scale
  int64_t alarm = 0;            // steps in a row whose loss was too high
  double seconds = 0;           // of work, over all runs
  std::vector<double> losses;   // recent ones, for the monitor
};

/// Throws DISK_FULL or OUTPUT_NOT_WRITABLE; the last good checkpoint then stays as it was.
void save_checkpoint(const std::string & path, uint64_t fingerprint, const Progress & progress, const std::vector<Parameter> & parameters);

/// Ranks of the adapters in a checkpoint; empty when there is no checkpoint or it has none. They decide the shapes before anything can be loaded.
Ranks checkpoint_ranks(const std::string & path);

/// Loads `path`, or PATH.previous when `path` is damaged or missing. False when there is neither. Throws CHECKPOINT_MISMATCH for the checkpoint of
/// another run, CHECKPOINT_DAMAGED when there are files and none is whole.
bool load_checkpoint(const std::string & path, uint64_t fingerprint, Progress & progress, const std::vector<Parameter> & parameters);

}  // namespace trainer
