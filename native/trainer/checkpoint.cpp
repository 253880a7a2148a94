// Owns the checkpoint file.
#include "checkpoint.h"

#include <cstdio>
#include <cstring>

#include "failure.h"
#include "files.h"

namespace trainer {

namespace {

constexpr char checkpoint_magic[4] = {'R', 'L', 'C', 'K'};
constexpr uint32_t checkpoint_version = 1;
constexpr uint32_t most_losses = 4096, most_parameters = 1u << 20, longest_name = 256;

std::string previous(const std::string & path) { return path + ".previous"; }

template <typename T>
void put(AtomicFile & file, const T & value) {
  file.write(&value, sizeof value);
}

struct ParameterEntry {
  std::string name;
  int64_t columns, rows;
};
struct Head {
  uint64_t fingerprint = 0;
  Progress progress;
  std::vector<ParameterEntry> parameters;
};

/// False when the file is not what it should be; its hash is checked only at its end, so every count has a limit.
bool read_head(InputFile & file, Head & head) {
  char name[4];
  uint32_t number = 0, count = 0;
  Progress & progress = head.progress;
  if (!file.read(name, sizeof name) || std::memcmp(name, checkpoint_magic, sizeof checkpoint_magic) != 0) return false;
  if (!file.read(&number, sizeof number) || number != checkpoint_version) return false;
  if (!file.read(&head.fingerprint, 8) || !file.read(&progress.step, 8) || !file.read(&progress.updates, 8) || !file.read(&progress.scale, 8) ||
      !file.read(&progress.alarm, 8) || !file.read(&progress.seconds, 8) || !file.read(&count, sizeof count) || count > most_losses)
    return false;
  progress.losses.resize(count);
  if (!file.read(progress.losses.data(), count * sizeof(double))) return false;
  if (!file.read(&count, sizeof count) || count > most_parameters) return false;
  head.parameters.resize(count);
  for (ParameterEntry & entry : head.parameters) {
    if (!file.read(&number, sizeof number) || number > longest_name) return false;
    entry.name.resize(number);
    if (!file.read(entry.name.data(), number) || !file.read(&entry.columns, 8) || !file.read(&entry.rows, 8)) return false;
  }
  return true;
}

bool matches(const Head & head, const std::vector<Parameter> & parameters) {
  if (head.parameters.size() != parameters.size()) return false;
  for (size_t i = 0; i < parameters.size(); i++) {
    const ParameterEntry & entry = head.parameters[i];
    if (entry.name != parameters[i].name || entry.columns != parameters[i].weight->ne[0] || entry.rows != parameters[i].weight->ne[1]) return false;
  }
  return true;
}

/// False when the file is damaged; the parameters then hold part of it and must be loaded from another.
bool load_one(const std::string & path, uint64_t fingerprint, Progress & progress, const std::vector<Parameter> & parameters) {
  InputFile file(path);
  Head head;
  if (!read_head(file, head)) return false;
  if (head.fingerprint != fingerprint || !matches(head, parameters))
    throw Failure(code::checkpoint_mismatch,
                  text("%s belongs to a run with other data, base or settings. Set \"resume\" to false, or name another checkpoint.", path.c_str()))
        .in_file(path);
  for (const Parameter & parameter : parameters)
    for (ggml_tensor * tensor : {parameter.weight, parameter.first_moment, parameter.second_moment}) {
      std::vector<float> values(static_cast<size_t>(ggml_nelements(tensor)));
      if (!file.read(values.data(), values.size() * sizeof(float))) return false;
      set_values(tensor, values);
    }
  const uint64_t computed = file.hash();
  uint64_t stated = 0;
  if (!file.read(&stated, sizeof stated) || stated != computed) return false;
  progress = head.progress;
  return true;
}

}  // namespace

void save_checkpoint(const std::string & path, uint64_t fingerprint, const Progress & progress, const std::vector<Parameter> & parameters) {
  AtomicFile file(path);
  file.write(checkpoint_magic, sizeof checkpoint_magic);
  put(file, checkpoint_version);
  put(file, fingerprint);
  put(file, progress.step);
  put(file, progress.updates);
  put(file, progress.scale);
  put(file, progress.alarm);
  put(file, progress.seconds);
  put(file, static_cast<uint32_t>(progress.losses.size()));
  file.write(progress.losses.data(), progress.losses.size() * sizeof(double));
  put(file, static_cast<uint32_t>(parameters.size()));
  for (const Parameter & parameter : parameters) {
    put(file, static_cast<uint32_t>(parameter.name.size()));
    file.write(parameter.name.data(), parameter.name.size());
    put(file, parameter.weight->ne[0]);
    put(file, parameter.weight->ne[1]);
  }
  for (const Parameter & parameter : parameters)
    for (const ggml_tensor * tensor : {parameter.weight, parameter.first_moment, parameter.second_moment}) {
      const std::vector<float> values = values_of(tensor);
      file.write(values.data(), values.size() * sizeof(float));
    }
  put(file, file.hash());
  file.commit(previous(path));
}

Ranks checkpoint_ranks(const std::string & path) {
  const std::string suffix = ".lora_a";
  for (const std::string & candidate : {path, previous(path)}) {
    if (!file_exists(candidate)) continue;
    InputFile file(candidate);
    Head head;
    if (!read_head(file, head)) continue;
    Ranks ranks;
    for (const auto & [name, columns, rows] : head.parameters)
      if (name.size() > suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
        ranks[name.substr(0, name.size() - suffix.size())] = rows;
    return ranks;
  }
  return {};
}

bool load_checkpoint(const std::string & path, uint64_t fingerprint, Progress & progress, const std::vector<Parameter> & parameters) {
  bool found = false;
  for (const std::string & candidate : {path, previous(path)}) {
    if (!file_exists(candidate)) continue;
    found = true;
    if (load_one(candidate, fingerprint, progress, parameters)) {
      // else the next checkpoint would put the damaged one in the place of the good one before it
      if (candidate != path) std::remove(path.c_str());
      return true;
    }
  }
  if (!found) return false;
  throw Failure(code::checkpoint_damaged, text("%s and the one before it are damaged. Start the run anew with \"resume\": false.", path.c_str()))
      .in_file(path);
}

}  // namespace trainer
