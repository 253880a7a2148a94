// Owns the backward pass: gradients of a loss graph, summed into accumulators, in a form that every backend computes fast.
#pragma once

#include <unordered_map>

#include "device.h"

namespace trainer {

/// Trainable tensor → the F32 tensor of its shape into which its gradient is added. Whoever reads a sum clears it.
using Accumulators = std::unordered_map<const ggml_tensor *, ggml_tensor *>;

/// Extends the forward graph of `loss` by its gradients and returns the graph to run. Every trainable tensor must have been marked with
/// ggml_set_param. `seed` is the gradient of the loss itself: 1, or a share of it when several batches make a step, times the gradient scale.
ggml_cgraph * build_backward(ggml_context * context, Feed & feed, ggml_tensor * loss, const Accumulators & accumulators, float seed, size_t capacity,
                             bool on_cpu);

}  // namespace trainer
