// Owns GGUF files of models: reading a Qwen2 base or teacher, and writing what training made of it.
#pragma once

#include <gguf.h>

#include <memory>
#include <string>

#include "model.h"

namespace trainer {

struct GgufDeleter {
  void operator()(gguf_context * context) const { gguf_free(context); }
};
using Gguf = std::unique_ptr<gguf_context, GgufDeleter>;

/// A GGUF file's keys and tensor table, checked against the length of the file.
struct GgufHeader {
  std::string path;
  Gguf keys;
  Context tensors;  // descriptions without data
  ggml_tensor * find(const std::string & name) const { return ggml_get_tensor(tensors.get(), name.c_str()); }
};

/// Throws FILE_UNREADABLE, or MODEL_UNREADABLE for what is no whole GGUF file.
GgufHeader open_gguf(const std::string & path);

struct LoadedModel {
  std::unique_ptr<Model> model;
  Gguf keys;
  uint64_t hash;  // of the tensor data
};

/// Reads a Qwen2 model. Weights keep the file's type, or become F32 when they are to be trained. Throws MODEL_UNREADABLE, MODEL_ARCHITECTURE (other
/// architecture, missing or additional tensors, scaled RoPE), OUT_OF_MEMORY.
LoadedModel read_model(const Device & device, const std::string & path, bool as_f32);

/// Writes a whole model: adapters merged in (W + scale·B·A), matrices in F32 or F16, vectors in F32. Keys of `keys` are kept except those that the
/// new weights make untrue. Throws DISK_FULL, OUTPUT_NOT_WRITABLE.
void write_model(const std::string & path, const Model & model, const gguf_context * keys, bool as_f16);

/// Writes keys and tensors; `data_of` gives the bytes of one tensor at a time, so that memory never holds two copies of a model.
void write_gguf(const std::string & path, gguf_context * keys, ggml_context * tensors,
                const std::function<std::vector<char>(const ggml_tensor *)> & data_of);

std::string string_key(const gguf_context * keys, const std::string & name);

}  // namespace trainer
