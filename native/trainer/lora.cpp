// Owns how adapters are made, read and written.
#include "lora.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"
#include "files.h"
#include "random.h"

namespace trainer {

namespace {

template <typename Visit>
void each_adapted(const Model & model, const Visit & visit) {
  for (const Layer & layer : model.layers)
    for (const Projection * projection : projections_of(layer))
      if (projection->lora_a) visit(*projection);
}

Failure mismatch(const std::string & path, const std::string & what) {
  return Failure(code::adapter_mismatch, text("%s %s. Use the base model that it was trained on.", path.c_str(), what.c_str())).in_file(path);
}

/// llama.cpp's own rule: an alpha of 0 means no division by the rank.
double file_scale(const gguf_context * keys, int64_t rank) {
  const int64_t id = gguf_find_key(keys, "adapter.lora.alpha");
  const double alpha = id >= 0 && gguf_get_kv_type(keys, id) == GGUF_TYPE_FLOAT32 ? gguf_get_val_f32(keys, id) : 0;
  return alpha == 0 ? 1 : alpha / static_cast<double>(rank);
}

std::vector<float> read_values(const GgufHeader & header, const ggml_tensor * tensor) {
  InputFile file(header.path);
  file.seek(gguf_get_data_offset(header.keys.get()) + gguf_get_tensor_offset(header.keys.get(), gguf_find_tensor(header.keys.get(), tensor->name)));
  std::vector<char> raw(ggml_nbytes(tensor));
  if (!file.read(raw.data(), raw.size())) throw mismatch(header.path, "is incomplete");
  std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)));
  if (tensor->type == GGML_TYPE_F32)
    std::memcpy(values.data(), raw.data(), raw.size());
  else
    ggml_get_type_traits(tensor->type)->to_float(raw.data(), values.data(), ggml_nelements(tensor));
  return values;
}

}  // namespace

Ranks uniform_ranks(const Model & model, const std::vector<std::string> & targets, int64_t rank) {
  Ranks ranks;
  for (const Layer & layer : model.layers)
    for (size_t i = 0; i < projection_names.size(); i++)
      if (std::find(targets.begin(), targets.end(), projection_names[i]) != targets.end()) ranks[projections_of(layer)[i]->name] = rank;
  return ranks;
}

void attach_adapters(const Device & device, Model & model, const Ranks & ranks, double alpha) {
  model.adapters = std::make_unique<TensorStore>(2 * ranks.size());
  for (Layer & layer : model.layers)
    for (Projection * projection : projections_of(layer)) {
      projection->lora_a = projection->lora_b = nullptr;
      const auto found = ranks.find(projection->name);
      if (found == ranks.end()) continue;
      const int64_t rank = found->second, limit = std::min(projection->inputs(), projection->outputs());
      if (rank > limit)
        throw Failure(code::adapter_mismatch, text("Rank %lld is more than %s can have (%lld). Lower the rank.", static_cast<long long>(rank),
                                                   projection->name.c_str(), static_cast<long long>(limit)));
      projection->lora_a = model.adapters->add(projection->name + ".lora_a", GGML_TYPE_F32, projection->inputs(), rank);
      projection->lora_b = model.adapters->add(projection->name + ".lora_b", GGML_TYPE_F32, rank, projection->outputs());
      projection->lora_scale = static_cast<float>(alpha / std::sqrt(static_cast<double>(rank)));
    }
  model.adapters->allocate(device, "The adapter");
}

void initialise_adapters(Model & model, uint64_t seed) {
  uint64_t number = 0;
  each_adapted(model, [&](const Projection & projection) {
    Random random(seed, Purpose::adapters, number++);
    std::vector<float> a(static_cast<size_t>(ggml_nelements(projection.lora_a)));
    const double deviation = 1 / std::sqrt(static_cast<double>(projection.inputs()));
    for (float & value : a) value = static_cast<float>(deviation * random.normal());
    set_values(projection.lora_a, a);
    set_values(projection.lora_b, std::vector<float>(static_cast<size_t>(ggml_nelements(projection.lora_b)), 0.0f));
  });
}

std::vector<Trainable> adapter_weights(const Model & model) {
  std::vector<Trainable> all;
  each_adapted(model, [&](const Projection & projection) {
    all.push_back({projection.name + ".lora_a", projection.lora_a});
    all.push_back({projection.name + ".lora_b", projection.lora_b});
  });
  return all;
}

