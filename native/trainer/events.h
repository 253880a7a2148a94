// Owns what the trainer says to its driver: one JSON object a line on stdout, flushed at once.
//
//   start       verb, device, threads, and for train: parameters, trainable, samples, tokens, steps, memoryBytes, resumedFrom (0: from the start)
//   ranks       parameters, ranks {projection: rank}
//   progress    step, steps, epoch, loss, ce, kl, mse, entity, retention (means since the last; terms with weight 0 left out), learningRate,
//               gradientNorm, tokensPerSecond, secondsLeft
//   validation  step, loss, accuracy (0…1), rows
//   svd         step, condition (greatest before), lambda (greatest), change (greatest, relative), truncated (directions, all adapters)
//   skipped     step, gradientScale: gradients overflowed under the scale, which is halved
//   checkpoint  step, path
//   stopped     step, reason ("signal" or "time"), checkpoint; exit code 3
//   done        step, loss, seconds, files
//   gradcheck   mode, term, error, worst, tensors, step, ok
//   bench       parameters, tokensPerSecond, gflops, matmulGflops, share
//   error       code (failure.h), message, and where known file, line, step; exit code 1
#pragma once

#include "failure.h"
#include "json.h"

namespace trainer {

void emit(const JsonFields & event);
void emit_failure(const Failure & failure);

/// A failed assertion in ggml ends the process; the driver is told INTERNAL first. What ggml logs as a warning or worse goes to stderr.
void report_ggml();

}  // namespace trainer
