// Owns a training run, from its configuration to the files that it writes.
#pragma once

#include "config.h"

namespace trainer {

enum class Outcome { done, stopped };

/// Emits its events. Throws Failure, with the step where there is one; the last good checkpoint is then intact.
Outcome train(const TrainConfig & config);

/// Asks the run to stop after the step that it is at; safe in a signal handler.
void request_stop();

}  // namespace trainer
