// Owns how forward pass, loss and backward pass become one graph that is built anew for every batch: building costs milliseconds, and no two batches
// have equal counts of scored rows.
#include "evaluator.h"

#include <algorithm>
#include <cmath>

namespace trainer {

struct Evaluator::Built {
  Context context;
  std::unique_ptr<Feed> feed;
  std::unique_ptr<Loss> loss;
  ggml_cgraph * graph;
};

Evaluator::Built Evaluator::build(const Batch & batch, const Targets & targets, bool with_gradients, float seed) const {
  const size_t capacity = graph_capacity(student_);
  Built built{make_context(3 * capacity, capacity), std::make_unique<Feed>(), nullptr, nullptr};
  ggml_context * context = built.context.get();
  const Forward forward = build_forward(context, *built.feed, student_, batch, true);
  built.loss = std::make_unique<Loss>(context, *built.feed, forward, batch, targets, loss_, projection_);
  if (with_gradients) {
    built.graph = build_backward(context, *built.feed, built.loss->total(), accumulators_, seed, capacity, device_.is_cpu());
  } else {
    built.graph = ggml_new_graph_custom(context, capacity, false);
    ggml_build_forward_expand(built.graph, built.loss->total());
  }
  return built;
}

LossValues Evaluator::loss(const Batch & batch, const Targets & targets) {
  const Built built = build(batch, targets, false, 0);
  executor_.run(built.graph, *built.feed);
  return built.loss->read();
}

LossValues Evaluator::loss_and_gradients(const Batch & batch, const Targets & targets, double seed) {
  const Built built = build(batch, targets, true, static_cast<float>(seed));
  executor_.run(built.graph, *built.feed);
  return built.loss->read();
}

uint64_t Evaluator::measure(const Batch & batch, const Targets & targets) {
  const Built built = build(batch, targets, true, 1);
  return trainer::measure(device_, built.graph);
}

Validation validate(Executor & executor, const Model & model, const std::vector<Sample> & samples, int64_t rows, int64_t length) {
  Validation result;
  const std::vector<Sample> none;
  SampleStream stream(samples, none, {}, rows, length, 0);
  double loss = 0;
  int64_t right = 0;
  while (stream.epoch() < 1) {
    const Batch batch = pack(stream.next(), rows, length);
    Inference inference = infer(executor, model, batch, true);
    const int64_t vocab = model.shape.vocab;
    for (int64_t i = 0; i < batch.scored_count(); i++) {
      float * row = inference.logits.data() + i * vocab;
      const int32_t target = batch.targets[static_cast<size_t>(i)];
      right += std::max_element(row, row + vocab) - row == target;
      soften(row, vocab, 1);
      loss -= std::log(std::max(static_cast<double>(row[target]), 1e-30));
    }
    result.rows += batch.scored_count();
  }
  result.loss = loss / static_cast<double>(result.rows);
  result.accuracy = static_cast<double>(right) / static_cast<double>(result.rows);
  return result;
}

}  // namespace trainer
