// Owns the order of a training run: what a step is, when something is written or said, when the run ends.
#include "train.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "checkpoint.h"
#include "events.h"
#include "setup.h"

namespace trainer {

namespace {

std::atomic<bool> stop_requested{false};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Sums over the batches since the last progress event.
struct Tally {
  LossValues sum;
  int64_t batches = 0, tokens = 0;
  double since = now();

  void add(const LossValues & values, int64_t token_count) {
    sum.total += values.total;
    sum.ce += values.ce;
    sum.kl += values.kl;
    sum.mse += values.mse;
    sum.entity += values.entity;
    sum.retention += values.retention;
    batches++;
    tokens += token_count;
  }
};

class Run {
 public:
  explicit Run(const TrainConfig & config)
      : config_(config),
        setup_(config),
        optimiser_(setup_.optimiser()),
        monitor_(config.divergence, setup_.ignorance(), progress_.losses, progress_.alarm) {}

  Outcome go() {
    plan();
    resume();
    say_start();
    tally_ = Tally();
    while (progress_.step < steps_) {
      step();
      if (after_step() == Outcome::stopped) return Outcome::stopped;
    }
    write_results();
    return Outcome::done;
  }

 private:
  const TrainConfig & config_;
  Setup setup_;
  Optimiser & optimiser_;
  Progress progress_;
  Monitor monitor_;
  Tally tally_;
  std::unique_ptr<SampleStream> stream_;
  int64_t steps_ = 0, resumed_from_ = 0;
  int64_t saved_step_ = -1;  // of the last checkpoint; -1: none
  uint64_t memory_ = 0;
  double started_ = now(), loss_ = 0, rate_ = 0, norm_ = 0;

  /// The number of steps, by drawing all selections once, and whether the largest batch fits into memory: better now than in an hour.
  void plan() {
    SampleStream stream = setup_.make_stream();
    Selection largest;
    int64_t most = 0, batches = 0;
    while (config_.steps > 0 ? batches < config_.steps * config_.accumulate : stream.epoch() < config_.epochs) {
      Selection selection = stream.next();
      batches++;
      int64_t scored = 0;
      for (const Placed & placed : selection) scored += placed.sample->scored_rows();
      if (scored <= most) continue;
      most = scored;
      largest = std::move(selection);
    }
    steps_ = config_.steps > 0 ? config_.steps : (batches + config_.accumulate - 1) / config_.accumulate;
    refuse_hopeless(largest);
    const Batch batch = pack(largest, config_.batch, config_.context);
    memory_ = setup_.evaluator().measure(batch, setup_.targets_of(batch));
    if (memory_ > setup_.device().free_bytes()) fail_for_memory("One batch", memory_, setup_.device().free_bytes());
    stream_ = std::make_unique<SampleStream>(setup_.make_stream());
  }

  /// The weights of attention alone, kept for the gradient, may be too much; then the batch's mask is not even made.
  void refuse_hopeless(const Selection & selection) const {
    int64_t rows = 0, length = 0;
    for (const Placed & placed : selection) {
      rows = std::max<int64_t>(rows, placed.row + 1);
      length = std::max<int64_t>(length, placed.offset + placed.sample->length());
    }
    const Shape & shape = setup_.model().shape;
    const auto least = static_cast<uint64_t>(shape.layers * shape.heads + 1) * static_cast<uint64_t>(rows * length * length) * sizeof(float);
    if (least > setup_.device().free_bytes()) fail_for_memory("One batch", least, setup_.device().free_bytes());
  }

  void resume() {
    progress_.scale = optimiser_.scale();
    if (!config_.resume || !load_checkpoint(config_.checkpoint, setup_.fingerprint(steps_), progress_, optimiser_.parameters())) return;
    optimiser_.restore(progress_.updates, progress_.scale);
    resumed_from_ = saved_step_ = progress_.step;
    for (int64_t i = 0; i < progress_.step * config_.accumulate; i++) stream_->next();
  }

  void say_start() {
    emit({{"type", "start"},
          {"verb", "train"},
          {"device", setup_.device().name()},
          {"threads", config_.device.threads},
          {"parameters", setup_.model().parameter_count()},
          {"trainable", optimiser_.parameter_count()},
          {"samples", setup_.data().samples.size()},
          {"tokens", setup_.data().tokens},
          {"steps", steps_},
          {"memoryBytes", memory_},
          {"resumedFrom", resumed_from_}});
  }

  void step() {
    const int64_t number = progress_.step + 1;
    const double began = now();
    rate_ = learning_rate(config_.schedule, progress_.step, steps_);
    loss_ = 0;
    const auto share = 1 / static_cast<double>(config_.accumulate);
    for (int64_t i = 0; i < config_.accumulate; i++) {
      const Batch batch = pack(stream_->next(), config_.batch, config_.context);
      const LossValues values = setup_.evaluator().loss_and_gradients(batch, setup_.targets_of(batch), optimiser_.scale() * share);
      loss_ += values.total * share;
      tally_.add(values, batch.real_tokens);
    }
    // judged before the weights change, so that what is saved never comes from a gradient that is no number
    if (const std::string problem = monitor_.judge(loss_); !problem.empty()) fail_diverged(number, problem);
    norm_ = optimiser_.gradient_norm();
    if (std::isfinite(norm_)) {
      optimiser_.update(rate_, norm_);
    } else if (optimiser_.lower_scale()) {
      emit({{"type", "skipped"}, {"step", number}, {"gradientScale", optimiser_.scale()}});
    } else {
      fail_diverged(number, "a gradient is no number");
    }
    progress_.step = number;
    progress_.updates = optimiser_.updates();
    progress_.scale = optimiser_.scale();
    if (const int64_t every = config_.lora.stable_svd.every; every > 0 && number % every == 0) stabilise_adapters();
    progress_.seconds += now() - began;
  }

