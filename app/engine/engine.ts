// Owns what the engine process does for each request: loads, counts, generates and warms up, in the scheduler's order, and gives every failure its code.
import type { Handlers } from '../contract/define.ts'
import type { EngineContract, GenerateEvent } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import { adapterGroup } from './adapter-switch.ts'
import { inspectAdapter } from './adapter.ts'
import { inspectModel } from './gguf.ts'
import { LoadedModel } from './llama.ts'
import { loadFailure } from './load-failure.ts'
import { Scheduler } from './scheduler.ts'
import { warm } from './warm.ts'

/** The handlers of the engine contract over one loaded model. */
export function createEngine(): Handlers<EngineContract> {
  const scheduler = new Scheduler()
  let model: LoadedModel | null = null
  let group = ''

  const unload = async () => {
    const old = model
    model = null
    await old?.dispose()
  }
  const loaded = (): LoadedModel => {
    if (!model) throw new AppError('MODEL_NOT_LOADED')
    return model
  }
  /** Never beside a running answer: both would use the same context. */
  const alone = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const turn = await scheduler.turn(signal, { alone: true })
    if (!turn) throw new AppError('CANCELLED')
    try {
      return await work()
    } finally {
      turn.end()
    }
  }

  return {
    'engine.load': async function* (input, signal) {
      const facts = await inspectModel(input.modelPath)
      for (const { path } of input.adapters) await inspectAdapter(path, input.modelPath)
      const steps = new Latest<number>()
      const work = alone(signal, async () => {
        await unload()
        model = await LoadedModel.load(input, facts, (progress) => steps.set(progress), signal)
        group = adapterGroup(input.adapters)
        scheduler.slots = model.info.sequences ?? 1
      }).catch((error: unknown) => {
        throw signal.aborted ? new AppError('CANCELLED') : loadFailure(error, facts)
      })
      const ended = work.then(
        () => steps.end(),
        () => steps.end(),
      )
      for await (const progress of steps) yield { type: 'progress', progress }
      await ended
      await work
      yield { type: 'ready', info: loaded().info }
    },

    'engine.unload': async () => {
      await alone(new AbortController().signal, unload)
      return null
    },

    'engine.count': ({ messages }) => ({ tokens: loaded().tokenize(messages).length, contextSize: loaded().info.contextSize }),

    'engine.generate': async function* ({ messages, client = '', ...input }, signal) {
      const startedAt = performance.now()
      const turn = await scheduler.turn(signal, { client, group: input.adapters ? adapterGroup(input.adapters) : group })
      if (!turn) return yield { type: 'done', stop: 'stopped', promptTokens: 0, tokens: 0, firstTokenMs: null, tokensPerSecond: null }
      const queuedMs = performance.now() - startedAt
      try {
        for await (const event of loaded().generate(messages, input, signal)) yield withQueue(event, queuedMs)
      } finally {
        turn.end()
      }
    },

    'engine.warm': (input, signal) => warm(input, { scheduler, model: () => model, groupOf: (own) => (own ? adapterGroup(own) : group) }, signal),
  }
}

function withQueue(event: GenerateEvent, queuedMs: number): GenerateEvent {
  return event.type === 'done' && event.firstTokenMs !== null ? { ...event, firstTokenMs: event.firstTokenMs + queuedMs } : event
}

/** A value that a callback sets and an async loop reads; values that nobody had time to read are skipped. */
class Latest<T> implements AsyncIterable<T> {
  #value: { value: T } | null = null
  #ended = false
  #wake = () => {}

  set(value: T): void {
    this.#value = { value }
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#value
      this.#value = null
      if (next) yield next.value
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
