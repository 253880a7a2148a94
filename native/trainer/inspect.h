// Owns the verbs that only run a model: its logits for a text, and a teacher's answers for a data set.
#pragma once

#include "config.h"

namespace trainer {

/// Writes the logits of every position, [token][vocab] in F32. Throws TOKEN_OUT_OF_RANGE and what reading and writing throw.
void write_logits(const LogitsConfig & config);

/// Writes a teacher cache for a data set.
void write_teacher_cache(const CacheConfig & config);

}  // namespace trainer