  [[noreturn]] void fail_diverged(int64_t number, const std::string & problem) const {
    std::string sentence = text("Training diverged at step %lld: %s. Lower schedule.lrMax", static_cast<long long>(number), problem.c_str());
    sentence += saved_step_ >= 0 ? text("; the checkpoint of step %lld is whole.", static_cast<long long>(saved_step_)) : ".";
    throw Failure(code::diverged, sentence).at_step(number);
  }

  void stabilise_adapters() {
    StableSvdReport worst;
    for (const Layer & layer : setup_.model().layers)
      for (const Projection * projection : projections_of(layer)) {
        if (!projection->lora_a) continue;
        const StableSvdReport report = stabilise(*projection, config_.lora.stable_svd);
        worst.condition = std::max(worst.condition, report.condition);
        worst.lambda = std::max(worst.lambda, report.lambda);
        worst.change = std::max(worst.change, report.change);
        worst.truncated += report.truncated;
        optimiser_.forget_moments(projection->lora_a);
        optimiser_.forget_moments(projection->lora_b);
      }
    emit({{"type", "svd"},
          {"step", progress_.step},
          {"condition", worst.condition},
          {"lambda", worst.lambda},
          {"change", worst.change},
          {"truncated", worst.truncated}});
  }

  Outcome after_step() {
    const int64_t step = progress_.step;
    const bool last = step == steps_;
    if (last || step % config_.log_every == 0) say_progress();
    const std::vector<Sample> & held_out = setup_.validation().samples;
    if (!held_out.empty() && (last || step % config_.validation_every == 0)) {
      const Validation result = validate(setup_.executor(), setup_.model(), held_out, config_.batch, config_.context);
      emit({{"type", "validation"}, {"step", step}, {"loss", result.loss}, {"accuracy", result.accuracy}, {"rows", result.rows}});
    }
    const bool by_signal = stop_requested, by_time = config_.max_minutes > 0 && now() - started_ > config_.max_minutes * 60;
    const bool stopping = !last && (by_signal || by_time);
    if (last || stopping || step % config_.checkpoint_every == 0) save();
    if (!stopping) return Outcome::done;
    emit({{"type", "stopped"}, {"step", step}, {"reason", by_signal ? "signal" : "time"}, {"checkpoint", saved_step_}});
    return Outcome::stopped;
  }

  void save() {
    if (config_.checkpoint.empty() || monitor_.alarmed()) return;
    try {
      save_checkpoint(config_.checkpoint, setup_.fingerprint(steps_), progress_, optimiser_.parameters());
    } catch (Failure & failure) {
      throw failure.at_step(progress_.step);
    }
    saved_step_ = progress_.step;
    emit({{"type", "checkpoint"}, {"step", progress_.step}, {"path", config_.checkpoint}});
  }

  void say_progress() {
    const auto mean = [&](double sum) { return sum / static_cast<double>(tally_.batches); };
    JsonFields event = {
        {"type", "progress"}, {"step", progress_.step}, {"steps", steps_}, {"epoch", stream_->epoch()}, {"loss", mean(tally_.sum.total)}};
    const LossConfig & loss = config_.loss;
    if (loss.ce > 0) event.emplace_back("ce", mean(tally_.sum.ce));
    if (loss.kl > 0) event.emplace_back("kl", mean(tally_.sum.kl));
    if (loss.mse > 0) event.emplace_back("mse", mean(tally_.sum.mse));
    if (loss.entity > 0) event.emplace_back("entity", mean(tally_.sum.entity));
    if (loss.retention > 0) event.emplace_back("retention", mean(tally_.sum.retention));
    event.emplace_back("learningRate", rate_);
    event.emplace_back("gradientNorm", norm_);
    event.emplace_back("tokensPerSecond", static_cast<double>(tally_.tokens) / std::max(now() - tally_.since, 1e-9));
    event.emplace_back("secondsLeft", progress_.seconds / static_cast<double>(progress_.step) * static_cast<double>(steps_ - progress_.step));
    emit(event);
    tally_ = Tally();
  }

  void write_results() {
    std::vector<Json> files;
    if (!config_.out_adapter.empty()) {
      write_adapter(config_.out_adapter, setup_.model(), config_.lora.alpha, setup_.keys());
      files.push_back(config_.out_adapter);
    }
    if (!config_.out_model.empty()) {
      write_model(config_.out_model, setup_.model(), setup_.keys(), config_.out_type == "f16");
      files.push_back(config_.out_model);
    }
    emit({{"type", "done"}, {"step", progress_.step}, {"loss", loss_}, {"seconds", progress_.seconds}, {"files", files}});
  }
};

}  // namespace

Outcome train(const TrainConfig & config) { return Run(config).go(); }

void request_stop() { stop_requested = true; }

}  // namespace trainer
