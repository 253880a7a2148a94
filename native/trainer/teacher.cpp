// Owns the two kinds of teacher.
#include "teacher.h"

#include <utility>

namespace trainer {

namespace {

/// Rows of logits, or of logarithms of probabilities, which a softmax treats alike.
void distributions_from(std::vector<float> & rows, const Batch & batch, const LossConfig & loss, int64_t vocab, Targets & targets) {
  const int64_t count = batch.scored_count();
  targets.teacher_entity.clear();
  if (loss.entity > 0) {
    targets.teacher_entity.assign(static_cast<size_t>(count), 0.0f);
    std::vector<float> row;
    for (int64_t i = 0; i < count; i++) {
      if (batch.entity[static_cast<size_t>(i)] <= 0) continue;
      row.assign(rows.begin() + i * vocab, rows.begin() + (i + 1) * vocab);
      soften(row.data(), vocab, 1);
      targets.teacher_entity[static_cast<size_t>(i)] = row[static_cast<size_t>(batch.targets[static_cast<size_t>(i)])];
    }
  }
  if (loss.kl <= 0) return;
  for (int64_t i = 0; i < count; i++) soften(rows.data() + i * vocab, vocab, loss.temperature);
  targets.teacher = std::move(rows);
}

class ModelTeacher final : public Teacher {
 public:
  ModelTeacher(Executor & executor, std::unique_ptr<Model> model, uint64_t hash, const LossConfig & loss)
      : executor_(executor), model_(std::move(model)), hash_(hash), loss_(loss) {}
  void answer(const Batch & batch, Targets & targets) override {
    Inference inference = infer(executor_, *model_, batch, false);
    if (loss_.mse > 0) targets.teacher_hidden = std::move(inference.hidden);
    distributions_from(inference.logits, batch, loss_, model_->shape.vocab, targets);
  }
  int64_t width() const override { return model_->shape.width; }
  uint64_t hash() const override { return hash_; }

 private:
  Executor & executor_;
  std::unique_ptr<Model> model_;
  uint64_t hash_;
  LossConfig loss_;
};

class CacheTeacher final : public Teacher {
 public:
  CacheTeacher(const TeacherCache & cache, const LossConfig & loss, int64_t vocab) : cache_(cache), loss_(loss), vocab_(vocab) {}
  void answer(const Batch & batch, Targets & targets) override {
    std::vector<float> rows(static_cast<size_t>(batch.scored_count() * vocab_));
    float * row = rows.data();
    for (const Placed & placed : batch.selection)
      for (int64_t i = 0; i < placed.sample->scored_rows(); i++, row += vocab_) cache_.log_probabilities(*placed.sample, i, row);
    distributions_from(rows, batch, loss_, vocab_, targets);
  }
  int64_t width() const override { return 0; }
  uint64_t hash() const override { return cache_.hash(); }

 private:
  const TeacherCache & cache_;
  LossConfig loss_;
  int64_t vocab_;
};

}  // namespace

std::unique_ptr<Teacher> model_teacher(Executor & executor, std::unique_ptr<Model> model, uint64_t hash, const LossConfig & loss) {
  return std::make_unique<ModelTeacher>(executor, std::move(model), hash, loss);
}

std::unique_ptr<Teacher> cache_teacher(const TeacherCache & cache, const LossConfig & loss, int64_t vocab) {
  return std::make_unique<CacheTeacher>(cache, loss, vocab);
}

void answer_from_base(Executor & executor, const Model & base, const Batch & batch, const LossConfig & loss, Targets & targets) {
  const std::vector<int32_t> covered = retention_rows(loss, batch);
  targets.base.clear();
  if (covered.empty()) return;
  Inference inference = infer(executor, base, batch, false);
  const bool divergence = loss.retention_form == "kl";
  std::vector<float> & rows = divergence ? inference.logits : inference.hidden;
  const int64_t columns = divergence ? base.shape.vocab : base.shape.width;
  for (const int32_t row : covered) {
    float * begin = rows.data() + static_cast<int64_t>(row) * columns;
    if (divergence) soften(begin, columns, 1);
    targets.base.insert(targets.base.end(), begin, begin + columns);
  }
}

}  // namespace trainer