Ranks read_adapter_ranks(const std::string & path, const Model & model) {
  const GgufHeader header = open_gguf(path);
  if (string_key(header.keys.get(), "adapter.type") != "lora") throw mismatch(path, "is no LoRA adapter");
  const std::string architecture = string_key(header.keys.get(), "general.architecture");
  if (architecture != "qwen2") throw mismatch(path, "is made for models of the kind “" + architecture.substr(0, 40) + "”");
  Ranks ranks;
  int64_t used = 0;
  for (const Layer & layer : model.layers)
    for (const Projection * projection : projections_of(layer)) {
      const ggml_tensor *a = header.find(projection->name + ".lora_a"), *b = header.find(projection->name + ".lora_b");
      if (!a && !b) continue;
      if (!a || !b) throw mismatch(path, "has only one half of the pair for " + projection->name);
      if (a->ne[0] != projection->inputs() || b->ne[1] != projection->outputs() || a->ne[1] != b->ne[0])
        throw mismatch(path, "changes a " + projection->name + " of another shape");
      ranks[projection->name] = a->ne[1];
      used += 2;
    }
  if (ranks.empty()) throw mismatch(path, "changes nothing that this model has");
  if (used != gguf_get_n_tensors(header.keys.get())) throw mismatch(path, "changes matrices that this model does not have");
  return ranks;
}

void read_adapter(const std::string & path, Model & model) {
  const GgufHeader header = open_gguf(path);
  each_adapted(model, [&](const Projection & projection) {
    const ggml_tensor *a = header.find(projection.name + ".lora_a"), *b = header.find(projection.name + ".lora_b");
    set_values(projection.lora_a, read_values(header, a));
    std::vector<float> values = read_values(header, b);
    const double factor = file_scale(header.keys.get(), a->ne[1]) / static_cast<double>(projection.lora_scale);
    for (float & value : values) value = static_cast<float>(value * factor);
    set_values(projection.lora_b, values);
  });
}

void write_adapter(const std::string & path, const Model & model, double alpha, const gguf_context * base_keys) {
  int64_t greatest = 1;
  each_adapted(model, [&](const Projection & projection) { greatest = std::max(greatest, projection.lora_a->ne[1]); });
  const double written_alpha = alpha * std::sqrt(static_cast<double>(greatest));

  Gguf keys(gguf_init_empty());
  gguf_set_val_str(keys.get(), "general.type", "adapter");
  gguf_set_val_str(keys.get(), "general.architecture", "qwen2");
  gguf_set_val_str(keys.get(), "adapter.type", "lora");
  gguf_set_val_f32(keys.get(), "adapter.lora.alpha", static_cast<float>(written_alpha));
  // how Rushlight tells an adapter of these weights from one of others of the same shape
  if (const std::string id = string_key(base_keys, "rushlight.weights_id"); !id.empty())
    gguf_set_val_str(keys.get(), "rushlight.base_weights_id", id.c_str());

  const std::vector<Trainable> weights = adapter_weights(model);
  Context tensors = make_context(weights.size());
  std::map<std::string, std::pair<const ggml_tensor *, double>> sources;
  each_adapted(model, [&](const Projection & projection) {
    const auto rank = static_cast<double>(projection.lora_a->ne[1]);
    sources[projection.name + ".lora_a"] = {projection.lora_a, 1.0};
    // exactly 1 where the rank is the greatest, so that equal ranks are written as they are
    const double factor = projection.lora_a->ne[1] == greatest ? 1.0 : alpha / std::sqrt(rank) / (written_alpha / rank);
    sources[projection.name + ".lora_b"] = {projection.lora_b, factor};
  });
  for (const auto & [name, tensor] : weights) ggml_set_name(ggml_dup_tensor(tensors.get(), tensor), name.c_str());
  write_gguf(path, keys.get(), tensors.get(), [&](const ggml_tensor * tensor) {
    const auto & [source, factor] = sources.at(tensor->name);
    std::vector<float> values = values_of(source);
    for (float & value : values) value = static_cast<float>(value * factor);
    std::vector<char> data(values.size() * sizeof(float));
    std::memcpy(data.data(), values.data(), data.size());
    return data;
  });
}

}  // namespace trainer
