// Owns the step: gradient sums, their norm and clipping, AdamW, the gradient scale, and the learning rate of equation 5.
#pragma once

#include <vector>

#include "autodiff.h"
#include "device.h"
#include "model.h"

namespace trainer {

struct OptimiserConfig {
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8;
  double weight_decay = 0.05;  // of matrices; vectors are not decayed
  double clip = 1;             // greatest norm of all gradients together; 0: no limit
  double gradient_scale = 1;   // factor on the loss while gradients are computed; see Optimiser::lower_scale
};

struct ScheduleConfig {
  double highest = 1e-3, lowest = 5e-5;
  int64_t warmup = 0;       // steps from 0 to `highest`
  int64_t periods = 1;      // cosine periods; each but the first begins with a restart
  double period_factor = 1;  // length of a period over that of the one before
};

/// η_t = η_min + ½(η_max − η_min)(1 + cos(π·t/(T·R))), equation 5: t steps since the last restart, T·R the length of the period; restarts as in SGDR
/// (Loshchilov and Hutter 2017). `step` counts from 0 and is below `steps`; the periods share the steps after the warm-up.
double learning_rate(const ScheduleConfig & config, int64_t step, int64_t steps);

/// A trainable tensor with its gradient sum and its moments, all F32 and of one shape.
struct Parameter {
  std::string name;
  ggml_tensor *weight, *gradient, *first_moment, *second_moment;
};

class Optimiser {
 public:
  /// Marks the tensors as trainable. Throws OUT_OF_MEMORY.
  Optimiser(const Device & device, Executor & executor, const OptimiserConfig & config, const std::vector<Trainable> & trainables);

  const std::vector<Parameter> & parameters() const { return parameters_; }
  const Accumulators & accumulators() const { return accumulators_; }
  int64_t parameter_count() const;

  /// The norm of all gradient sums together, without the scale. Not finite when one of them is not.
  double gradient_norm();
  /// AdamW (Loshchilov and Hutter 2019) with gradients clipped to `clip`, then the sums are cleared. `norm` is what `gradient_norm` gave.
  void update(double rate, double norm);
  void clear_gradients() { gradients_.clear(); }

  /// Small gradients vanish on backends that multiply in F16; a scale lifts them and is divided out before the step. Where it makes them overflow,
  /// it is halved and the step left out. False when it is 1 already: then the gradients themselves are at fault.
  bool lower_scale();
  double scale() const { return scale_; }
  int64_t updates() const { return updates_; }
  void restore(int64_t updates, double scale);
  /// After a weight was replaced by another of the same product, its moments speak of directions that are no longer there.
  void forget_moments(const ggml_tensor * weight);

 private:
  Executor & executor_;
  OptimiserConfig config_;
  TensorStore moments_, gradients_, settings_;
  std::vector<Parameter> parameters_;
  Accumulators accumulators_;
  ggml_tensor *decayed_, *plain_, *factor_;
  double scale_;
  int64_t updates_ = 0;
};

}  // namespace trainer
