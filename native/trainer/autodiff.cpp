// Owns the rewriting of ggml's outer products, in which it writes the gradient of every matrix product, into matrix products.
#include "autodiff.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace trainer {

namespace {

/// Transposes F32 in tiles that fit the cache; ggml's own copy of a transposed tensor moves one value at a time.
void transpose_tiles(ggml_tensor * result, int thread, int threads, void *) {
  constexpr int64_t tile = 16;
  const ggml_tensor * source = result->src[0];
  const int64_t columns = source->ne[0], rows = source->ne[1], stride = static_cast<int64_t>(source->nb[1] / sizeof(float));
  const int64_t strips = (columns + tile - 1) / tile, matrices = source->ne[2] * source->ne[3];
  for (int64_t work = thread; work < strips * matrices; work += threads) {
    const int64_t matrix = work / strips, first = (work % strips) * tile, last = std::min(first + tile, columns);
    const auto offset = static_cast<size_t>(matrix % source->ne[2]) * source->nb[2] + static_cast<size_t>(matrix / source->ne[2]) * source->nb[3];
    const auto * from = reinterpret_cast<const float *>(static_cast<const char *>(source->data) + offset);
    float * to = static_cast<float *>(result->data) + matrix * columns * rows;
    for (int64_t row = 0; row < rows; row += tile)
      for (int64_t i = first; i < last; i++)
        for (int64_t j = row; j < std::min(row + tile, rows); j++) to[i * rows + j] = from[j * stride + i];
  }
}

/// ggml writes the gradient of y = W·x as outer products. CUDA computes those in F32 only and the CPU slowly; a matrix product of transposed copies
/// is the same sum, fast everywhere.
class OuterProducts {
 public:
  OuterProducts(ggml_context * context, Feed & feed, bool on_cpu) : context_(context), feed_(feed), on_cpu_(on_cpu) {}

  void rewrite(ggml_tensor * node) {
    node->src[0] = transposed(in_f32(node->src[0]));
    node->src[1] = transposed(node->src[1]);
    node->op = GGML_OP_MUL_MAT;
    std::memset(node->op_params, 0, sizeof node->op_params);
  }

 private:
  ggml_context * context_;
  Feed & feed_;
  bool on_cpu_;
  std::unordered_map<const ggml_tensor *, ggml_tensor *> done_, rows_;

  /// Frozen weights in F16 or quantised: all rows looked up, which every backend can do for every type.
  ggml_tensor * in_f32(ggml_tensor * tensor) {
    if (tensor->type == GGML_TYPE_F32) return tensor;
    ggml_tensor *& rows = rows_[tensor];
    if (rows) return rows;
    std::vector<int32_t> numbers(static_cast<size_t>(tensor->ne[1]));
    std::iota(numbers.begin(), numbers.end(), 0);
    ggml_tensor * index = ggml_new_tensor_1d(context_, GGML_TYPE_I32, tensor->ne[1]);
    ggml_set_input(index);
    feed_.keep(index, std::move(numbers));
    return rows = ggml_get_rows(context_, tensor, index);
  }

  /// An activation feeds several products (q, k and v; gate and up), so each is transposed once.
  ggml_tensor * transposed(ggml_tensor * tensor) {
    if (tensor->op == GGML_OP_TRANSPOSE && ggml_is_contiguous(tensor->src[0])) return tensor->src[0];
    ggml_tensor *& result = done_[tensor];
    if (!result)
      result = on_cpu_ && tensor->nb[0] == sizeof(float) ? ggml_custom_4d(context_, GGML_TYPE_F32, tensor->ne[1], tensor->ne[0], tensor->ne[2],
                                                                          tensor->ne[3], &tensor, 1, transpose_tiles, GGML_N_TASKS_MAX, nullptr)
                                                         : ggml_cont(context_, ggml_transpose(context_, tensor));
    return result;
  }
};

}  // namespace

ggml_cgraph * build_backward(ggml_context * context, Feed & feed, ggml_tensor * loss, const Accumulators & accumulators, float seed, size_t capacity,
                             bool on_cpu) {
  ggml_cgraph * graph = ggml_new_graph_custom(context, capacity, true);
  ggml_set_output(loss);
  ggml_set_loss(loss);
  ggml_build_forward_expand(graph, loss);

  std::vector<ggml_tensor *> sums(static_cast<size_t>(ggml_graph_n_nodes(graph)), nullptr);
  for (size_t i = 0; i < sums.size(); i++) {
    const auto found = accumulators.find(ggml_graph_node(graph, static_cast<int>(i)));
    if (found != accumulators.end()) sums[i] = found->second;
  }
  ggml_build_backward_expand(context, graph, sums.data());
  ggml_tensor * loss_gradient = ggml_graph_get_grad_acc(graph, loss);
  ggml_set_input(loss_gradient);
  feed.keep(loss_gradient, std::vector<float>{seed});

  // the order of the nodes stays; copies are inserted before the first product that reads them
  ggml_cgraph * rewritten = ggml_new_graph_custom(context, 2 * capacity, false);
  OuterProducts products(context, feed, on_cpu);
  for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
    ggml_tensor * node = ggml_graph_node(graph, i);
    if (node->op == GGML_OP_OUT_PROD) products.rewrite(node);
    ggml_build_forward_expand(rewritten, node);
  }
  return rewritten;
}

}  // namespace trainer
