// Owns the measurement of training speed beside that of a plain matrix product, in turn, in one process.
#pragma once

#include "config.h"

namespace trainer {

/// Emits one `bench` event with medians: tokens/s of full steps (forward, backward, AdamW), the arithmetic that they contain in 10⁹ operations/s, the
/// same of a large F32 product, and the first as a share of the second. Arithmetic per token: 6 per weight that is multiplied (2 forward, 2 for each
/// gradient; 4 for a frozen one), and 12·layers·length·width of attention.
void bench(const BenchConfig & config);

}  // namespace trainer
