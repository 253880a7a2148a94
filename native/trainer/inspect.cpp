// Owns running a model over a text and over a data set.
#include "inspect.h"

#include <algorithm>

#include "events.h"
#include "files.h"
#include "graph.h"
#include "lora.h"
#include "model_file.h"
#include "teacher_cache.h"

namespace trainer {

void write_logits(const LogitsConfig & config) {
  const Device device(config.device);
  const auto model = read_model(device, config.model, false).model;
  const int64_t vocab = model->shape.vocab;
  if (!config.adapter.empty()) {
    attach_adapters(device, *model, read_adapter_ranks(config.adapter, *model), 1.0);
    read_adapter(config.adapter, *model);
  }
  for (const int32_t token : config.tokens)
    if (token >= vocab)
      throw Failure(code::token_out_of_range, text("Token %d is not in the vocabulary of %lld.", token, static_cast<long long>(vocab)));
  Sample sample;
  sample.tokens = config.tokens;
  // one more, never read, makes the last position a scored one
  sample.tokens.push_back(0);
  const Batch batch = pack({{&sample, 0, 0}}, 1, sample.length());
  Executor executor(device);
  const Inference inference = infer(executor, *model, batch, true);
  AtomicFile file(config.out);
  file.write(inference.logits.data(), inference.logits.size() * sizeof(float));
  file.commit();
  emit({{"type", "done"}, {"files", std::vector<Json>{config.out}}, {"tokens", config.tokens.size()}, {"vocab", vocab}});
}

void write_teacher_cache(const CacheConfig & config) {
  const Device device(config.device);
  const auto model = read_model(device, config.teacher, false).model;
  const int64_t vocab = model->shape.vocab;
  const DataSet data = read_data(config.data, {vocab, config.context});
  TeacherCacheWriter writer(config.out, vocab, std::min(config.k, vocab), static_cast<int64_t>(data.samples.size()));
  const std::vector<Sample> none;
  SampleStream stream(data.samples, none, {}, config.batch, config.context, 0);
  Executor executor(device);
  int64_t done = 0;
  while (stream.epoch() < 1) {
    const Batch batch = pack(stream.next(), config.batch, config.context);
    const Inference inference = infer(executor, *model, batch, false);
    const float * logits = inference.logits.data();
    for (const Placed & placed : batch.selection) {
      writer.add(*placed.sample, logits);
      logits += placed.sample->scored_rows() * vocab;
    }
    done += static_cast<int64_t>(batch.selection.size());
    emit({{"type", "progress"}, {"step", done}, {"steps", data.samples.size()}});
  }
  writer.commit();
  emit({{"type", "done"}, {"files", std::vector<Json>{config.out}}, {"samples", data.samples.size()}, {"vocab", vocab}});
}

}  // namespace trainer
