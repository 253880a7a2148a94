// Owns how a GGUF file becomes a model and a model a GGUF file.
#include "model_file.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "failure.h"
#include "files.h"

namespace trainer {

namespace {

Failure unreadable(const std::string & path, const std::string & what) {
  return Failure(code::model_unreadable, text("%s %s. Copy it again from its source.", path.c_str(), what.c_str())).in_file(path);
}
Failure not_computed(const std::string & path, const std::string & what) {
  return Failure(code::model_architecture, text("%s %s. Use a plain Qwen2 model.", path.c_str(), what.c_str())).in_file(path);
}

/// A key of the file in its own architecture's name space; `fallback` where it is absent.
double number_key(const GgufHeader & header, const std::string & name, double fallback) {
  const int64_t id = gguf_find_key(header.keys.get(), ("qwen2." + name).c_str());
  if (id < 0) return fallback;
  switch (gguf_get_kv_type(header.keys.get(), id)) {
    case GGUF_TYPE_UINT32: return gguf_get_val_u32(header.keys.get(), id);
    case GGUF_TYPE_INT32: return gguf_get_val_i32(header.keys.get(), id);
    case GGUF_TYPE_UINT64: return static_cast<double>(gguf_get_val_u64(header.keys.get(), id));
    case GGUF_TYPE_FLOAT32: return gguf_get_val_f32(header.keys.get(), id);
    default: throw unreadable(header.path, "states qwen2." + name + " in a form that cannot be read");
  }
}

Shape shape_of(const GgufHeader & header) {
  const std::string architecture = string_key(header.keys.get(), "general.architecture");
  if (architecture != "qwen2") throw not_computed(header.path, "is of the architecture “" + architecture.substr(0, 40) + "”");
  const std::string scaling = string_key(header.keys.get(), "qwen2.rope.scaling.type");
  if (!scaling.empty() && scaling != "none") throw not_computed(header.path, "scales its positions (" + scaling.substr(0, 40) + ")");
  const ggml_tensor * embedding = header.find("token_embd.weight");
  if (!embedding) throw not_computed(header.path, "has no token_embd.weight");

  Shape shape;
  const auto whole = [&](const char * name) { return static_cast<int64_t>(number_key(header, name, 0)); };
  shape.vocab = embedding->ne[1];
  shape.width = whole("embedding_length");
  shape.layers = whole("block_count");
  shape.heads = whole("attention.head_count");
  shape.kv_heads = whole("attention.head_count_kv");
  shape.ffn = whole("feed_forward_length");
  shape.context = whole("context_length");
  shape.rope_base = number_key(header, "rope.freq_base", 10000);
  shape.norm_epsilon = number_key(header, "attention.layer_norm_rms_epsilon", 1e-6);
  if (const std::string problem = shape.problem(); !problem.empty()) throw unreadable(header.path, "states an impossible shape: " + problem);
  for (const char * name : {"attention.key_length", "attention.value_length", "rope.dimension_count"})
    if (number_key(header, name, static_cast<double>(shape.head_width())) != static_cast<double>(shape.head_width()))
      throw not_computed(header.path, text("has heads of another width (%s)", name));
  return shape;
}

/// The tensor's values from the file, in the type of `tensor`.
void read_tensor(InputFile & file, const GgufHeader & header, const ggml_tensor * source, ggml_tensor * tensor) {
  const int64_t id = gguf_find_tensor(header.keys.get(), source->name);
  file.seek(gguf_get_data_offset(header.keys.get()) + gguf_get_tensor_offset(header.keys.get(), id));
  std::vector<char> raw(ggml_nbytes(source));
  if (!file.read(raw.data(), raw.size())) throw unreadable(header.path, "is incomplete");
  if (source->type == tensor->type && source->type != GGML_TYPE_F32) {
    ggml_backend_tensor_set(tensor, raw.data(), 0, raw.size());
    return;
  }
  std::vector<float> values(static_cast<size_t>(ggml_nelements(source)));
  if (source->type == GGML_TYPE_F32)
    std::memcpy(values.data(), raw.data(), raw.size());
  else
    ggml_get_type_traits(source->type)->to_float(raw.data(), values.data(), ggml_nelements(source));
  // one NaN in a weight makes every later number NaN; said here, it has a name
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    throw unreadable(header.path, text("holds values in %s that are not numbers", source->name));
  set_values(tensor, values);
}

std::vector<float> merged_weights(const ggml_tensor * weight, const Projection * projection) {
  std::vector<float> values = values_of(weight);
  if (!projection || !projection->lora_a) return values;
  const std::vector<float> a = values_of(projection->lora_a), b = values_of(projection->lora_b);
  const int64_t inputs = projection->inputs(), outputs = projection->outputs(), rank = projection->lora_a->ne[1];
  for (int64_t row = 0; row < outputs; row++)
    for (int64_t k = 0; k < rank; k++) {
      const float factor = projection->lora_scale * b[static_cast<size_t>(row * rank + k)];
      const float * direction = &a[static_cast<size_t>(k * inputs)];
      float * into = &values[static_cast<size_t>(row * inputs)];
      for (int64_t i = 0; i < inputs; i++) into[i] += factor * direction[i];
    }
  return values;
}

void set_shape_keys(gguf_context * keys, const Shape & shape) {
  const auto whole = [&](const char * name, int64_t value) {
    gguf_set_val_u32(keys, (std::string("qwen2.") + name).c_str(), static_cast<uint32_t>(value));
  };
  gguf_set_val_str(keys, "general.architecture", "qwen2");
  whole("block_count", shape.layers);
  whole("context_length", shape.context);
  whole("embedding_length", shape.width);
  whole("feed_forward_length", shape.ffn);
  whole("attention.head_count", shape.heads);
  whole("attention.head_count_kv", shape.kv_heads);
  gguf_set_val_f32(keys, "qwen2.rope.freq_base", static_cast<float>(shape.rope_base));
  gguf_set_val_f32(keys, "qwen2.attention.layer_norm_rms_epsilon", static_cast<float>(shape.norm_epsilon));
}

}  // namespace

std::string string_key(const gguf_context * keys, const std::string & name) {
  const int64_t id = gguf_find_key(keys, name.c_str());
  return id >= 0 && gguf_get_kv_type(keys, id) == GGUF_TYPE_STRING ? gguf_get_val_str(keys, id) : "";
}

GgufHeader open_gguf(const std::string & path) {
  const uint64_t bytes = InputFile(path).size();
  ggml_context * tensors = nullptr;
  GgufHeader header{path, Gguf(gguf_init_from_file(path.c_str(), {true, &tensors})), Context(tensors)};
  if (!header.keys) throw unreadable(path, "is no GGUF file, or a damaged one");
  for (int64_t id = 0; id < gguf_get_n_tensors(header.keys.get()); id++) {
    const uint64_t end = gguf_get_data_offset(header.keys.get()) + gguf_get_tensor_offset(header.keys.get(), id);
    if (end > bytes || gguf_get_tensor_size(header.keys.get(), id) > bytes - end) throw unreadable(path, "is incomplete");
  }
  return header;
}

LoadedModel read_model(const Device & device, const std::string & path, bool as_f32) {
  GgufHeader header = open_gguf(path);
  auto model = std::make_unique<Model>();
  model->shape = shape_of(header);
  model->weights = std::make_unique<TensorStore>(model->tensor_count());
  std::set<std::string> used;
  model->lay_out([&](const std::string & name, int64_t columns, int64_t rows, bool required) -> ggml_tensor * {
    const ggml_tensor * source = header.find(name);
    if (!source && required) throw not_computed(path, "has no " + name);
    if (!source) return nullptr;
    if (source->ne[0] != columns || source->ne[1] != std::max<int64_t>(rows, 1) || source->ne[2] != 1)
      throw unreadable(path, "has a " + name + " that does not fit its stated shape");
    used.insert(name);
    return model->weights->add(name, as_f32 || rows == 0 ? GGML_TYPE_F32 : source->type, columns, rows);
  });
  for (int64_t id = 0; id < gguf_get_n_tensors(header.keys.get()); id++)
    if (const char * name = gguf_get_tensor_name(header.keys.get(), id); used.count(name) == 0)
      throw not_computed(path, text("has a %s, which is not part of that architecture", name));
  model->weights->allocate(device, "The model");

  InputFile file(path);
  for (const auto & [name, tensor] : model->all_weights()) read_tensor(file, header, header.find(name), tensor);
  return {std::move(model), std::move(header.keys), file.hash()};
}

void write_gguf(const std::string & path, gguf_context * keys, ggml_context * tensors,
                const std::function<std::vector<char>(const ggml_tensor *)> & data_of) {
  for (ggml_tensor * tensor = ggml_get_first_tensor(tensors); tensor; tensor = ggml_get_next_tensor(tensors, tensor)) gguf_add_tensor(keys, tensor);
  AtomicFile file(path);
  errno = 0;
  if (!gguf_write_to_file_ptr(keys, file.stream(), /*only_meta=*/true)) file.failed(errno);
  const size_t alignment = gguf_get_alignment(keys);
  for (ggml_tensor * tensor = ggml_get_first_tensor(tensors); tensor; tensor = ggml_get_next_tensor(tensors, tensor)) {
    std::vector<char> data = data_of(tensor);
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    file.write(data.data(), data.size());
  }
  file.commit();
}

void write_model(const std::string & path, const Model & model, const gguf_context * base_keys, bool as_f16) {
  Gguf keys(gguf_init_empty());
  if (base_keys) gguf_set_kv(keys.get(), base_keys);
  // they speak of the weights and of the layout that the base had
  for (const char * name : {"rushlight.weights_id", "general.quantization_version", "general.alignment"}) gguf_remove_key(keys.get(), name);
  set_shape_keys(keys.get(), model.shape);
  gguf_set_val_u32(keys.get(), "general.file_type", as_f16 ? 1 : 0);

  std::map<std::string, std::pair<const ggml_tensor *, const Projection *>> sources;
  for (const auto & [name, tensor] : model.all_weights()) sources[name] = {tensor, nullptr};
  for (const Layer & layer : model.layers)
    for (const Projection * projection : projections_of(layer)) sources[projection->name].second = projection;
  Context tensors = make_context(model.tensor_count());
  for (const auto & [name, tensor] : model.all_weights()) {
    const bool matrix = tensor->ne[1] > 1;
    ggml_tensor * copy = ggml_new_tensor(tensors.get(), matrix && as_f16 ? GGML_TYPE_F16 : GGML_TYPE_F32, ggml_n_dims(tensor), tensor->ne);
    ggml_set_name(copy, name.c_str());
  }
  write_gguf(path, keys.get(), tensors.get(), [&](const ggml_tensor * tensor) {
    const auto [weight, projection] = sources.at(tensor->name);
    const std::vector<float> values = merged_weights(weight, projection);
    std::vector<char> data(ggml_nbytes(tensor));
    if (tensor->type == GGML_TYPE_F32)
      std::memcpy(data.data(), values.data(), data.size());
    else
      ggml_fp32_to_fp16_row(values.data(), reinterpret_cast<ggml_fp16_t *>(data.data()), static_cast<int64_t>(values.size()));
    return data;
  });
}

}  // namespace trainer
