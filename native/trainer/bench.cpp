// Owns what is timed.
#include "bench.h"

#include <algorithm>
#include <chrono>

#include "evaluator.h"
#include "events.h"
#include "lora.h"
#include "random.h"

namespace trainer {

namespace {

constexpr int64_t product_size = 1024;

template <typename Work>
double seconds_of(const Work & work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// A square F32 product, the best that this machine's ggml does.
class PlainProduct {
 public:
  PlainProduct(const Device & device, Executor & executor) : executor_(executor) {
    a_ = store_.add("a", GGML_TYPE_F32, product_size, product_size);
    b_ = store_.add("b", GGML_TYPE_F32, product_size, product_size);
    store_.allocate(device, "The matrix product");
  }
  void run() {
    Context context = make_context(8, 8);
    ggml_cgraph * graph = ggml_new_graph_custom(context.get(), 8, false);
    ggml_build_forward_expand(graph, ggml_mul_mat(context.get(), a_, b_));
    executor_.run(graph, {});
  }
  static double operations() { return 2.0 * static_cast<double>(product_size * product_size * product_size); }

 private:
  Executor & executor_;
  TensorStore store_{2};
  ggml_tensor *a_, *b_;
};

}  // namespace

void bench(const BenchConfig & config) {
  const Device device(config.device);
  Executor executor(device), product_executor(device);
  const auto model = random_model(device, config.arch, 1);
  if (config.rank > 0) {
    attach_adapters(device, *model, uniform_ranks(*model, LoraConfig().targets, config.rank), 16);
    initialise_adapters(*model, 1);
  }
  Optimiser optimiser(device, executor, {}, config.rank > 0 ? adapter_weights(*model) : model->all_weights());
  Evaluator evaluator(device, executor, *model, {}, nullptr, optimiser.accumulators());

  Random random(1, Purpose::check_data);
  std::vector<Sample> samples(static_cast<size_t>(2 * config.batch));
  const auto vocab = static_cast<uint64_t>(config.arch.vocab);
  for (Sample & sample : samples)
    for (int64_t i = 0; i < config.context / 2; i++) sample.tokens.push_back(static_cast<int32_t>(random.below(vocab)));
  const std::vector<Sample> none;
  SampleStream stream(samples, none, {}, config.batch, config.context, 1);
  const Batch batch = pack(stream.next(), config.batch, config.context);
  PlainProduct product(device, product_executor);
  const auto step = [&] {
    evaluator.loss_and_gradients(batch, {}, 1.0);
    optimiser.update(1e-4, optimiser.gradient_norm());
  };

  step();
  product.run();
  std::vector<double> step_seconds, product_seconds;
  for (int64_t i = 0; i < config.steps; i++) {
    step_seconds.push_back(seconds_of(step));
    product_seconds.push_back(seconds_of([&] { product.run(); }));
  }
  const auto tokens = static_cast<double>(batch.real_tokens), weights = static_cast<double>(model->parameter_count());
  const auto trained = static_cast<double>(optimiser.parameter_count());
  const double attention = 12.0 * static_cast<double>(config.arch.layers * batch.length * config.arch.width);
  const double per_token = (config.rank > 0 ? 4 * weights + 6 * trained : 6 * weights) + attention;
  const double rate = tokens / median(step_seconds);
  const double trained_speed = rate * per_token / 1e9, product_speed = PlainProduct::operations() / median(product_seconds) / 1e9;
  emit({{"type", "bench"},
        {"device", device.name()},
        {"threads", config.device.threads},
        {"parameters", model->parameter_count()},
        {"trainable", optimiser.parameter_count()},
        {"tokensPerSecond", rate},
        {"gflops", trained_speed},
        {"matmulGflops", product_speed},
        {"share", trained_speed / product_speed}});
}

}  // namespace trainer
