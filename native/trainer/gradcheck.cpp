// Owns the models, batch and terms that are checked.
#include "gradcheck.h"

#include <algorithm>
#include <cmath>

#include "evaluator.h"
#include "events.h"
#include "lora.h"
#include "random.h"
#include "teacher.h"

namespace trainer {

namespace {

struct Term {
  const char * name;
  LossConfig loss;
};

std::vector<Term> terms() {
  const auto with = [](const char * name, auto change) {
    Term term{name, {}};
    term.loss.ce = 0;
    change(term.loss);
    return term;
  };
  return {with("ce", [](LossConfig & loss) { loss.ce = 1; }),
          with("kl", [](LossConfig & loss) { loss.kl = 1; }),
          with("kl at T = 2", [](LossConfig & loss) { loss.kl = 1, loss.temperature = 2; }),
          with("mse, projected", [](LossConfig & loss) { loss.mse = 1; }),
          with("entity", [](LossConfig & loss) { loss.entity = 1; }),
          with("retention of hidden states", [](LossConfig & loss) { loss.retention = 1, loss.retention_rows = "replay"; }),
          with("retention by kl", [](LossConfig & loss) { loss.retention = 1, loss.retention_form = "kl"; }),
          with("all", [](LossConfig & loss) { loss.ce = 0.5, loss.kl = 0.3, loss.mse = 0.1, loss.entity = 0.5, loss.retention = 0.1; })};
}

/// Two samples a row, with entities in both and one of them replayed.
std::vector<Sample> random_samples(const CheckConfig & config, Random & random) {
  std::vector<Sample> samples;
  const auto vocab = static_cast<uint64_t>(config.arch.vocab);
  for (int64_t i = 0; i < 2 * config.rows; i++) {
    Sample sample;
    for (int64_t j = 0; j < config.length / 2; j++) sample.tokens.push_back(static_cast<int32_t>(random.below(vocab)));
    sample.entities = {{1, 1.5f}, {sample.length() - 1, 1.0f}};
    sample.replayed = i % 2 == 1;
    samples.push_back(sample);
  }
  return samples;
}

/// No weight small, no bias 0, no norm 1: what has no effect has no gradient to check.
std::unique_ptr<Model> sharp_model(const Device & device, const Shape & shape, uint64_t seed) {
  auto model = random_model(device, shape, seed);
  Random random(seed, Purpose::check_weights);
  for (const auto & [name, tensor] : model->all_weights()) {
    std::vector<float> values = values_of(tensor);
    for (float & value : values) value = tensor->ne[1] > 1 ? 10 * value : value + static_cast<float>(0.1 * random.normal());
    set_values(tensor, values);
  }
  return model;
}

void randomise_b(const Model & model, Random & random) {
  for (const auto & [name, tensor] : adapter_weights(model)) {
    if (name.find(".lora_b") == std::string::npos) continue;
    std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)));
    for (float & value : values) value = static_cast<float>(0.1 * random.normal());
    set_values(tensor, values);
  }
}

struct Result {
  double error = 0, worst = 0;
  int64_t tensors = 0;
};

class Check {
 public:
  Check(const CheckConfig & config, bool adapters) : config_(config), adapters_(adapters), device_(config.device), executor_(device_) {
    const auto seed = static_cast<uint64_t>(config.seed);
    Random random(seed, Purpose::check_data);
    student_ = sharp_model(device_, config.arch, seed);
    base_ = sharp_model(device_, config.arch, seed + 1);
    if (adapters) {
      attach_adapters(device_, *student_, uniform_ranks(*student_, LoraConfig().targets, config.rank), 2.0 * static_cast<double>(config.rank));
      initialise_adapters(*student_, seed);
      randomise_b(*student_, random);
    }
    samples_ = random_samples(config, random);
    const std::vector<Sample> none;
    SampleStream stream(samples_, none, {}, config.rows, config.length, seed);
    batch_ = pack(stream.next(), config.rows, config.length);
    // of another width, so that the projection is needed
    teacher_shape_ = config.arch;
    teacher_shape_.width *= 2;
    teacher_shape_.layers = 1;
    projection_store_.add("distill.projection", GGML_TYPE_F32, config.arch.width, teacher_shape_.width);
    projection_store_.allocate(device_, "The projection");
    std::vector<float> values(static_cast<size_t>(config.arch.width * teacher_shape_.width));
    for (float & value : values) value = static_cast<float>(random.normal() / std::sqrt(static_cast<double>(config.arch.width)));
    set_values(projection_store_.first(), values);
  }

