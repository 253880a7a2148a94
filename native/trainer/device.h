// Owns where tensors live and where graphs run: ggml's backends, buffers and scheduler, every failed allocation turned into OUT_OF_MEMORY.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trainer {

struct DeviceConfig {
  std::string kind = "cpu";  // cpu, gpu, or auto: a GPU where there is one
  std::string backends;      // folder of ggml's loadable backends; empty: that of the libraries this program was linked with
  int64_t threads = 1;       // of the CPU backend; no other part starts any
};

struct ContextDeleter {
  void operator()(ggml_context * context) const { ggml_free(context); }
};
using Context = std::unique_ptr<ggml_context, ContextDeleter>;

/// Descriptions only, no data: of `tensors` tensors and, when `graph_nodes` is not 0, two graphs of that many nodes.
Context make_context(size_t tensors, size_t graph_nodes = 0);

/// The backends in order of preference, the CPU last: it takes what a GPU cannot compute.
class Device {
 public:
  /// Throws NO_DEVICE, or LIBRARY_MISMATCH when the libraries found are not of the version of the headers.
  explicit Device(const DeviceConfig & config);
  Device(const Device &) = delete;
  Device & operator=(const Device &) = delete;
  ~Device();

  /// Where weights live: the GPU, or the CPU.
  ggml_backend_t home() const { return is_cpu_ ? backends_.back() : backends_.front(); }
  const std::vector<ggml_backend_t> & backends() const { return backends_; }
  bool is_cpu() const { return is_cpu_; }
  std::string name() const;
  /// Bytes that its memory can still give.
  uint64_t free_bytes() const;

 private:
  std::vector<ggml_backend_t> backends_;
  bool is_cpu_ = true;
};

/// Tensors that outlive a graph: weights, gradients, moments. Add all, then allocate once.
class TensorStore {
 public:
  explicit TensorStore(size_t capacity) : context_(make_context(capacity)) {}
  ~TensorStore();
  TensorStore(const TensorStore &) = delete;
  TensorStore & operator=(const TensorStore &) = delete;

  /// `columns` is the length of a row (ggml's ne[0]); rows == 0 makes a vector.
  ggml_tensor * add(const std::string & name, ggml_type type, int64_t columns, int64_t rows = 0);
  ggml_tensor * add_like(const ggml_tensor * other);
  /// Throws OUT_OF_MEMORY, which names `purpose`.
  void allocate(const Device & device, const char * purpose);
  void clear();
  ggml_tensor * first() const { return ggml_get_first_tensor(context_.get()); }
  ggml_tensor * next(ggml_tensor * tensor) const { return ggml_get_next_tensor(context_.get(), tensor); }

 private:
  Context context_;
  ggml_backend_buffer_t buffer_ = nullptr;
};

/// What the host gives to a graph. Data is copied in after the graph has its memory; a tensor that the graph does not use is passed over.
class Feed {
 public:
  /// `data` must live until the graph has run.
  void lend(ggml_tensor * tensor, const void * data) { lent_.push_back({tensor, data}); }
  template <typename T>
  void keep(ggml_tensor * tensor, std::vector<T> data) {
    auto held = std::make_shared<std::vector<T>>(std::move(data));
    lent_.push_back({tensor, held->data()});
    held_.push_back(held);
  }
  void upload() const;

 private:
  struct Entry {
    ggml_tensor * tensor;
    const void * data;
  };
  std::vector<Entry> lent_;
  std::vector<std::shared_ptr<void>> held_;
};

/// Runs graphs one after the other in one growing buffer.
class Executor {
 public:
  explicit Executor(const Device & device) : device_(device) {}
  Executor(const Executor &) = delete;
  Executor & operator=(const Executor &) = delete;
  ~Executor();

  /// Throws OUT_OF_MEMORY.
  void run(ggml_cgraph * graph, const Feed & feed);

 private:
  const Device & device_;
  ggml_backend_sched_t scheduler_ = nullptr;
  size_t room_ = 0;  // nodes and leaves that the scheduler can take
};

/// Bytes that a graph needs while it runs. The graph cannot be run afterwards.
uint64_t measure(const Device & device, ggml_cgraph * graph);

/// The tensor's values as F32, whatever its type.
std::vector<float> values_of(const ggml_tensor * tensor);
void set_values(ggml_tensor * tensor, const std::vector<float> & values);
float scalar_of(const ggml_tensor * tensor);

[[noreturn]] void fail_for_memory(const char * purpose, uint64_t needed, uint64_t available);

}  // namespace trainer
