// Owns the door: name → parse → handler → coded result. Knows no transport; both hosts and the engine process feed it.
import type { Contract, Handlers, NamesOf, Result, StateOf } from '../contract/define.ts'
import { AppError } from '../contract/errors.ts'

type Listener = (name: string, state: unknown) => void
// The only `any` of the program: after #parse the input fits the handler, which TypeScript cannot see through the lookup by name.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Looked = Record<string, (input: unknown, signal?: AbortSignal) => any>

export class Router<C extends Contract> {
  readonly #contract: C
  readonly #handlers: Looked
  readonly #onInternal: (name: string, error: unknown) => void
  readonly #states = new Map<string, unknown>()
  readonly #listeners = new Set<Listener>()

  /** `onInternal` hears of every failure that is not an AppError; such a failure reaches the caller only as INTERNAL. */
  constructor(contract: C, handlers: Handlers<C>, onInternal: (name: string, error: unknown) => void = () => {}) {
    this.#contract = contract
    this.#handlers = handlers as unknown as Looked
    this.#onInternal = onInternal
  }

  async call(name: string, raw: unknown): Promise<Result> {
    try {
      const input = this.#parse('call', name, raw)
      return { ok: true, data: await this.#handlers[name]!(input) }
    } catch (error) {
      return this.#fail(name, error)
    }
  }

  /** Ends after at most one failed result. An abort of `signal` reaches the handler, whose `finally` blocks run. */
  async *stream(name: string, raw: unknown, signal: AbortSignal): AsyncGenerator<Result> {
    try {
      const input = this.#parse('stream', name, raw)
      for await (const data of this.#handlers[name]!(input, signal)) yield { ok: true, data }
    } catch (error) {
      yield this.#fail(name, error)
    }
  }

  publish<K extends NamesOf<C, 'topic'>>(name: K, state: StateOf<C[K]>): void {
    this.#states.set(name, state)
    for (const listener of this.#listeners) listener(name, state)
  }

  /** Snapshot of every topic first, then every change: a page that connects late misses nothing. */
  subscribe(listener: Listener): () => void {
    for (const [name, state] of this.#states) listener(name, state)
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #fail(name: string, error: unknown): Result {
    const wire = AppError.wire(error)
    if (wire.code === 'INTERNAL') this.#onInternal(name, error)
    return { ok: false, error: wire }
  }

  #parse(kind: 'call' | 'stream', name: unknown, raw: unknown): unknown {
    // hasOwn: 'constructor' and '__proto__' are names a hostile page may send
    const route = typeof name === 'string' && Object.hasOwn(this.#contract, name) ? this.#contract[name] : undefined
    if (route?.kind !== kind) throw new AppError('UNKNOWN_ROUTE')
    const parsed = route.input.safeParse(raw)
    if (parsed.success) return parsed.data
    // paths and rules only: the offending value may be a question
    const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
    throw new AppError('BAD_INPUT', `${issues.join('; ')}. Check what you entered and try again.`, { issues })
  }
}
