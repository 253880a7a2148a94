// Owns the writing of events.
#include "events.h"

#include <ggml.h>

#include <cstdio>

namespace trainer {

void emit(const JsonFields & event) {
  std::printf("%s\n", Json(event).dump().c_str());
  std::fflush(stdout);
}

void emit_failure(const Failure & failure) {
  JsonFields event = {{"type", "error"}, {"code", failure.code}, {"message", failure.what()}};
  if (!failure.file.empty()) event.emplace_back("file", failure.file);
  if (failure.line > 0) event.emplace_back("line", failure.line);
  if (failure.step > 0) event.emplace_back("step", failure.step);
  emit(event);
}

void report_ggml() {
  ggml_log_set(
      [](ggml_log_level level, const char * message, void *) {
        if (level >= GGML_LOG_LEVEL_WARN) std::fputs(message, stderr);
      },
      nullptr);
  ggml_set_abort_callback([](const char * message) {
    emit({{"type", "error"}, {"code", code::internal}, {"message", text("ggml stopped: %s. The last checkpoint is whole; report this.", message)}});
  });
}

}  // namespace trainer
