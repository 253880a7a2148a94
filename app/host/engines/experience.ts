// Owns engines.json in the data folder: what every engine has shown of its speed, its breaker, and the last failures in words.
import * as z from 'zod'
import type { EngineList } from '../../contract/hardware.ts'
import { AppError, type Code } from '../../contract/errors.ts'
import type { Log } from '../../base/log.ts'
import { afterFailure, afterSuccess, Breaker, CLOSED } from '../../deploy/selection/breaker.ts'
import { blame, learn, Learned, nothingLearned, type Observed } from '../../deploy/selection/learned.ts'
import { readWhole, writeWhole } from '../whole-file.ts'

const Kept = z.strictObject({
  version: z.literal(1),
  /** By the key of an engine: what it is, on what, with which model. */
  engines: z.record(z.string().max(400), z.strictObject({ learned: Learned, breaker: Breaker })),
  failures: z.array(z.strictObject({ at: z.iso.datetime(), engine: z.string().max(300), why: z.string().max(500) })).max(100),
})
type Kept = z.infer<typeof Kept>
const WHAT = 'engine facts'
const FAILURES_KEPT = 30
/** The least used go first. */
const ENGINES_KEPT = 60

/** Not the engine's fault, or not a fault: nobody is fenced for it. */
const INNOCENT: ReadonlySet<Code> = new Set([
  ...(['CANCELLED', 'QUESTION_TOO_LONG', 'QUESTION_EMPTY', 'ANSWER_CUT', 'MODEL_NOT_LOADED', 'INTERNAL', 'BAD_INPUT'] as const),
])
export const isBlameable = (error: unknown): error is AppError => error instanceof AppError && !INNOCENT.has(error.code)

export class Experience {
  readonly #path: string
  readonly #log: Log
  readonly #now: () => Date
  #kept: Kept

  /** `path`: engines.json. A damaged file is the same as none. */
  constructor(parts: { path: string; log: Log; now?: () => Date }) {
    this.#path = parts.path
    this.#log = parts.log
    this.#now = parts.now ?? (() => new Date())
    this.#kept = readWhole(this.#path, Kept, WHAT, this.#log) ?? { version: 1, engines: {}, failures: [] }
  }

  now(): Date {
    return this.#now()
  }

  /** null for an engine that has never answered nor failed. */
  learned(key: string): Learned | null {
    return this.#kept.engines[key]?.learned ?? null
  }

  breaker(key: string): Breaker {
    return this.#kept.engines[key]?.breaker ?? CLOSED
  }

  get failures(): EngineList['failures'] {
    return this.#kept.failures
  }

  answered(key: string, observed: Observed): void {
    this.#set(key, { learned: learn(this.#known(key), observed, this.#now()), breaker: afterSuccess() })
  }

  /** It works again, though nothing was measured: an answer that was stopped, or a test that a person asked for. */
  forgiven(key: string): void {
    if (this.breaker(key).openUntil !== null) this.#set(key, { learned: this.#known(key), breaker: afterSuccess() })
  }

  /** `name`: of the engine, for a person. `why`: a sentence without any text of a question. */
  failed(key: string, name: string, why: string): void {
    const now = this.#now()
    const failure = { at: now.toISOString(), engine: name.slice(0, 300), why: why.slice(0, 500) }
    // the same again is one line with the newer time
    const others = this.#kept.failures.filter((one) => one.engine !== failure.engine || one.why !== failure.why)
    this.#kept = { ...this.#kept, failures: [failure, ...others].slice(0, FAILURES_KEPT) }
    this.#set(key, { learned: blame(this.#known(key), now), breaker: afterFailure(this.breaker(key), now) })
  }

  /** A person wants everything tried anew. */
  forgiveAll(): void {
    const engines = Object.fromEntries(Object.entries(this.#kept.engines).map(([key, one]) => [key, { ...one, breaker: CLOSED }]))
    this.#kept = { ...this.#kept, engines }
    this.#write()
  }

  #known(key: string): Learned {
    return this.learned(key) ?? nothingLearned(this.#now())
  }

  #set(key: string, one: Kept['engines'][string]): void {
    const { [key]: _, ...others } = this.#kept.engines
    const kept = Object.entries(others).slice(-(ENGINES_KEPT - 1))
    this.#kept = { ...this.#kept, engines: { ...Object.fromEntries(kept), [key]: one } }
    this.#write()
  }

  #write(): void {
    writeWhole(this.#path, this.#kept, WHAT, this.#log)
  }
}
