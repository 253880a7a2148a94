// Owns the list of fields of every verb, and what they must be together.
#include "config.h"

#include <filesystem>
#include <map>

#include "failure.h"
#include "fields.h"
#include "files.h"

namespace trainer {

namespace {

constexpr int64_t many = int64_t{1} << 40;
// all steps are drawn once before the first, to know the largest batch
constexpr int64_t longest = 100'000'000;

void device_fields(Fields & fields, DeviceConfig & device) {
  fields.choice("device", device.kind, {"cpu", "gpu", "auto"}, "where to compute; auto takes a GPU where there is one");
  fields.whole("threads", device.threads, 1, 1024, false, "threads of the CPU; other counts give other roundings");
  fields.text("backends", device.backends, false, "folder of ggml's backends; empty: beside the libraries that the program was built with");
}

void shape_fields(Fields & fields, Shape & shape, bool needed) {
  fields.whole("vocab", shape.vocab, 2, 1 << 22, needed, "tokens of the vocabulary");
  fields.whole("width", shape.width, 2, 1 << 17, needed, "length of the hidden state, a multiple of heads");
  fields.whole("layers", shape.layers, 1, 1024, needed, "transformer layers");
  fields.whole("heads", shape.heads, 1, 1024, needed, "query heads");
  fields.whole("kvHeads", shape.kv_heads, 1, 1024, needed, "key and value heads, a divisor of heads");
  fields.whole("ffn", shape.ffn, 1, 1 << 20, needed, "width of the feed-forward part");
  fields.whole("context", shape.context, 1, 1 << 22, false, "longest text that the model's header promises, in tokens");
  fields.number("ropeBase", shape.rope_base, 1, 1e9, "base of the rotary positions");
  fields.number("normEpsilon", shape.norm_epsilon, 1e-12, 1e-2, "added to the mean square in RMSNorm");
}

void lora_fields(Fields & fields, LoraConfig & lora) {
  const std::vector<std::string> all{projection_names.begin(), projection_names.end()};
  fields.whole("rank", lora.rank, 1, 1024, false, "rank of every adapter, unless there is a budget or an init");
  fields.number("alpha", lora.alpha, 1e-3, 1e4, "updates are scaled by alpha / √rank");
  fields.texts("targets", lora.targets, all, "projections that are adapted, in every layer");
  fields.text("init", lora.init, false, "adapter (GGUF) to go on from; its ranks hold");
  const auto budget = [&](Fields & inner) {
    inner.whole("parameters", lora.budget.parameters, 1, many, true, "of all adapters together");
    inner.whole("minRank", lora.budget.least, 1, 1024, false, "least rank of a projection");
    inner.whole("maxRank", lora.budget.most, 1, 1024, false, "greatest rank of a projection");
    inner.whole("probeBatches", lora.budget.probe_batches, 1, 1024, false, "batches whose gradients decide");
  };
  fields.section("budget", budget, "adaptive ranks: as many directions per projection as its gradient is worth");
  const auto svd = [&](Fields & inner) {
    lora.stable_svd.every = 200;
    inner.whole("every", lora.stable_svd.every, 1, many, false, "steps between two");
    inner.number("truncate", lora.stable_svd.truncate, 0, 1, "singular values below this share of the largest are dropped");
    inner.number("conditionLimit", lora.stable_svd.condition_limit, 1.001, 1e12, "λ is added so that the condition number stays below");
  };
  if (!fields.section("stableSvd", svd, "re-factors every adapter by its singular values")) lora.stable_svd.every = 0;
}

void loss_fields(Fields & fields, LossConfig & loss) {
  fields.number("ce", loss.ce, 0, 1e6, "weight of the cross-entropy of the next token");
  fields.number("kl", loss.kl, 0, 1e6, "weight of KL(teacher ‖ student), times temperature²");
  fields.number("mse", loss.mse, 0, 1e6, "weight of the squared distance of hidden states to the teacher's; needs a teacher model");
  fields.number("entity", loss.entity, 0, 1e6, "weight of the entity-weighted error of probabilities; against 1 without a teacher");
  fields.number("retention", loss.retention, 0, 1e6, "weight of the distance to the frozen base; needs a base");
  fields.number("temperature", loss.temperature, 0.05, 100, "softens both distributions in kl");
  fields.flag("projection", loss.projection, "learn a map to the teacher's hidden states also when the widths are equal");
  fields.choice("retentionForm", loss.retention_form, {"hidden", "kl"}, "squared distance of hidden states, or KL(base ‖ student)");
  fields.choice("retentionRows", loss.retention_rows, {"all", "replay"}, "all learned positions, or those of replayed samples");
}

void train_fields(Fields & fields, TrainConfig & config) {
  const auto out = [&](Fields & inner) {
    inner.text("model", config.out_model, false, "GGUF to write: the whole model, adapters merged in");
    inner.choice("type", config.out_type, {"f32", "f16"}, "of the matrices of out.model");
    inner.text("adapter", config.out_adapter, false, "GGUF to write: the LoRA adapter");
    inner.text("checkpoint", config.checkpoint, false, "file to resume from; PATH.previous is the one before");
  };
  fields.section("out", out, "what is written; at least model or adapter");
  fields.text("base", config.base, false, "GGUF to start from; this or arch");
  fields.section("arch", [&](Fields & inner) { shape_fields(inner, config.arch, true); }, "Qwen2 model to start from chance; this or base");
  fields.text("keys", config.keys, false, "GGUF whose keys (tokenizer, name) a model from chance gets; its tensors are not read");
  fields.text("data", config.data, true, "training set, JSON lines: {\"tokens\",\"start\",\"level\",\"class\",\"entities\",\"id\"}");
  const auto validation = [&](Fields & inner) {
    inner.text("data", config.validation_data, true, "validation set, same form");
    inner.whole("every", config.validation_every, 1, many, false, "steps between two; also after the last");
  };
  fields.section("validation", validation, "mean cross-entropy and next-token accuracy on other data");
  const auto replay = [&](Fields & inner) {
    config.order.replay_share = 0.25;
    inner.text("data", config.replay_data, true, "samples of knowledge to be kept, same form");
    inner.number("share", config.order.replay_share, 0.001, 0.95, "of all samples that are learned");
  };
  fields.section("replay", replay, "old knowledge mixed in against forgetting");
  config.lora.on = fields.section("lora", [&](Fields & inner) { lora_fields(inner, config.lora); }, "train adapters on a frozen base");
  const auto teacher = [&](Fields & inner) {
    inner.text("model", config.teacher_model, false, "Qwen2 GGUF of the same vocabulary");
    inner.text("cache", config.teacher_cache, false, "file made by `trainer cache`, or in its form");
  };
  fields.section("teacher", teacher, "what kl, mse and entity compare with; model or cache");
  fields.section("loss", [&](Fields & inner) { loss_fields(inner, config.loss); }, "weights of the terms of the loss");
  const auto optimiser = [&](Fields & inner) {
    inner.number("beta1", config.optimiser.beta1, 0, 0.9999, "decay of the first moment");
    inner.number("beta2", config.optimiser.beta2, 0, 0.99999, "decay of the second moment");
    inner.number("epsilon", config.optimiser.epsilon, 1e-16, 1, "added to the root of the second moment");
    inner.number("weightDecay", config.optimiser.weight_decay, 0, 10, "of matrices, per unit of learning rate");
    inner.number("clip", config.optimiser.clip, 0, 1e9, "greatest norm of all gradients together; 0: none");
    inner.number("gradientScale", config.optimiser.gradient_scale, 1, 1e30, "factor on the loss in the backward pass, halved on overflow");
  };
  fields.section("optimiser", optimiser, "AdamW");
  const auto schedule = [&](Fields & inner) {
    inner.number("lrMax", config.schedule.highest, 0, 1e3, "learning rate at the start of a period");
    inner.number("lrMin", config.schedule.lowest, 0, 1e3, "learning rate at the end of a period");
    inner.whole("warmup", config.schedule.warmup, 0, many, false, "steps of linear rise at the start");
    inner.whole("periods", config.schedule.periods, 1, 1000, false, "cosine periods, each from lrMax to lrMin");
    inner.number("periodFactor", config.schedule.period_factor, 0.1, 10, "length of a period over the one before");
  };
  fields.section("schedule", schedule, "cosine with restarts");
  const auto order = [&](Fields & inner) {
    inner.flag("progressive", config.order.progressive, "by level, simple concepts first");
    inner.flag("basicFirst", config.order.basic_first, "general knowledge before special");
    inner.whole("epochs", config.order.epochs, 0, many, false, "epochs in this order; later ones are shuffled");
  };
  fields.section("order", order, "in which samples are learned; shuffled within equals");
  const auto divergence = [&](Fields & inner) {
    inner.number("factor", config.divergence.factor, 1.1, 1e9, "times the running median, above which a loss is suspect");
    inner.whole("patience", config.divergence.patience, 1, many, false, "suspect steps in a row that end the run");
  };
  fields.section("divergence", divergence, "when a run is given up; NaN and Inf end it at once");
  fields.whole("batch", config.batch, 1, 65536, false, "rows of a batch");
  fields.whole("context", config.context, 2, 1 << 20, false, "tokens of a row, into which samples are packed");
  fields.whole("accumulate", config.accumulate, 1, 65536, false, "batches whose gradients make one step");
  fields.whole("steps", config.steps, 0, longest, false, "steps of the run; this or epochs");
  fields.whole("epochs", config.epochs, 0, 100000, false, "times that all samples are learned; this or steps");
  fields.number("maxMinutes", config.max_minutes, 0, 1e7, "stop with a checkpoint after so long; 0: never");
  fields.whole("checkpointEvery", config.checkpoint_every, 1, many, false, "steps between two checkpoints");
  fields.whole("logEvery", config.log_every, 1, many, false, "steps between two progress events");
  fields.flag("resume", config.resume, "go on from out.checkpoint where there is one");
  fields.whole("seed", config.seed, 0, int64_t{1} << 53, false, "of first weights and order; same seed, build and threads: same bytes");
  device_fields(fields, config.device);
}

void check_fields(Fields & fields, CheckConfig & config) {
  fields.number("step", config.step, 1e-6, 0.5, "predicted change of the loss, as a share of it, by which weights are moved each way");
  fields.number("tolerance", config.tolerance, 1e-6, 1, "greatest relative error");
  const auto arch = [&](Fields & inner) { shape_fields(inner, config.arch, false); };
  fields.section("arch", arch, "model to check, from chance");
  fields.whole("rank", config.rank, 1, 64, false, "of the adapters");
  fields.whole("length", config.length, 4, 4096, false, "tokens of a row; two samples share each");
  fields.whole("rows", config.rows, 1, 64, false, "rows of the batch");
  fields.whole("seed", config.seed, 0, int64_t{1} << 53, false, "of weights and tokens");
  device_fields(fields, config.device);
}

void logits_fields(Fields & fields, LogitsConfig & config) {
  fields.text("model", config.model, true, "GGUF to run");
  fields.text("adapter", config.adapter, false, "LoRA GGUF to apply");
  fields.wholes("tokens", config.tokens, "the text, as token numbers");
  fields.text("out", config.out, true, "file to write: F32, little-endian, [token][vocab]");
  device_fields(fields, config.device);
}

void cache_fields(Fields & fields, CacheConfig & config) {
  fields.text("teacher", config.teacher, true, "Qwen2 GGUF");
  fields.text("data", config.data, true, "data set whose scored rows are answered");
  fields.text("out", config.out, true, "cache to write");
  fields.whole("k", config.k, 1, 1 << 20, false, "most probable tokens kept per row; at most the vocabulary");
  fields.whole("batch", config.batch, 1, 65536, false, "rows of a batch");
  fields.whole("context", config.context, 2, 1 << 20, false, "tokens of a row");
  device_fields(fields, config.device);
}

void bench_fields(Fields & fields, BenchConfig & config) {
  fields.section("arch", [&](Fields & inner) { shape_fields(inner, config.arch, false); }, "model to train, from chance");
  fields.whole("batch", config.batch, 1, 65536, false, "rows of a batch");
  fields.whole("context", config.context, 2, 1 << 20, false, "tokens of a row");
  fields.whole("steps", config.steps, 1, 10000, false, "steps that are timed; the matrix product is timed between them");
  fields.whole("rank", config.rank, 0, 1024, false, "of adapters on a frozen base; 0: all weights");
  device_fields(fields, config.device);
}

Shape small_shape() { return {96, 64, 2, 4, 2, 128}; }
Shape starter_shape() { return {2048, 256, 6, 8, 4, 704}; }

Json parse_config(const std::string & path) {
  const std::string content = read_text(path);
  size_t error_at = 0;
  std::optional<Json> json = parse_json(content, &error_at);
  if (!json) throw Failure(code::config_invalid, text("%s is no JSON (at byte %zu). Correct it.", path.c_str(), error_at)).in_file(path);
  if (!json->is(Json::Kind::object))
    throw Failure(code::config_invalid, text("%s holds no JSON object. Correct it.", path.c_str())).in_file(path);
  return std::move(*json);
}

void demand(bool holds, const char * sentence) {
  if (!holds) throw Failure(code::config_invalid, sentence);
}

}  // namespace

TrainConfig read_train_config(const std::string & path) {
  TrainConfig config;
  read_fields(parse_config(path), "", [&](Fields & fields) { train_fields(fields, config); });
  const LossConfig & loss = config.loss;
  demand(!config.out_model.empty() || !config.out_adapter.empty(), "Nothing is to be written: name out.model or out.adapter.");
  demand(config.base.empty() == (config.arch.vocab > 0), "Give either base, to start from a model, or arch, to start from chance.");
  demand(config.lora.on || config.out_adapter.empty(), "out.adapter needs lora.");
  demand(!config.lora.on || !config.base.empty(), "lora needs a base: adapters of a model of chance teach nothing.");
  demand((config.steps > 0) != (config.epochs > 0), "Give either steps or epochs.");
  demand(!config.resume || !config.checkpoint.empty(), "resume needs out.checkpoint.");
  demand(config.teacher_model.empty() || config.teacher_cache.empty(), "Give teacher.model or teacher.cache, not both.");
  const bool teacher = !config.teacher_model.empty() || !config.teacher_cache.empty();
  demand(!loss.needs_teacher() || teacher, "loss.kl and loss.mse need a teacher.");
  demand(!teacher || loss.needs_teacher() || loss.entity > 0, "No term listens to the teacher: set loss.kl, loss.mse or loss.entity.");
  demand(loss.mse == 0 || config.teacher_cache.empty(), "loss.mse needs teacher.model: a cache holds no hidden states.");
  demand(loss.retention == 0 || !config.base.empty(), "loss.retention needs a base.");
  demand(loss.retention == 0 || loss.retention_rows == "all" || !config.replay_data.empty(), "loss.retentionRows “replay” needs replay.");
  demand(loss.ce + loss.kl + loss.mse + loss.entity + loss.retention > 0, "Every weight of the loss is 0.");
  demand(config.schedule.lowest <= config.schedule.highest, "schedule.lrMin is above schedule.lrMax.");
  demand(config.lora.budget.least <= config.lora.budget.most, "lora.budget.minRank is above maxRank.");
  demand(config.lora.budget.parameters == 0 || config.lora.init.empty(), "lora.init brings its own ranks: leave lora.budget out.");
  if (const std::string problem = config.arch.problem(); config.base.empty() && !problem.empty())
    throw Failure(code::config_invalid, "arch: " + problem + ".");
  demand(config.context <= config.arch.context || !config.base.empty(), "context is above arch.context.");
  return config;
}

CheckConfig read_check_config(const std::string & path) {
  CheckConfig config;
  config.arch = small_shape();
  if (!path.empty()) read_fields(parse_config(path), "", [&](Fields & fields) { check_fields(fields, config); });
  if (const std::string problem = config.arch.problem(); !problem.empty()) throw Failure(code::config_invalid, "arch: " + problem + ".");
  return config;
}

LogitsConfig read_logits_config(const std::string & path) {
  LogitsConfig config;
  read_fields(parse_config(path), "", [&](Fields & fields) { logits_fields(fields, config); });
  return config;
}

CacheConfig read_cache_config(const std::string & path) {
  CacheConfig config;
  read_fields(parse_config(path), "", [&](Fields & fields) { cache_fields(fields, config); });
  return config;
}

BenchConfig read_bench_config(const std::string & path) {
  BenchConfig config;
  config.arch = starter_shape();
  if (!path.empty()) read_fields(parse_config(path), "", [&](Fields & fields) { bench_fields(fields, config); });
  if (const std::string problem = config.arch.problem(); !problem.empty()) throw Failure(code::config_invalid, "arch: " + problem + ".");
  return config;
}

std::string describe_config(const std::string & verb) {
  TrainConfig train;
  CheckConfig check;
  LogitsConfig logits;
  CacheConfig cache;
  BenchConfig bench;
  check.arch = small_shape();
  bench.arch = starter_shape();
  if (verb == "train") return describe_fields([&](Fields & fields) { train_fields(fields, train); });
  if (verb == "gradcheck") return describe_fields([&](Fields & fields) { check_fields(fields, check); });
  if (verb == "logits") return describe_fields([&](Fields & fields) { logits_fields(fields, logits); });
  if (verb == "cache") return describe_fields([&](Fields & fields) { cache_fields(fields, cache); });
  if (verb == "bench") return describe_fields([&](Fields & fields) { bench_fields(fields, bench); });
  return {};
}

}  // namespace trainer
