// Owns one evaluation of the loss on a batch, with or without its gradients.
#pragma once

#include "autodiff.h"
#include "graph.h"
#include "loss.h"

namespace trainer {

class Evaluator {
 public:
  /// `projection` is the learned map to the teacher's width, or null. `accumulators` may be empty when no gradients are asked for.
  Evaluator(const Device & device, Executor & executor, const Model & student, const LossConfig & loss, ggml_tensor * projection,
            const Accumulators & accumulators)
      : device_(device), executor_(executor), student_(student), loss_(loss), projection_(projection), accumulators_(accumulators) {}

  LossValues loss(const Batch & batch, const Targets & targets);
  /// Adds `seed` times the gradients to their sums.
  LossValues loss_and_gradients(const Batch & batch, const Targets & targets, double seed);
  /// Bytes that `loss_and_gradients` needs beside the weights.
  uint64_t measure(const Batch & batch, const Targets & targets);

 private:
  const Device & device_;
  Executor & executor_;
  const Model & student_;
  LossConfig loss_;
  ggml_tensor * projection_;
  const Accumulators & accumulators_;

  struct Built;
  Built build(const Batch & batch, const Targets & targets, bool with_gradients, float seed) const;
};

/// Mean cross-entropy and the share of tokens that the model puts first, over the scored rows of a whole data set.
struct Validation {
  double loss = 0, accuracy = 0;
  int64_t rows = 0;
};
Validation validate(Executor & executor, const Model & model, const std::vector<Sample> & samples, int64_t rows, int64_t length);

}  // namespace trainer
