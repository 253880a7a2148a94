// Owns how the trainer fails: a code for programs, a sentence that says what to do, and the file, line or step where it happened.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

namespace trainer {

/// printf into a string of at most 2,047 bytes.
#ifdef __GNUC__
__attribute__((format(printf, 1, 2)))
#endif
inline std::string text(const char * format, ...) {
  char buffer[2048];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

/// What a person can meet. `line` counts from 1 in `file`, `step` from 1 in the run; -1 where there is none.
struct Failure : std::runtime_error {
  std::string code, file;
  int64_t line = -1, step = -1;

  Failure(std::string failure_code, const std::string & message) : std::runtime_error(message), code(std::move(failure_code)) {}
  Failure & in_file(std::string name, int64_t at_line = -1) {
    file = std::move(name);
    line = at_line;
    return *this;
  }
  Failure & at_step(int64_t number) {
    step = number;
    return *this;
  }
};

/// Every code, so that a driver can be written against this list alone.
namespace code {
constexpr const char * config_invalid = "CONFIG_INVALID";            // the JSON file: syntax, unknown field, value out of range
constexpr const char * data_invalid = "DATA_INVALID";                // a line of a data file is malformed; with file and line
constexpr const char * data_empty = "DATA_EMPTY";                    // a data file without one sample
constexpr const char * token_out_of_range = "TOKEN_OUT_OF_RANGE";    // a token that the model's vocabulary does not have; file and line
constexpr const char * sample_too_long = "SAMPLE_TOO_LONG";          // longer than the context; file and line
constexpr const char * file_unreadable = "FILE_UNREADABLE";          // missing, no permission, disk fault
constexpr const char * model_unreadable = "MODEL_UNREADABLE";        // no GGUF, truncated, weights that are not numbers
constexpr const char * model_architecture = "MODEL_ARCHITECTURE";    // not Qwen2, or a variant that this program does not compute
constexpr const char * adapter_mismatch = "ADAPTER_MISMATCH";        // the adapter fits another base
constexpr const char * vocabulary_mismatch = "VOCABULARY_MISMATCH";  // the tokenizer in "keys" has more or fewer tokens than the model
constexpr const char * teacher_mismatch = "TEACHER_MISMATCH";        // teacher and student have different vocabularies
constexpr const char * cache_mismatch = "CACHE_MISMATCH";            // the teacher cache was made from other samples
constexpr const char * checkpoint_mismatch = "CHECKPOINT_MISMATCH";  // the checkpoint belongs to another run
constexpr const char * checkpoint_damaged = "CHECKPOINT_DAMAGED";    // neither the checkpoint nor the one before it is whole
constexpr const char * diverged = "DIVERGED";                        // NaN, Inf, or far above its median; with step
constexpr const char * gradient_wrong = "GRADIENT_WRONG";            // the finite-difference check failed
constexpr const char * out_of_memory = "OUT_OF_MEMORY";              // with the amount needed
constexpr const char * disk_full = "DISK_FULL";                      // nothing half-written is left
constexpr const char * output_not_writable = "OUTPUT_NOT_WRITABLE";  // folder missing, no permission
constexpr const char * no_device = "NO_DEVICE";                      // no ggml backend of the wanted kind
constexpr const char * library_mismatch = "LIBRARY_MISMATCH";        // the ggml libraries are not those of the headers
constexpr const char * internal = "INTERNAL";                        // a fault of this program or of ggml
}  // namespace code

}  // namespace trainer
