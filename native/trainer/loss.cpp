// Owns the terms of the loss as graph nodes.
#include "loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace trainer {

namespace {

double mean_entropy(const std::vector<float> & rows, int64_t columns) {
  double sum = 0;
  for (const float p : rows)
    if (p > 0) sum -= static_cast<double>(p) * std::log(static_cast<double>(p));
  return sum * static_cast<double>(columns) / static_cast<double>(rows.size());
}

}  // namespace

std::vector<int32_t> retention_rows(const LossConfig & config, const Batch & batch) {
  if (config.retention <= 0) return {};
  if (config.retention_rows == "replay") return batch.retained;
  std::vector<int32_t> all(batch.scored.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void soften(float * row, int64_t count, double temperature) {
  const float highest = *std::max_element(row, row + count);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += row[i] = std::exp((row[i] - highest) / static_cast<float>(temperature));
  for (int64_t i = 0; i < count; i++) row[i] = static_cast<float>(row[i] / sum);
}

Loss::Loss(ggml_context * context, Feed & feed, const Forward & forward, const Batch & batch, const Targets & targets, const LossConfig & config,
           ggml_tensor * projection)
    : context_(context), feed_(feed), config_(config), scored_(batch.scored_count()) {
  const int64_t vocab = forward.logits->ne[0], width = forward.hidden->ne[0];
  if (config.ce > 0) {
    std::vector<float> labels(static_cast<size_t>(vocab * scored_), 0.0f);
    for (int64_t i = 0; i < scored_; i++) labels[static_cast<size_t>(i * vocab + batch.targets[static_cast<size_t>(i)])] = 1;
    ggml_tensor * label = input(vocab, scored_);
    feed.keep(label, std::move(labels));
    add(ce_ = ggml_cross_entropy_loss(context, forward.logits, label), config.ce);
  }
  if (config.kl > 0) {
    ggml_tensor * label = input(vocab, scored_);
    feed.lend(label, targets.teacher.data());
    teacher_entropy_ = mean_entropy(targets.teacher, vocab);
    ggml_tensor * softened =
        config.temperature == 1 ? forward.logits : ggml_scale(context, forward.logits, static_cast<float>(1 / config.temperature));
    add(kl_ = ggml_cross_entropy_loss(context, softened, label), config.kl * config.temperature * config.temperature);
  }
  if (config.mse > 0) {
    ggml_tensor * mapped = projection ? ggml_mul_mat(context, projection, forward.hidden) : forward.hidden;
    ggml_tensor * wanted = input(mapped->ne[0], scored_);
    feed.lend(wanted, targets.teacher_hidden.data());
    add(mse_ = mean_squares(ggml_sub(context, mapped, wanted)), config.mse);
  }
  if (config.entity > 0 && (entity_ = entity_error(forward.logits, batch, targets))) add(entity_, config.entity);
  if (const std::vector<int32_t> rows = retention_rows(config, batch); !rows.empty()) {
    const bool divergence = config.retention_form == "kl";
    ggml_tensor * own = divergence ? forward.logits : forward.hidden;
    if (static_cast<int64_t>(rows.size()) < scored_) own = rows_of(own, rows);
    ggml_tensor * wanted = input(divergence ? vocab : width, static_cast<int64_t>(rows.size()));
    feed.lend(wanted, targets.base.data());
    if (divergence) base_entropy_ = mean_entropy(targets.base, vocab);
    retention_ = divergence ? ggml_cross_entropy_loss(context, own, wanted) : mean_squares(ggml_sub(context, own, wanted));
    add(retention_, config.retention);
  }
  // a batch to which no term applies (entities alone, and none in it) still has a loss, of 0
  if (!total_) total_ = ggml_scale(context, ggml_sum(context, forward.logits), 0);
}

void Loss::add(ggml_tensor * term, double weight) {
  ggml_set_output(term);
  ggml_tensor * weighted = ggml_scale(context_, term, static_cast<float>(weight));
  total_ = total_ ? ggml_add(context_, total_, weighted) : weighted;
}

ggml_tensor * Loss::input(int64_t columns, int64_t rows) {
  ggml_tensor * tensor = ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows);
  ggml_set_input(tensor);
  return tensor;
}

ggml_tensor * Loss::rows_of(ggml_tensor * matrix, const std::vector<int32_t> & rows) {
  ggml_tensor * index = ggml_new_tensor_1d(context_, GGML_TYPE_I32, static_cast<int64_t>(rows.size()));
  ggml_set_input(index);
  feed_.keep(index, rows);
  return ggml_get_rows(context_, matrix, index);
}

ggml_tensor * Loss::mean_squares(ggml_tensor * difference) {
  return ggml_scale(context_, ggml_sum(context_, ggml_sqr(context_, difference)), 1 / static_cast<float>(ggml_nelements(difference)));
}

/// (1/R)·Σ w·|P(e) − P_T(e)|; null when the batch has no entity.
ggml_tensor * Loss::entity_error(ggml_tensor * logits, const Batch & batch, const Targets & targets) {
  const int64_t vocab = logits->ne[0];
  std::vector<int32_t> rows;
  for (size_t i = 0; i < batch.entity.size(); i++)
    if (batch.entity[i] > 0) rows.push_back(static_cast<int32_t>(i));
  if (rows.empty()) return nullptr;

  const auto count = static_cast<int64_t>(rows.size());
  std::vector<float> chosen(static_cast<size_t>(vocab * count), 0.0f), wanted, weights;
  for (size_t i = 0; i < rows.size(); i++) {
    const auto row = static_cast<size_t>(rows[i]);
    chosen[i * static_cast<size_t>(vocab) + static_cast<size_t>(batch.targets[row])] = 1;
    wanted.push_back(targets.teacher_entity.empty() ? 1.0f : targets.teacher_entity[row]);
    weights.push_back(batch.entity[row]);
  }
  ggml_tensor *choice = input(vocab, count), *want = input(1, count), *weight = input(1, count);
  feed_.keep(choice, std::move(chosen));
  feed_.keep(want, std::move(wanted));
  feed_.keep(weight, std::move(weights));
  ggml_tensor * probabilities = safe_soft_max(context_, rows_of(logits, rows), nullptr, 1);
  ggml_tensor * own = ggml_sum_rows(context_, ggml_mul(context_, probabilities, choice));
  ggml_tensor * errors = ggml_mul(context_, ggml_abs(context_, ggml_sub(context_, own, want)), weight);
  return ggml_scale(context_, ggml_sum(context_, errors), 1 / static_cast<float>(scored_));
}

LossValues Loss::read() const {
  const auto value = [](const ggml_tensor * term) { return term ? static_cast<double>(scalar_of(term)) : 0.0; };
  LossValues values;
  values.ce = value(ce_);
  values.kl = kl_ ? value(kl_) - teacher_entropy_ : 0;
  values.mse = value(mse_);
  values.entity = value(entity_);
  values.retention = retention_ ? value(retention_) - base_entropy_ : 0;
  values.total = config_.ce * values.ce + config_.kl * config_.temperature * config_.temperature * values.kl + config_.mse * values.mse +
                 config_.entity * values.entity + config_.retention * values.retention;
  return values;
}

}  // namespace trainer