  Result run(const LossConfig & loss) {
    Targets targets;
    auto teacher = model_teacher(executor_, sharp_model(device_, teacher_shape_, static_cast<uint64_t>(config_.seed) + 2), 0, loss);
    teacher->answer(batch_, targets);
    answer_from_base(executor_, adapters_ ? *student_ : *base_, batch_, loss, targets);

    ggml_tensor * projection = loss.mse > 0 ? projection_store_.first() : nullptr;
    std::vector<Trainable> trainables = adapters_ ? adapter_weights(*student_) : student_->all_weights();
    if (projection) trainables.push_back({"distill.projection", projection});
    Optimiser sums(device_, executor_, OptimiserConfig(), trainables);
    Evaluator evaluator(device_, executor_, *student_, loss, projection, sums.accumulators());
    const double at_rest = std::fabs(evaluator.loss_and_gradients(batch_, targets, 1.0).total);
    const auto moved_loss = [&] { return evaluator.loss(batch_, targets).total; };

    Result result;
    double difference = 0, size = 0;
    Random random(static_cast<uint64_t>(config_.seed), Purpose::check_direction);
    for (const auto & [name, tensor] : trainables) {
      const auto [predicted, measured] = slopes(tensor, sums.accumulators().at(tensor), at_rest, moved_loss, random);
      if (predicted == 0) continue;  // a term that does not depend on this tensor
      difference += (predicted - measured) * (predicted - measured);
      size += measured * measured;
      result.worst = std::max(result.worst, std::fabs(predicted - measured) / std::max(std::fabs(predicted), std::fabs(measured)));
      result.tensors++;
    }
    result.error = std::sqrt(difference / size);
    return result;
  }

 private:
  const CheckConfig & config_;
  bool adapters_;
  Device device_;
  Executor executor_;
  std::unique_ptr<Model> student_, base_;
  Shape teacher_shape_;
  TensorStore projection_store_{1};
  std::vector<Sample> samples_;
  Batch batch_;

  template <typename LossAt>
  std::pair<double, double> slopes(ggml_tensor * tensor, const ggml_tensor * sum, double at_rest, const LossAt & loss_at, Random & random) const {
    const std::vector<float> rest = values_of(tensor), gradient = values_of(sum);
    std::vector<float> direction(rest.size(), 0.0f);
    double predicted = 0;
    for (size_t i = 0; i < rest.size(); i++) {
      if (random.below(4) != 0) continue;
      direction[i] = gradient[i] < 0 ? -1.0f : 1.0f;
      predicted += std::fabs(static_cast<double>(gradient[i]));
    }
    if (predicted == 0) return {0, 0};
    const double distance = config_.step * at_rest / predicted;
    double sides[2];
    for (const int side : {0, 1}) {
      std::vector<float> moved = rest;
      for (size_t i = 0; i < rest.size(); i++) moved[i] += static_cast<float>(side == 0 ? distance : -distance) * direction[i];
      set_values(tensor, moved);
      sides[side] = loss_at();
    }
    set_values(tensor, rest);
    return {predicted, (sides[0] - sides[1]) / (2 * distance)};
  }
};

}  // namespace

bool check_gradients(const CheckConfig & config) {
  bool all_right = true;
  for (const bool adapters : {true, false}) {
    Check check(config, adapters);
    for (const auto & [name, loss] : terms()) {
      const Result result = check.run(loss);
      const bool right = result.worst <= config.tolerance && result.tensors > 0;
      all_right = all_right && right;
      emit({{"type", "gradcheck"},
            {"mode", adapters ? "lora" : "full"},
            {"term", name},
            {"error", result.error},
            {"worst", result.worst},
            {"tensors", result.tensors},
            {"step", config.step},
            {"ok", right}});
    }
  }
  return all_right;
}

}  // namespace trainer
