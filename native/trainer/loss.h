// Owns the training loss, equation 6: cross-entropy, divergence from a teacher, distance of hidden states, entity error, and retention of the base.
//
//   L = ce·CE(y, P) + kl·T²·KL(P_T ‖ P) + mse·|W·h − h_T|²/width + entity·Σ w·|P(e) − P_T(e)| + retention·R
// All terms are means over the scored positions R of a batch (retention: over those that it covers), so λ do not depend on the batch's size.
//   CE         of the next token y
//   KL         both distributions softened by the temperature T; T² keeps its gradient's size (Hinton, Vinyals and Dean 2015)
//   MSE        of the hidden states after the last norm; W is learned, and needed when teacher and student differ in width
//   entity     e runs over the tokens of key entities that are to be predicted, with weights w of the data; P_T is 1 without a teacher
//   retention  R is the MSE to the frozen base's hidden states, or KL(P_base ‖ P)
#pragma once

#include <vector>

#include "batching.h"
#include "device.h"
#include "graph.h"

namespace trainer {

struct LossConfig {
  double ce = 1, kl = 0, mse = 0, entity = 0, retention = 0;
  double temperature = 1;
  bool projection = false;        // learn W also when the widths are equal
  std::string retention_form = "hidden";  // or "kl"
  std::string retention_rows = "all";     // or "replay": only positions of replayed samples

  bool needs_teacher() const { return kl > 0 || mse > 0; }
};

/// What the loss compares with, in host memory.
struct Targets {
  std::vector<float> teacher;         // [scored][vocab], softened, each row summing to 1; for kl
  std::vector<float> teacher_entity;  // [scored]: the teacher's probability of the target at T = 1; empty without a teacher
  std::vector<float> teacher_hidden;  // [scored][teacher width]; for mse
  std::vector<float> base;            // [covered][width] or [covered][vocab]; for retention
};

/// Which scored positions the retention term covers.
std::vector<int32_t> retention_rows(const LossConfig & config, const Batch & batch);

struct LossValues {
  double total = 0, ce = 0, kl = 0, mse = 0, entity = 0, retention = 0;
};

/// The terms as nodes of a graph; null where the batch or the configuration has none.
class Loss {
 public:
  /// `projection` is W, [width, teacher width], or null. `batch` and `targets` must live until the graph has run.
  Loss(ggml_context * context, Feed & feed, const Forward & forward, const Batch & batch, const Targets & targets, const LossConfig & config,
       ggml_tensor * projection);
  ggml_tensor * total() const { return total_; }
  /// After the graph has run.
  LossValues read() const;

 private:
  ggml_context * context_;
  Feed & feed_;
  const LossConfig & config_;
  int64_t scored_;
  ggml_tensor *total_ = nullptr, *ce_ = nullptr, *kl_ = nullptr, *mse_ = nullptr, *entity_ = nullptr, *retention_ = nullptr;
  // cross-entropy with a distribution less its entropy is the divergence; the entropy has no gradient, so it is subtracted on the host
  double teacher_entropy_ = 0, base_entropy_ = 0;

  void add(ggml_tensor * term, double weight);
  ggml_tensor * input(int64_t columns, int64_t rows);
  ggml_tensor * rows_of(ggml_tensor * matrix, const std::vector<int32_t> & rows);
  ggml_tensor * mean_squares(ggml_tensor * difference);
  ggml_tensor * entity_error(ggml_tensor * logits, const Batch & batch, const Targets & targets);
};

/// The `temperature`-softened distribution of a row of logits, in place.
void soften(float * row, int64_t count, double temperature);

}  // namespace trainer
