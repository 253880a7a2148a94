// Owns AdamW as ggml graphs, and the cosine schedule.
#include "optimiser.h"

#include <algorithm>
#include <cmath>

namespace trainer {

double learning_rate(const ScheduleConfig & config, int64_t step, int64_t steps) {
  if (step < config.warmup) return config.highest * static_cast<double>(step + 1) / static_cast<double>(config.warmup);
  const auto left = static_cast<double>(std::max<int64_t>(1, steps - config.warmup));
  double parts = 0;
  for (int64_t i = 0; i < config.periods; i++) parts += std::pow(config.period_factor, static_cast<double>(i));
  double length = left / parts, since = static_cast<double>(step - config.warmup);
  for (int64_t period = 1; period < config.periods && since >= length; period++) {
    since -= length;
    length *= config.period_factor;
  }
  return config.lowest + 0.5 * (config.highest - config.lowest) * (1 + std::cos(3.141592653589793 * std::min(1.0, since / length)));
}

Optimiser::Optimiser(const Device & device, Executor & executor, const OptimiserConfig & config, const std::vector<Trainable> & trainables)
    : executor_(executor),
      config_(config),
      moments_(2 * trainables.size()),
      gradients_(trainables.size()),
      settings_(3),
      scale_(config.gradient_scale) {
  for (const auto & [name, weight] : trainables) {
    ggml_set_param(weight);
    parameters_.push_back({name, weight, gradients_.add_like(weight), moments_.add_like(weight), moments_.add_like(weight)});
    accumulators_[weight] = parameters_.back().gradient;
  }
  decayed_ = settings_.add("adamw", GGML_TYPE_F32, 7);
  plain_ = settings_.add("adamw_without_decay", GGML_TYPE_F32, 7);
  factor_ = settings_.add("gradient_factor", GGML_TYPE_F32, 1);
  moments_.allocate(device, "The optimiser");
  gradients_.allocate(device, "The gradients");
  settings_.allocate(device, "The optimiser");
}

int64_t Optimiser::parameter_count() const {
  int64_t count = 0;
  for (const Parameter & parameter : parameters_) count += ggml_nelements(parameter.weight);
  return count;
}

double Optimiser::gradient_norm() {
  const size_t nodes = 4 * parameters_.size() + 16;
  Context context = make_context(nodes, nodes);
  ggml_tensor * total = nullptr;
  for (const Parameter & parameter : parameters_) {
    ggml_tensor * sum = ggml_sum(context.get(), ggml_sqr(context.get(), parameter.gradient));
    total = total ? ggml_add(context.get(), total, sum) : sum;
  }
  ggml_set_output(total);
  ggml_cgraph * graph = ggml_new_graph_custom(context.get(), nodes, false);
  ggml_build_forward_expand(graph, total);
  executor_.run(graph, {});
  return std::sqrt(static_cast<double>(scalar_of(total))) / scale_;
}

void Optimiser::update(double rate, double norm) {
  updates_++;
  const auto corrected = [&](double beta) { return static_cast<float>(1 / (1 - std::pow(beta, static_cast<double>(updates_)))); };
  std::vector<float> settings = {static_cast<float>(rate),
                                 static_cast<float>(config_.beta1),
                                 static_cast<float>(config_.beta2),
                                 static_cast<float>(config_.epsilon),
                                 static_cast<float>(config_.weight_decay),
                                 corrected(config_.beta1),
                                 corrected(config_.beta2)};
  set_values(decayed_, settings);
  settings[4] = 0;
  set_values(plain_, settings);
  const double clipped = config_.clip > 0 && norm > config_.clip ? config_.clip / norm : 1;
  set_values(factor_, {static_cast<float>(clipped / scale_)});

  const size_t nodes = 3 * parameters_.size() + 16;
  Context context = make_context(nodes, nodes);
  ggml_cgraph * graph = ggml_new_graph_custom(context.get(), nodes, false);
  for (const Parameter & parameter : parameters_) {
    ggml_tensor * gradient = ggml_mul(context.get(), parameter.gradient, factor_);
    ggml_build_forward_expand(graph, ggml_opt_step_adamw(context.get(), parameter.weight, gradient, parameter.first_moment,
                                                         parameter.second_moment, parameter.weight->ne[1] > 1 ? decayed_ : plain_));
  }
  executor_.run(graph, {});
  clear_gradients();
}

bool Optimiser::lower_scale() {
  if (scale_ <= 1) return false;
  scale_ /= 2;
  clear_gradients();
  return true;
}

void Optimiser::restore(int64_t updates, double scale) {
  updates_ = updates;
  scale_ = scale;
}

void Optimiser::forget_moments(const ggml_tensor * weight) {
  for (const Parameter & parameter : parameters_)
    if (parameter.weight == weight)
      for (ggml_tensor * moment : {parameter.first_moment, parameter.second_moment}) ggml_backend_tensor_memset(moment, 0, 0, ggml_nbytes(moment));
}

}  // namespace trainer
