// Owns the command line: a verb, a JSON file, and exit codes: 0 done, 1 failed (an error event says why), 2 wrong use, 3 stopped with a checkpoint.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "bench.h"
#include "config.h"
#include "events.h"
#include "gradcheck.h"
#include "inspect.h"
#include "train.h"

namespace {

constexpr const char * usage = R"(Train Qwen2 models on ggml: from chance, or LoRA adapters on a frozen base of any GGUF type.

  trainer train CONFIG.json       train, distil, resume; writes GGUF
  trainer cache CONFIG.json       a teacher's most probable tokens for a data set
  trainer logits CONFIG.json      logits of a model for a text
  trainer gradcheck [CONFIG.json] every gradient against finite differences
  trainer bench [CONFIG.json]     training speed beside a plain matrix product
  trainer VERB --help             every field of the file: range; default

Events are JSON lines on stdout. A data set is JSON lines, one sample a line:
  {"tokens": [5, 17, 230, 4], "start": 2, "level": 1, "class": "special", "entities": [[2, 1.5]], "id": "any text"}
  tokens: the whole sample; start: index of the first token that is learned (1); level: complexity of the concept (0);
  class: "general" or "special" knowledge ("general"); entities: [index, weight] of tokens of drugs, doses, units, criteria
Ctrl-C or SIGTERM stops a training run after its step, with a checkpoint.
Exit code 0: done; 1: failed, the error event says why; 2: wrong use; 3: stopped with a checkpoint.
)";

int run(const std::string & verb, const std::string & path) {
  using namespace trainer;
  if (verb == "train") return train(read_train_config(path)) == Outcome::done ? 0 : 3;
  if (verb == "cache") write_teacher_cache(read_cache_config(path));
  if (verb == "logits") write_logits(read_logits_config(path));
  if (verb == "bench") bench(read_bench_config(path));
  if (verb == "gradcheck" && !check_gradients(read_check_config(path)))
    throw Failure(code::gradient_wrong, "A gradient differs from the finite difference. Do not train with this build.");
  return 0;
}

}  // namespace

int main(int count, char ** arguments) {
  using namespace trainer;
  const std::string verb = count > 1 ? arguments[1] : "", second = count > 2 ? arguments[2] : "";
  const std::string fields = describe_config(verb);
  if (verb == "--help" || second == "--help") {
    std::printf("%s", usage);
    if (!fields.empty()) std::printf("\nFields of CONFIG.json for %s:\n%s", verb.c_str(), fields.c_str());
    return 0;
  }
  const bool config_optional = verb == "gradcheck" || verb == "bench";
  if (fields.empty() || count > 3 || (second.empty() && !config_optional)) {
    std::fprintf(stderr, "%s", usage);
    return 2;
  }
  report_ggml();
  std::signal(SIGINT, [](int) { request_stop(); });
  std::signal(SIGTERM, [](int) { request_stop(); });
#ifdef SIGXFSZ
  // a limit on file sizes then shows as a failed write, which is told with its code
  std::signal(SIGXFSZ, SIG_IGN);
#endif
  try {
    return run(verb, second);
  } catch (const Failure & failure) {
    emit_failure(failure);
  } catch (const std::bad_alloc &) {
    emit_failure({code::out_of_memory, "There is not enough memory. Lower batch, context or the size of the model."});
  } catch (const std::exception & error) {
    emit_failure({code::internal, text("Something went wrong: %s. Report this.", error.what())});
  }
  return 1;
}
