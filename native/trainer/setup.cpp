// Owns the order in which a run's parts are made, and which of them a configuration needs.
#include "setup.h"

#include <algorithm>
#include <cmath>

#include "checkpoint.h"
#include "events.h"
#include "random.h"

namespace trainer {

Setup::Setup(const TrainConfig & config) : config_(config), device_(config.device), executor_(std::make_unique<Executor>(device_)) {
  load_model();
  load_data();
  load_teacher();
  if (config_.lora.on) attach();
  std::vector<Trainable> trainables = config_.lora.on ? adapter_weights(*model_) : model_->all_weights();
  if (projection_) trainables.push_back({"distill.projection", projection_});
  optimiser_ = std::make_unique<Optimiser>(device_, *executor_, config_.optimiser, trainables);
  evaluator_ = std::make_unique<Evaluator>(device_, *executor_, *model_, config_.loss, projection_, optimiser_->accumulators());
}

void Setup::load_model() {
  if (config_.base.empty()) {
    model_ = random_model(device_, config_.arch, static_cast<uint64_t>(config_.seed));
    if (!config_.keys.empty()) load_keys();
    return;
  }
  LoadedModel loaded = read_model(device_, config_.base, /*as_f32=*/!config_.lora.on);
  model_ = std::move(loaded.model);
  keys_ = std::move(loaded.keys);
  base_hash_ = loaded.hash;
  // adapters leave their base as it is; a base whose own weights change is kept a second time
  if (!config_.lora.on && config_.loss.retention > 0) base_copy_ = read_model(device_, config_.base, false).model;
}

/// A model whose tokenizer has another count of tokens than it has rows for cannot be loaded by llama.cpp.
void Setup::load_keys() {
  keys_ = open_gguf(config_.keys).keys;
  const int64_t id = gguf_find_key(keys_.get(), "tokenizer.ggml.tokens");
  const auto tokens = id >= 0 && gguf_get_kv_type(keys_.get(), id) == GGUF_TYPE_ARRAY ? static_cast<int64_t>(gguf_get_arr_n(keys_.get(), id)) : 0;
  if (tokens > 0 && tokens != config_.arch.vocab)
    throw Failure(code::vocabulary_mismatch, text("The tokenizer of %s has %lld tokens and arch.vocab is %lld. Make them equal.", config_.keys.c_str(),
                                                  static_cast<long long>(tokens), static_cast<long long>(config_.arch.vocab)))
        .in_file(config_.keys);
}

void Setup::load_data() {
  const DataLimits limits{model_->shape.vocab, config_.context};
  data_ = read_data(config_.data, limits);
  if (!config_.replay_data.empty()) replay_ = read_data(config_.replay_data, limits);
  for (Sample & sample : replay_.samples) sample.replayed = true;
  if (!config_.validation_data.empty()) validation_ = read_data(config_.validation_data, limits);
}

void Setup::load_teacher() {
  const int64_t vocab = model_->shape.vocab;
  if (!config_.teacher_model.empty()) {
    LoadedModel loaded = read_model(device_, config_.teacher_model, false);
    if (loaded.model->shape.vocab != vocab)
      throw Failure(code::teacher_mismatch, text("The teacher has %lld tokens and the student %lld. Both must use one tokenizer.",
                                                 static_cast<long long>(loaded.model->shape.vocab), static_cast<long long>(vocab)))
          .in_file(config_.teacher_model);
    teacher_ = model_teacher(*executor_, std::move(loaded.model), loaded.hash, config_.loss);
  }
  if (!config_.teacher_cache.empty()) {
    cache_ = std::make_unique<TeacherCache>(config_.teacher_cache, vocab);
    cache_->check_covers(data_.samples, config_.data);
    cache_->check_covers(replay_.samples, config_.replay_data);
    teacher_ = cache_teacher(*cache_, config_.loss, vocab);
  }
  if (config_.loss.mse > 0 && (teacher_->width() != model_->shape.width || config_.loss.projection)) make_projection();
}

void Setup::make_projection() {
  const int64_t width = model_->shape.width;
  projection_store_ = std::make_unique<TensorStore>(1);
  projection_ = projection_store_->add("distill.projection", GGML_TYPE_F32, width, teacher_->width());
  projection_store_->allocate(device_, "The projection");
  Random random(static_cast<uint64_t>(config_.seed), Purpose::projection);
  std::vector<float> values(static_cast<size_t>(ggml_nelements(projection_)));
  for (float & value : values) value = static_cast<float>(random.normal() / std::sqrt(static_cast<double>(width)));
  set_values(projection_, values);
}

/// The ranks are those of the checkpoint, of the adapter to go on from, of the budget, or of the configuration, in this order.
void Setup::attach() {
  const LoraConfig & lora = config_.lora;
  Ranks ranks = config_.resume ? checkpoint_ranks(config_.checkpoint) : Ranks();
  const Ranks initial = lora.init.empty() ? Ranks() : read_adapter_ranks(lora.init, *model_);
  if (ranks.empty()) ranks = initial;
  if (ranks.empty() && lora.budget.parameters > 0) ranks = probe_ranks();
  if (ranks.empty()) ranks = uniform_ranks(*model_, lora.targets, lora.rank);
  attach_adapters(device_, *model_, ranks, lora.alpha);
  initialise_adapters(*model_, static_cast<uint64_t>(config_.seed));
  if (ranks == initial) read_adapter(lora.init, *model_);
}

Ranks Setup::probe_ranks() {
  const RankBudget & budget = config_.lora.budget;
  Ranks probe = uniform_ranks(*model_, config_.lora.targets, budget.most);
  const auto each = [&](Ranks & ranks, const auto & visit) {
    for (const Layer & layer : model_->layers)
      for (const Projection * projection : projections_of(layer))
        if (const auto found = ranks.find(projection->name); found != ranks.end()) visit(*projection, found->second);
  };
  each(probe, [](const Projection & projection, int64_t & rank) { rank = std::min({rank, projection.inputs(), projection.outputs()}); });
  attach_adapters(device_, *model_, probe, config_.lora.alpha);
  initialise_adapters(*model_, static_cast<uint64_t>(config_.seed));
  // only the sums are wanted, of the plain cross-entropy: what the data asks of each projection
  Optimiser sums(device_, *executor_, config_.optimiser, adapter_weights(*model_));
  Evaluator evaluator(device_, *executor_, *model_, LossConfig(), nullptr, sums.accumulators());
  SampleStream stream = make_stream();
  for (int64_t i = 0; i < budget.probe_batches; i++)
    evaluator.loss_and_gradients(pack(stream.next(), config_.batch, config_.context), {}, 1.0);

  Ranks ranks = ranks_by_gradient(*model_, budget, [&](const ggml_tensor * weight) { return sums.accumulators().at(weight); });
  JsonFields listed;
  int64_t parameters = 0;
  each(ranks, [&](const Projection & projection, int64_t & rank) {
    listed.emplace_back(projection.name, rank);
    parameters += rank * (projection.inputs() + projection.outputs());
  });
  emit({{"type", "ranks"}, {"parameters", parameters}, {"ranks", listed}});
  return ranks;
}

SampleStream Setup::make_stream() const {
  return {data_.samples, replay_.samples, config_.order, config_.batch, config_.context, static_cast<uint64_t>(config_.seed)};
}

Targets Setup::targets_of(const Batch & batch) {
  Targets targets;
  if (teacher_) teacher_->answer(batch, targets);
  if (config_.loss.retention > 0) answer_from_base(*executor_, base_copy_ ? *base_copy_ : *model_, batch, config_.loss, targets);
  return targets;
}

uint64_t Setup::fingerprint(int64_t steps) const {
  Hash64 hash;
  const auto add = [&](auto value) { hash.add(&value, sizeof value); };
  const ScheduleConfig & schedule = config_.schedule;
  const OptimiserConfig & optimiser = config_.optimiser;
  const LossConfig & loss = config_.loss;
  const OrderConfig & order = config_.order;
  const LoraConfig & lora = config_.lora;
  for (const double value : {schedule.highest, schedule.lowest, schedule.period_factor, optimiser.beta1, optimiser.beta2, optimiser.epsilon,
                             optimiser.weight_decay, optimiser.clip, optimiser.gradient_scale, loss.ce, loss.kl, loss.mse, loss.entity,
                             loss.retention, loss.temperature, order.replay_share, lora.alpha, lora.stable_svd.truncate,
                             lora.stable_svd.condition_limit})
    add(value);
  for (const int64_t value : {schedule.warmup, schedule.periods, order.epochs, lora.rank, lora.budget.parameters, lora.budget.least, lora.budget.most,
                              lora.budget.probe_batches, lora.stable_svd.every, config_.batch, config_.context, config_.accumulate, steps,
                              config_.seed})
    add(value);
  for (const bool value : {order.progressive, order.basic_first, loss.projection, lora.on}) add(value);
  for (const std::string & value : {loss.retention_form, loss.retention_rows}) hash.add(value.data(), value.size() + 1);
  for (const std::string & target : lora.targets) hash.add(target.data(), target.size() + 1);
  for (const uint64_t value : {data_.hash, replay_.hash, base_hash_, teacher_ ? teacher_->hash() : 0}) add(value);
  return hash.value();
}

double Setup::ignorance() const {
  const LossConfig & loss = config_.loss;
  return (loss.ce + loss.kl * loss.temperature * loss.temperature) * std::log(static_cast<double>(model_->shape.vocab));
}

}  // namespace trainer
