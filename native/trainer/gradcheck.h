// Owns the check of every gradient against finite differences.
#pragma once

#include "config.h"

namespace trainer {

/// For every term of the loss, with adapters and with all weights trainable: each trainable tensor is moved both ways along the signs of its
/// gradient, in a random quarter of its elements, as far as changes the loss by `step` of itself, and the change that the loss shows is compared with
/// the one that the gradient predicts. Emits a `gradcheck` event per term: `error` is relative, over all tensors; `worst` is that of the worst tensor. False
/// when a worst one is above `tolerance`.
///
/// The step is set by the predicted change, not by the size of the weights: rounding in F32 hides smaller changes, curvature spoils larger ones. The
/// models' logits are sharpened, for a flat softmax hides errors.
bool check_gradients(const CheckConfig & config);

}  // namespace trainer
