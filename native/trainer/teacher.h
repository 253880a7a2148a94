// Owns what a student is compared with beside the data: a teacher model or its cache, and the frozen base that is not to be forgotten.
#pragma once

#include <memory>

#include "batching.h"
#include "graph.h"
#include "loss.h"
#include "teacher_cache.h"

namespace trainer {

class Teacher {
 public:
  virtual ~Teacher() = default;
  /// Fills what the loss needs of the teacher for this batch.
  virtual void answer(const Batch & batch, Targets & targets) = 0;
  /// Width of its hidden states; 0 when it has none to give.
  virtual int64_t width() const = 0;
  virtual uint64_t hash() const = 0;
};

/// A model of the same vocabulary, of any size. `hash` names its weights.
std::unique_ptr<Teacher> model_teacher(Executor & executor, std::unique_ptr<Model> model, uint64_t hash, const LossConfig & loss);

/// A cache must outlive the teacher.
std::unique_ptr<Teacher> cache_teacher(const TeacherCache & cache, const LossConfig & loss, int64_t vocab);

/// The base's hidden states or distributions at the positions that the retention term covers. An adapter's base is its own model without it.
void answer_from_base(Executor & executor, const Model & base, const Batch & batch, const LossConfig & loss, Targets & targets);

}  // namespace trainer
