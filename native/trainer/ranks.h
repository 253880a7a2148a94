// Owns adaptive ranks: which projections get how many directions of a limited number of parameters.
#pragma once

#include <functional>

#include "lora.h"

namespace trainer {

struct RankBudget {
  int64_t parameters = 0;  // of all adapters together; 0: every projection gets the same rank
  int64_t least = 1, most = 32;
  int64_t probe_batches = 8;
};

/// Adapters of rank `most` with B = 0 are probed: the gradient of B is then the gradient of W seen through random directions, so its singular values
/// say how much each further direction of a projection would lower the loss. Directions are given out by energy σ²·inputs per parameter that they
/// cost, each projection having `least` at first, until the budget is spent. `sum_of` finds the gradient sum of a B over the probe batches. Throws
/// CONFIG_INVALID when the budget is below the least ranks.
Ranks ranks_by_gradient(const Model & model, const RankBudget & budget, const std::function<const ggml_tensor *(const ggml_tensor *)> & sum_of);

}  // namespace trainer
