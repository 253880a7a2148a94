// Owns the JSON file that drives a verb: a struct for each. config.cpp lists the fields once, with range and meaning, for reading and for --help.
//
// train (all fields but the marked ones may be left out; values shown are the defaults):
//   { "out": { "model": "", "type": "f32",      written GGUF: whole model, adapters merged in; matrices "f32" or "f16"
//              "adapter": "",                   written GGUF: the LoRA adapter (only with "lora")
//              "checkpoint": "" },              kept while training; PATH.previous is the one before
//     "base": "",                               GGUF that training starts from: any type with "lora", made F32 without
//     "arch": { "vocab", "width", "layers", "heads", "kvHeads", "ffn": all needed,   from chance
//               "context": 1024, "ropeBase": 10000, "normEpsilon": 1e-6 },
//     "keys": "",                               GGUF (with or without tensors) whose keys, the tokenizer above all, a model from chance gets
//     "data": needed,                           training set; form in data.h
//     "validation": { "data": needed, "every": 200 },
//     "replay": { "data": needed, "share": 0.25 },   samples of old knowledge mixed in, as a share of all that is learned
//     "lora": { "rank": 16, "alpha": 16, "targets": ["q","k","v","o","gate","up","down"], "init": "",
//               "budget": { "parameters": needed, "minRank": 1, "maxRank": 32, "probeBatches": 8 },   adaptive ranks instead of "rank"
//               "stableSvd": { "every": 200, "truncate": 1e-3, "conditionLimit": 100 } },
//     "teacher": { "model": "" or "cache": "" },
//     "loss": { "ce": 1, "kl": 0, "mse": 0, "entity": 0, "retention": 0, "temperature": 1, "projection": false,
//               "retentionForm": "hidden", "retentionRows": "all" },
//     "optimiser": { "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-8, "weightDecay": 0.05, "clip": 1, "gradientScale": 1 },
//     "schedule": { "lrMax": 1e-3, "lrMin": 5e-5, "warmup": 0, "periods": 1, "periodFactor": 1 },
//     "order": { "progressive": false, "basicFirst": false, "epochs": 1 },
//     "divergence": { "factor": 3, "patience": 5 },
//     "batch": 8, "context": 256, "accumulate": 1,   rows, tokens a row, batches a step
//     "steps": 0 or "epochs": 0,                one of them is needed
//     "maxMinutes": 0,                          stop with a checkpoint after so long; 0: never
//     "checkpointEvery": 200, "logEvery": 10, "resume": false, "seed": 1,
//     "device": "cpu", "threads": 1, "backends": "" }
#pragma once

#include <string>
#include <vector>

#include "batching.h"
#include "device.h"
#include "loss.h"
#include "model.h"
#include "monitor.h"
#include "optimiser.h"
#include "ranks.h"
#include "svd.h"

namespace trainer {

struct LoraConfig {
  bool on = false;
  int64_t rank = 16;
  double alpha = 16;
  std::vector<std::string> targets{projection_names.begin(), projection_names.end()};
  std::string init;
  RankBudget budget;
  StableSvdConfig stable_svd;
};

struct TrainConfig {
  std::string out_model, out_type = "f32", out_adapter, checkpoint;
  std::string base, keys, data, validation_data, replay_data, teacher_model, teacher_cache;
  Shape arch;
  LoraConfig lora;
  LossConfig loss;
  OptimiserConfig optimiser;
  ScheduleConfig schedule;
  OrderConfig order;
  MonitorConfig divergence;
  DeviceConfig device;
  int64_t batch = 8, context = 256, accumulate = 1, steps = 0, epochs = 0;
  int64_t validation_every = 200, checkpoint_every = 200, log_every = 10;
  double max_minutes = 0;
  bool resume = false;
  int64_t seed = 1;
};

struct CheckConfig {
  double step = 3e-4, tolerance = 1e-2;
  Shape arch;
  int64_t rank = 4, length = 16, rows = 2, seed = 1;
  DeviceConfig device;
};

struct LogitsConfig {
  std::string model, adapter, out;
  std::vector<int32_t> tokens;
  DeviceConfig device;
};

struct CacheConfig {
  std::string teacher, data, out;
  int64_t k = 32, batch = 8, context = 256;
  DeviceConfig device;
};

struct BenchConfig {
  Shape arch;
  int64_t batch = 8, context = 256, steps = 5, rank = 0;
  DeviceConfig device;
};

/// Each throws CONFIG_INVALID, which names the field, or FILE_UNREADABLE.
TrainConfig read_train_config(const std::string & path);
CheckConfig read_check_config(const std::string & path);
LogitsConfig read_logits_config(const std::string & path);
CacheConfig read_cache_config(const std::string & path);
BenchConfig read_bench_config(const std::string & path);

/// The fields of a verb, a line each; empty for a verb that there is not.
std::string describe_config(const std::string & verb);

}  // namespace trainer
