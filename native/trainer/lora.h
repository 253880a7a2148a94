// Owns adapters: low-rank matrices beside the projections of a model, their ranks, and the GGUF file that llama.cpp reads them from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "device.h"
#include "model.h"
#include "model_file.h"

namespace trainer {

/// Projection name ("blk.0.attn_q.weight") → rank, at least 1.
using Ranks = std::map<std::string, int64_t>;

/// The same rank for the projections that `targets` names (q, k, v, o, gate, up, down) in every layer.
Ranks uniform_ranks(const Model & model, const std::vector<std::string> & targets, int64_t rank);

/// Adds zero matrices A and B of these ranks, in place of any before, applied with the scale α/√rank (Kalajdzievski 2023): unlike α/rank it keeps the
/// size of updates when ranks differ. Throws OUT_OF_MEMORY; ADAPTER_MISMATCH for a rank that the projection cannot have.
void attach_adapters(const Device & device, Model & model, const Ranks & ranks, double alpha);

/// A normal of variance 1/inputs, B zero: the model computes what its base does.
void initialise_adapters(Model & model, uint64_t seed);

std::vector<Trainable> adapter_weights(const Model & model);

/// The ranks of an adapter file, which must fit the model. Throws ADAPTER_MISMATCH, MODEL_UNREADABLE.
Ranks read_adapter_ranks(const std::string & path, const Model & model);

/// Values of an adapter file into adapters attached with its ranks. llama.cpp's scale alpha/rank is turned into ours by scaling B.
void read_adapter(const std::string & path, Model & model);

/// Writes the adapters as llama.cpp applies them, B·A·(alpha'/rank): alpha' = α·√rank for the greatest rank, and B scaled where ranks are lower, so
/// that every projection has α/√rank. `base_keys` names the base. Throws DISK_FULL, OUTPUT_NOT_WRITABLE.
void write_adapter(const std::string & path, const Model & model, double alpha, const gguf_context * base_keys);

}  // namespace trainer
