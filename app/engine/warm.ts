// Owns the run of a warm-up: one thing after the other, a turn in the background for each, and another one where somebody else came first.
import type { Adapter, WarmEvent, WarmInput } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import type { LoadedModel } from './llama.ts'
import type { Scheduler } from './scheduler.ts'
import type { PrefixStep } from './warm-up.ts'

interface Parts {
  scheduler: Scheduler
  model: () => LoadedModel | null
  /** The group of the adapters, or of those of the load. */
  groupOf: (adapters: readonly Adapter[] | undefined) => string
}

/** Events of a warm-up. Ends with `done`; throws MODEL_NOT_LOADED, and ADAPTER_MISMATCH or MODEL_* for an adapter that cannot be used. */
export async function* warm(input: WarmInput, parts: Parts, signal: AbortSignal): AsyncGenerator<WarmEvent> {
  const model = parts.model()
  if (!model) throw new AppError('MODEL_NOT_LOADED')
  for (const { id, messages, adapters } of input.prefixes) {
    let end: PrefixStep | null = null
    while (!end?.from) {
      end = null
      for await (const step of turns(parts, model, parts.groupOf(adapters), signal, (until) => model.warm(messages, adapters, until))) {
        end = step
        if (!step.from) yield { type: 'prefix', id, done: step.done, total: step.total }
      }
      if (signal.aborted || parts.model() !== model) return yield { type: 'done', stopped: true }
    }
    yield { type: 'warm', id, tokens: end.done, from: end.from, ms: end.ms }
  }
  if (input.shapes)
    for await (const sizes of turns(parts, model, parts.groupOf(undefined), signal, (until) => model.warmShapes(until)))
      yield { type: 'shapes', sizes }
  yield { type: 'done', stopped: signal.aborted || parts.model() !== model }
}

/** The steps that `work` does in one turn: until it ends, or has to give way. */
async function* turns<T>(
  { scheduler, model: current }: Parts,
  model: LoadedModel,
  group: string,
  signal: AbortSignal,
  work: (until: AbortSignal) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const turn = await scheduler.turn(signal, { background: true, group })
  if (!turn) return
  try {
    // another model may have been loaded while this waited
    if (current() === model) yield* work(AbortSignal.any([signal, turn.giveWay]))
  } finally {
    turn.end()
  }
}
