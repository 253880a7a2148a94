// Owns the Qwen2 layer as a ggml graph.
#include "graph.h"

#include <cmath>

namespace trainer {

namespace {

ggml_tensor * project(ggml_context * context, const Projection & projection, ggml_tensor * input, bool with_adapters) {
  ggml_tensor * output = ggml_mul_mat(context, projection.weight, input);
  if (with_adapters && projection.lora_a) {
    ggml_tensor * narrow = ggml_mul_mat(context, projection.lora_a, input);
    output = ggml_add(context, output, ggml_scale(context, ggml_mul_mat(context, projection.lora_b, narrow), projection.lora_scale));
  }
  return projection.bias ? ggml_add(context, output, projection.bias) : output;
}

ggml_tensor * normalise(ggml_context * context, const Model & model, ggml_tensor * input, ggml_tensor * weight) {
  return ggml_mul(context, ggml_rms_norm(context, input, static_cast<float>(model.shape.norm_epsilon)), weight);
}

/// One layer's attention on [width, positions]. Heads and rows of the batch share one dimension, head + heads·row: the gradient of a matrix product
/// with fewer key heads than query heads is defined in ggml only for three dimensions, and (head + heads·row) / group pairs them rightly.
class Attention {
 public:
  Attention(ggml_context * context, const Model & model, const Batch & batch, ggml_tensor * positions, ggml_tensor * mask)
      : context_(context), model_(model), length_(batch.length), rows_(batch.rows), positions_(positions), mask_(mask) {}

  ggml_tensor * build(const Layer & layer, ggml_tensor * input, bool with_adapters) const {
    const Shape & shape = model_.shape;
    const int64_t heads = shape.heads, kv_heads = shape.kv_heads, head = shape.head_width(), count = length_ * rows_;
    ggml_tensor * q = rotate(project(context_, layer.q, input, with_adapters), heads);
    ggml_tensor * k = rotate(project(context_, layer.k, input, with_adapters), kv_heads);
    ggml_tensor * v = project(context_, layer.v, input, with_adapters);
    q = by_head(q, heads);
    k = by_head(k, kv_heads);
    v = ggml_cont(context_, ggml_permute(context_, ggml_reshape_4d(context_, v, head, kv_heads, length_, rows_), 1, 2, 0, 3));
    v = ggml_reshape_3d(context_, v, length_, head, kv_heads * rows_);

    ggml_tensor * scores = ggml_reshape_4d(context_, ggml_mul_mat(context_, k, q), length_, length_, heads, rows_);
    scores = safe_soft_max(context_, scores, mask_, 1 / std::sqrt(static_cast<float>(head)));
    ggml_tensor * mixed = ggml_mul_mat(context_, v, ggml_reshape_3d(context_, scores, length_, length_, heads * rows_));
    mixed = ggml_permute(context_, ggml_reshape_4d(context_, mixed, head, length_, heads, rows_), 0, 2, 1, 3);
    return project(context_, layer.o, ggml_reshape_2d(context_, ggml_cont(context_, mixed), head * heads, count), with_adapters);
  }

 private:
  ggml_context * context_;
  const Model & model_;
  int64_t length_, rows_;
  ggml_tensor *positions_, *mask_;

  ggml_tensor * rotate(ggml_tensor * input, int64_t heads) const {
    const int64_t head = model_.shape.head_width();
    // no YaRN: frequency scale 1, extrapolation 0, attention factor 1, whose betas then have no effect
    return ggml_rope_ext(context_, ggml_reshape_3d(context_, input, head, heads, length_ * rows_), positions_, nullptr, static_cast<int>(head),
                         GGML_ROPE_TYPE_NEOX, 0, static_cast<float>(model_.shape.rope_base), 1, 0, 1, 32, 1);
  }

  ggml_tensor * by_head(ggml_tensor * input, int64_t heads) const {
    const int64_t head = model_.shape.head_width();
    input = ggml_permute(context_, ggml_reshape_4d(context_, input, head, heads, length_, rows_), 0, 2, 1, 3);
    return ggml_reshape_3d(context_, ggml_cont(context_, input), head, length_, heads * rows_);
  }
};

}  // namespace

ggml_tensor * safe_soft_max(ggml_context * context, ggml_tensor * scores, ggml_tensor * mask, float scale) {
  ggml_tensor * result = ggml_soft_max_ext(context, scores, mask, scale, 0);
  ggml_set_output(result);
  return result;
}

Forward build_forward(ggml_context * context, Feed & feed, const Model & model, const Batch & batch, bool with_adapters) {
  const auto indices = [&](const std::vector<int32_t> & data) {
    ggml_tensor * tensor = ggml_new_tensor_1d(context, GGML_TYPE_I32, static_cast<int64_t>(data.size()));
    ggml_set_input(tensor);
    feed.lend(tensor, data.data());
    return tensor;
  };
  ggml_tensor * tokens = indices(batch.tokens);
  ggml_tensor * positions = indices(batch.positions);
  ggml_tensor * scored = indices(batch.scored);
  ggml_tensor * mask = ggml_new_tensor_4d(context, GGML_TYPE_F32, batch.length, batch.length, 1, batch.rows);
  ggml_set_input(mask);
  feed.lend(mask, batch.mask.data());

  const Attention attention(context, model, batch, positions, mask);
  ggml_tensor * stream = ggml_get_rows(context, model.embedding, tokens);
  for (size_t i = 0; i < model.layers.size(); i++) {
    const Layer & layer = model.layers[i];
    ggml_tensor * attended = attention.build(layer, normalise(context, model, stream, layer.attention_norm), with_adapters);
    // the last layer's feed-forward part and the output matrix see only what is compared; masking rows instead would make the gradient of the
    // cross-entropy wrong, which assumes that every row of labels sums to 1
    if (i + 1 == model.layers.size()) {
      attended = ggml_get_rows(context, attended, scored);
      stream = ggml_get_rows(context, stream, scored);
    }
    stream = ggml_add(context, stream, attended);
    ggml_tensor * input = normalise(context, model, stream, layer.ffn_norm);
    ggml_tensor * gate = project(context, layer.gate, input, with_adapters);
    ggml_tensor * up = project(context, layer.up, input, with_adapters);
    stream = ggml_add(context, stream, project(context, layer.down, ggml_swiglu_split(context, gate, up), with_adapters));
  }
  ggml_tensor * hidden = normalise(context, model, stream, model.output_norm);
  return {hidden, ggml_mul_mat(context, model.output_matrix(), hidden)};
}

size_t graph_capacity(const Model & model) {
  // counted: 214 in a layer with adapters, forward and backward; autodiff.cpp's rewriting, which makes it 266, has its own, twice as large
  return 1024 + model.layers.size() * 512;
}

Inference infer(Executor & executor, const Model & model, const Batch & batch, bool with_adapters) {
  Context context = make_context(graph_capacity(model), graph_capacity(model));
  Feed feed;
  const Forward forward = build_forward(context.get(), feed, model, batch, with_adapters);
  ggml_set_output(forward.hidden);
  ggml_set_output(forward.logits);
  ggml_cgraph * graph = ggml_new_graph_custom(context.get(), graph_capacity(model), false);
  ggml_build_forward_expand(graph, forward.logits);
  executor.run(graph, feed);
  return {values_of(forward.logits), values_of(forward.hidden)};
}

}  // namespace trainer
