// Owns the Qwen2 model in memory: its shape, its tensors by GGUF name, the weights of a model that starts from chance.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device.h"

namespace trainer {

struct Shape {
  int64_t vocab = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, ffn = 0, context = 1024;
  double rope_base = 10000, norm_epsilon = 1e-6;

  int64_t head_width() const { return width / heads; }
  int64_t kv_width() const { return kv_heads * head_width(); }
  /// What cannot be computed, as a sentence; empty when all is well.
  std::string problem() const;
};

/// y = W·x + b, and with an adapter + scale · B·(A·x). ggml's order: weight [in, out], a [in, rank], b [rank, out].
struct Projection {
  std::string name;  // of the weight in GGUF, "blk.0.attn_q.weight"
  ggml_tensor *weight = nullptr, *bias = nullptr, *lora_a = nullptr, *lora_b = nullptr;
  float lora_scale = 0;

  int64_t inputs() const { return weight->ne[0]; }
  int64_t outputs() const { return weight->ne[1]; }
};

struct Layer {
  ggml_tensor *attention_norm = nullptr, *ffn_norm = nullptr;
  Projection q, k, v, o, gate, up, down;
};

/// The names that a configuration uses for the seven projections of a layer, in this order everywhere.
constexpr std::array<const char *, 7> projection_names = {"q", "k", "v", "o", "gate", "up", "down"};
inline std::array<Projection *, 7> projections_of(Layer & layer) {
  return {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down};
}
inline std::array<const Projection *, 7> projections_of(const Layer & layer) {
  return {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down};
}

/// Something that training changes.
struct Trainable {
  std::string name;
  ggml_tensor * tensor;
};

struct Model {
  Shape shape;
  ggml_tensor *embedding = nullptr, *output_norm = nullptr;
  ggml_tensor * output = nullptr;  // null: the embedding serves as output matrix too
  std::vector<Layer> layers;
  std::unique_ptr<TensorStore> weights, adapters;

  /// Called for every tensor of the architecture; rows == 0 means a vector. May return null only where `required` is false.
  using Source = std::function<ggml_tensor *(const std::string & name, int64_t columns, int64_t rows, bool required)>;
  void lay_out(const Source & source);
  size_t tensor_count() const { return 3 + static_cast<size_t>(shape.layers) * 12; }
  ggml_tensor * output_matrix() const { return output ? output : embedding; }
  int64_t parameter_count() const;
  std::vector<Trainable> all_weights() const;
};

/// Normal weights of deviation 0.02, residual outputs divided by √(2·layers) (Radford et al. 2019); norms 1, biases 0; tied embeddings.
/// Throws OUT_OF_MEMORY.
std::unique_ptr<Model> random_model(const Device & device, const Shape & shape, uint64_t seed);

}  // namespace trainer
