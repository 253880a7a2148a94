// Owns the list of tensors of the Qwen2 architecture and their first values.
#include "model.h"

#include <cmath>

#include "failure.h"
#include "random.h"

namespace trainer {

std::string Shape::problem() const {
  if (vocab < 2 || width < 1 || layers < 1 || heads < 1 || kv_heads < 1 || ffn < 1)
    return "vocab, width, layers, heads, kvHeads and ffn must be given";
  if (width % heads != 0) return text("width %lld is no multiple of heads %lld", static_cast<long long>(width), static_cast<long long>(heads));
  if (head_width() % 2 != 0) return text("a head of width %lld cannot be rotated: it must be even", static_cast<long long>(head_width()));
  if (heads % kv_heads != 0)
    return text("heads %lld is no multiple of kvHeads %lld", static_cast<long long>(heads), static_cast<long long>(kv_heads));
  return {};
}

void Model::lay_out(const Source & source) {
  const int64_t width = shape.width, kv = shape.kv_width();
  embedding = source("token_embd.weight", width, shape.vocab, true);
  output_norm = source("output_norm.weight", width, 0, true);
  output = source("output.weight", width, shape.vocab, false);
  layers.resize(static_cast<size_t>(shape.layers));
  for (size_t i = 0; i < layers.size(); i++) {
    Layer & layer = layers[i];
    const std::string block = "blk." + std::to_string(i) + ".";
    const auto project = [&](Projection & projection, const char * name, int64_t inputs, int64_t outputs, bool biased) {
      projection.name = block + name + ".weight";
      projection.weight = source(projection.name, inputs, outputs, true);
      if (biased) projection.bias = source(block + name + ".bias", outputs, 0, true);
    };
    layer.attention_norm = source(block + "attn_norm.weight", width, 0, true);
    layer.ffn_norm = source(block + "ffn_norm.weight", width, 0, true);
    project(layer.q, "attn_q", width, width, true);
    project(layer.k, "attn_k", width, kv, true);
    project(layer.v, "attn_v", width, kv, true);
    project(layer.o, "attn_output", width, width, false);
    project(layer.gate, "ffn_gate", width, shape.ffn, false);
    project(layer.up, "ffn_up", width, shape.ffn, false);
    project(layer.down, "ffn_down", shape.ffn, width, false);
  }
}

int64_t Model::parameter_count() const {
  int64_t count = 0;
  for (ggml_tensor * tensor = weights->first(); tensor; tensor = weights->next(tensor)) count += ggml_nelements(tensor);
  return count;
}

std::vector<Trainable> Model::all_weights() const {
  std::vector<Trainable> all;
  for (ggml_tensor * tensor = weights->first(); tensor; tensor = weights->next(tensor)) all.push_back({tensor->name, tensor});
  return all;
}

std::unique_ptr<Model> random_model(const Device & device, const Shape & shape, uint64_t seed) {
  auto model = std::make_unique<Model>();
  model->shape = shape;
  model->weights = std::make_unique<TensorStore>(model->tensor_count());
  model->lay_out([&](const std::string & name, int64_t columns, int64_t rows, bool required) -> ggml_tensor * {
    return required ? model->weights->add(name, GGML_TYPE_F32, columns, rows) : nullptr;
  });
  model->weights->allocate(device, "The model");

  const double residual = 0.02 / std::sqrt(2.0 * static_cast<double>(shape.layers));
  uint64_t number = 0;
  for (const auto & [name, tensor] : model->all_weights()) {
    std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)), 0.0f);
    if (tensor->ne[1] > 1) {
      const bool onto_residual = name.find("attn_output") != std::string::npos || name.find("ffn_down") != std::string::npos;
      Random random(seed, Purpose::weights, number);
      for (float & value : values) value = static_cast<float>((onto_residual ? residual : 0.02) * random.normal());
    } else if (name.find("norm") != std::string::npos) {
      values.assign(values.size(), 1.0f);
    }
    set_values(tensor, values);
    number++;
  }
  return model;
}

}  // namespace trainer
