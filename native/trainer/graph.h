// Owns the forward pass: a batch of tokens to the hidden states and logits of its scored positions, as Qwen2 computes them.
#pragma once

#include "batching.h"
#include "device.h"
#include "model.h"

namespace trainer {

struct Forward {
  ggml_tensor * hidden;  // [width, scored], after the last norm: what the output matrix takes
  ggml_tensor * logits;  // [vocab, scored]
};

/// Adds the forward pass to `context`. `batch` must live until the graph has run. Attention is the plain form: ggml's fused one has no gradient.
Forward build_forward(ggml_context * context, Feed & feed, const Model & model, const Batch & batch, bool with_adapters);

/// Nodes that a graph with its gradients can have at most; for sizing contexts and schedulers.
size_t graph_capacity(const Model & model);

/// A softmax whose gradient is right on the CPU. ggml's allocator may put the gradient on top of the softmax's own output, which the CPU kernel still
/// reads (llama.cpp PR 27096): gradients are then silently wrong by orders of magnitude. An output is never overwritten.
ggml_tensor * safe_soft_max(ggml_context * context, ggml_tensor * scores, ggml_tensor * mask, float scale);

struct Inference {
  std::vector<float> logits;  // [scored][vocab]
  std::vector<float> hidden;  // [scored][width]
};
/// The forward pass alone, its results on the host.
Inference infer(Executor & executor, const Model & model, const Batch & batch, bool with_adapters);

}  // namespace trainer
