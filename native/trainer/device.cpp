// Owns the calls that find backends, give memory and run graphs.
#include "device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>

#include "failure.h"

// the build script says which libraries belong to the headers and where they lie
#ifndef GGML_EXPECTED_VERSION
#define GGML_EXPECTED_VERSION ""
#endif
#ifndef GGML_BACKEND_FOLDER
#define GGML_BACKEND_FOLDER ""
#endif

namespace trainer {

Context make_context(size_t tensors, size_t graph_nodes) {
  size_t bytes = tensors * ggml_tensor_overhead() + 1024;
  if (graph_nodes > 0) bytes += ggml_graph_overhead_custom(graph_nodes, true) + ggml_graph_overhead_custom(2 * graph_nodes, false);
  ggml_init_params parameters = {bytes, nullptr, true};
  return Context(ggml_init(parameters));
}

Device::Device(const DeviceConfig & config) {
  if (*GGML_EXPECTED_VERSION && std::strcmp(ggml_version(), GGML_EXPECTED_VERSION) != 0)
    throw Failure(code::library_mismatch, text("The ggml libraries are version %s and this program was built for %s. Run node native/build.mjs.",
                                               ggml_version(), GGML_EXPECTED_VERSION));
  const std::string folder = config.backends.empty() ? GGML_BACKEND_FOLDER : config.backends;
  // ggml keeps backends for the life of the process, and would load them a second time
  if (!folder.empty() && ggml_backend_dev_count() == 0) ggml_backend_load_all_from_path(folder.c_str());

  const auto add = [&](enum ggml_backend_dev_type type) {
    ggml_backend_t backend = ggml_backend_init_by_type(type, nullptr);
    if (!backend) return false;
    const auto registry = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
    const auto set_threads =
        reinterpret_cast<ggml_backend_set_n_threads_t>(ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads"));
    if (set_threads) set_threads(backend, static_cast<int>(config.threads));
    backends_.push_back(backend);
    return true;
  };
  if (config.kind != "cpu") is_cpu_ = !add(GGML_BACKEND_DEVICE_TYPE_GPU);
  if (config.kind == "gpu" && is_cpu_)
    throw Failure(code::no_device, "ggml found no graphics processor that it can use. Set \"device\" to \"cpu\", or build with --package or --cuda.");
  if (is_cpu_) add(GGML_BACKEND_DEVICE_TYPE_ACCEL);  // OpenBLAS in a build from source; it shares the CPU's memory
  if (!add(GGML_BACKEND_DEVICE_TYPE_CPU))
    throw Failure(code::no_device, text("ggml's CPU backend was not found in “%s”. Run npm install, then node native/build.mjs.", folder.c_str()));
}

Device::~Device() {
  for (ggml_backend_t backend : backends_) ggml_backend_free(backend);
}

std::string Device::name() const { return ggml_backend_dev_description(ggml_backend_get_device(home())); }

uint64_t Device::free_bytes() const {
  size_t free = 0, total = 0;
  ggml_backend_dev_memory(ggml_backend_get_device(home()), &free, &total);
  // of Linux's memory ggml calls all free, whatever other programs hold
  std::ifstream meminfo("/proc/meminfo");
  std::string name, unit;
  for (uint64_t kilobytes = 0; is_cpu_ && meminfo >> name >> kilobytes && std::getline(meminfo, unit);)
    if (name == "MemAvailable:") return std::min<uint64_t>(free, kilobytes * 1024);
  return free;
}

void fail_for_memory(const char * purpose, uint64_t needed, uint64_t available) {
  throw Failure(code::out_of_memory, text("%s needs %.2f GB and the device can give %.2f GB. Lower batch, context or the size of the model.", purpose,
                                          static_cast<double>(needed) / 1e9, static_cast<double>(available) / 1e9));
}

TensorStore::~TensorStore() {
  if (buffer_) ggml_backend_buffer_free(buffer_);
}

ggml_tensor * TensorStore::add(const std::string & name, ggml_type type, int64_t columns, int64_t rows) {
  ggml_tensor * tensor = rows > 0 ? ggml_new_tensor_2d(context_.get(), type, columns, rows) : ggml_new_tensor_1d(context_.get(), type, columns);
  ggml_set_name(tensor, name.c_str());
  return tensor;
}

ggml_tensor * TensorStore::add_like(const ggml_tensor * other) { return ggml_dup_tensor(context_.get(), other); }

void TensorStore::allocate(const Device & device, const char * purpose) {
  uint64_t needed = 0;
  for (ggml_tensor * tensor = first(); tensor; tensor = next(tensor)) needed += ggml_nbytes(tensor);
  if (needed == 0) return;
  // asked first: Linux gives memory that it does not have and kills the process when it is used
  if (needed > device.free_bytes()) fail_for_memory(purpose, needed, device.free_bytes());
  buffer_ = ggml_backend_alloc_ctx_tensors(context_.get(), device.home());
  if (!buffer_) fail_for_memory(purpose, needed, device.free_bytes());
  clear();
}

void TensorStore::clear() {
  if (buffer_) ggml_backend_buffer_clear(buffer_, 0);
}

void Feed::upload() const {
  for (const Entry & entry : lent_)
    if (entry.tensor->buffer) ggml_backend_tensor_set(entry.tensor, entry.data, 0, ggml_nbytes(entry.tensor));
}

namespace {

ggml_backend_sched_t make_scheduler(const Device & device, size_t room) {
  auto backends = device.backends();
  return ggml_backend_sched_new(backends.data(), nullptr, static_cast<int>(backends.size()), room, false, false);
}

/// Nodes and leaves at most: every leaf is read by a node, and a node reads at most a few that no other reads.
size_t room_for(ggml_cgraph * graph) { return 2 * static_cast<size_t>(ggml_graph_n_nodes(graph)) + 256; }

}  // namespace

Executor::~Executor() {
  if (scheduler_) ggml_backend_sched_free(scheduler_);
}

uint64_t measure(const Device & device, ggml_cgraph * graph) {
  // a scheduler of its own: one that has measured believes that it has the memory
  ggml_backend_sched_t scheduler = make_scheduler(device, room_for(graph));
  std::vector<size_t> sizes(device.backends().size());
  ggml_backend_sched_reserve_size(scheduler, graph, sizes.data());
  ggml_backend_sched_free(scheduler);
  return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
}

void Executor::run(ggml_cgraph * graph, const Feed & feed) {
  if (room_for(graph) > room_) {
    if (scheduler_) ggml_backend_sched_free(scheduler_);
    room_ = room_for(graph) + room_for(graph) / 2;
    scheduler_ = make_scheduler(device_, room_);
  }
  ggml_backend_sched_reset(scheduler_);
  if (!ggml_backend_sched_alloc_graph(scheduler_, graph))
    throw Failure(code::out_of_memory, "There is not enough memory for one batch. Lower batch or context.");
  feed.upload();
  const ggml_status status = ggml_backend_sched_graph_compute(scheduler_, graph);
  if (status == GGML_STATUS_ALLOC_FAILED)
    throw Failure(code::out_of_memory, "The device ran out of memory within a batch. Lower batch or context.");
  if (status != GGML_STATUS_SUCCESS) throw Failure(code::internal, text("ggml could not compute a graph (status %d).", static_cast<int>(status)));
}

std::vector<float> values_of(const ggml_tensor * tensor) {
  std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)));
  if (tensor->type == GGML_TYPE_F32) {
    ggml_backend_tensor_get(tensor, values.data(), 0, ggml_nbytes(tensor));
    return values;
  }
  std::vector<char> raw(ggml_nbytes(tensor));
  ggml_backend_tensor_get(tensor, raw.data(), 0, raw.size());
  ggml_get_type_traits(tensor->type)->to_float(raw.data(), values.data(), ggml_nelements(tensor));
  return values;
}

void set_values(ggml_tensor * tensor, const std::vector<float> & values) {
  ggml_backend_tensor_set(tensor, values.data(), 0, values.size() * sizeof(float));
}

float scalar_of(const ggml_tensor * tensor) {
  float value = 0;
  ggml_backend_tensor_get(tensor, &value, 0, sizeof value);
  return value;
}

}  // namespace trainer
