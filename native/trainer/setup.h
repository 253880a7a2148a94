// Owns what a training run works with: model, adapters, data, teacher and optimiser, all there before the first step.
#pragma once

#include <memory>

#include "config.h"
#include "evaluator.h"
#include "model_file.h"
#include "teacher.h"

namespace trainer {

class Setup {
 public:
  /// Loads everything. Emits `ranks` when they are adaptive. Throws what the parts throw.
  explicit Setup(const TrainConfig & config);

  const Device & device() const { return device_; }
  Executor & executor() { return *executor_; }
  const Model & model() const { return *model_; }
  const gguf_context * keys() const { return keys_.get(); }
  const DataSet & data() const { return data_; }
  const DataSet & validation() const { return validation_; }
  Optimiser & optimiser() { return *optimiser_; }
  Evaluator & evaluator() { return *evaluator_; }

  SampleStream make_stream() const;
  /// What the loss compares this batch with.
  Targets targets_of(const Batch & batch);
  /// Of everything that decides the numbers of a run of `steps`, so that a checkpoint is never continued with another.
  uint64_t fingerprint(int64_t steps) const;
  /// The loss of a model that knows nothing: the worst that one should do which has learned nothing.
  double ignorance() const;

 private:
  const TrainConfig & config_;
  Device device_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Model> model_, base_copy_;
  Gguf keys_;
  DataSet data_, replay_, validation_;
  std::unique_ptr<TeacherCache> cache_;
  std::unique_ptr<Teacher> teacher_;
  std::unique_ptr<TensorStore> projection_store_;
  ggml_tensor * projection_ = nullptr;
  std::unique_ptr<Optimiser> optimiser_;
  std::unique_ptr<Evaluator> evaluator_;
  uint64_t base_hash_ = 0;

  void load_model();
  void load_keys();
  void load_data();
  void load_teacher();
  void make_projection();
  void attach();
  Ranks probe_ranks();
};

}  // namespace trainer
