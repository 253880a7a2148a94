// Owns the distribution of a parameter budget over projections.
#include "ranks.h"

#include <algorithm>

#include "failure.h"
#include "svd.h"

namespace trainer {

namespace {

struct Direction {
  const Projection * projection;
  int64_t number;  // among the directions of its projection, the strongest 0
  double gain;     // energy of the gradient per parameter
};

int64_t cost_of(const Projection & projection) { return projection.inputs() + projection.outputs(); }

std::vector<double> singular_values(const ggml_tensor * sum) {
  const std::vector<float> values = values_of(sum);
  Matrix matrix(sum->ne[1], sum->ne[0]);
  matrix.values.assign(values.begin(), values.end());
  return jacobi_svd(orthonormalise(matrix)).sigma;
}

}  // namespace

Ranks ranks_by_gradient(const Model & model, const RankBudget & budget, const std::function<const ggml_tensor *(const ggml_tensor *)> & sum_of) {
  Ranks ranks;
  std::vector<Direction> directions;
  int64_t left = budget.parameters;
  for (const Layer & layer : model.layers)
    for (const Projection * projection : projections_of(layer)) {
      if (!projection->lora_b) continue;
      const std::vector<double> sigma = singular_values(sum_of(projection->lora_b));
      // A has variance 1/inputs, so the gradient of B shows rank/inputs of the energy of the gradient of W
      const double shown = static_cast<double>(projection->inputs()) / static_cast<double>(cost_of(*projection));
      for (int64_t i = budget.least; i < static_cast<int64_t>(sigma.size()); i++)
        directions.push_back({projection, i, sigma[static_cast<size_t>(i)] * sigma[static_cast<size_t>(i)] * shown});
      ranks[projection->name] = budget.least;
      left -= budget.least * cost_of(*projection);
    }
  if (left < 0)
    throw Failure(code::config_invalid, text("lora.budget.parameters is %lld and rank %lld everywhere needs %lld. Raise the budget or lower minRank.",
                                             static_cast<long long>(budget.parameters), static_cast<long long>(budget.least),
                                             static_cast<long long>(budget.parameters - left)));
  // within a projection gains fall, so the sorted order never takes a direction before a stronger one of the same projection
  std::stable_sort(directions.begin(), directions.end(), [](const Direction & a, const Direction & b) { return a.gain > b.gain; });
  for (const auto & [projection, number, gain] : directions) {
    int64_t & rank = ranks[projection->name];
    if (rank != number || cost_of(*projection) > left) continue;
    rank++;
    left -= cost_of(*projection);
  }
  return ranks;
}

}  // namespace trainer
