// Owns a server on the clinic's network as an engine: looked at once, counted with, asked; its last failure and its last sign of life.
import type { GenerateEvent, Message } from '../../contract/engine.ts'
import type { Origin } from '../../contract/entities.ts'
import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../base/log.ts'
import { chat } from './chat.ts'
import { TIMES, type Access, type Times } from './connect.ts'
import { countTokens, lookAtServer, type ServerFacts } from './facts.ts'
import { faultOf } from './failure.ts'

/** Tokens. A server's model is large enough for Rushlight's instructions, and its answers are bounded like those of any model. */
const LIMITS = { profile: 'full', maxAnswerTokens: 700 } as const
/** What was found out holds so long; a server may have been started with another model meanwhile. */
const FRESH_MS = 5 * 60_000
/** Bounded by its times alone: others wait for it as well. */
const never = () => new AbortController().signal
const NAMES = { 'llama-server': 'llama-server', vllm: 'vLLM', other: 'OpenAI-compatible server' } as const

export class ServerEngine {
  readonly #access: Access
  readonly #wanted: string | null
  readonly #log: Log
  readonly #times: Times
  readonly #changed: () => void
  #facts: ServerFacts | null = null
  #looking: Promise<ServerFacts> | null = null
  #failure: AppError | null = null
  /** performance.now of the last thing that went well; 0 for never. */
  #heardAt = 0
  #answering = 0

  /** `model` null: the first that the server offers. `changed` hears of every change of facts, failure or number of answers. */
  constructor(parts: { access: Access; model: string | null; log: Log; changed?: () => void; times?: Partial<Times> }) {
    this.#access = parts.access
    this.#wanted = parts.model
    this.#log = parts.log
    this.#changed = parts.changed ?? (() => {})
    this.#times = { ...TIMES, ...parts.times }
  }

  get host(): string {
    return this.#access.address.host
  }
  /** null before the first look that went well. */
  get facts(): ServerFacts | null {
    return this.#facts
  }
  /** The latest failure; null once something has gone well after it. */
  get failure(): AppError | null {
    return this.#failure
  }
  get answering(): number {
    return this.#answering
  }
  /** It has been spoken to not long ago, and well. */
  get isReady(): boolean {
    return this.#facts !== null && this.#failure === null && performance.now() - this.#heardAt < FRESH_MS
  }

  /** Looks at the server; a look that runs already is joined. Throws in words. */
  look(): Promise<ServerFacts> {
    return (this.#looking ??= this.#watch('look', () => lookAtServer(this.#access, this.#wanted, never(), this.#times))
      .then((facts) => {
        this.#facts = facts
        this.#changed()
        return facts
      })
      .finally(() => (this.#looking = null)))
  }

  limits(): typeof LIMITS {
    return LIMITS
  }

  async count(messages: readonly Message[]): Promise<{ tokens: number; contextSize: number }> {
    const facts = this.#facts ?? (await this.look())
    const tokens = await this.#watch('count', () => countTokens(this.#access, facts, messages, never(), this.#times))
    return { tokens, contextSize: facts.contextSize }
  }

  async *generate(
    input: { messages: Message[]; maxTokens: number; temperature: number; seed?: number },
    signal: AbortSignal,
    promptTokens: number,
  ): AsyncGenerator<GenerateEvent> {
    const { model } = this.#facts ?? (await this.look())
    this.#answering++
    this.#changed()
    try {
      for await (const event of chat(this.#access, { ...input, model, promptTokens }, signal, this.#times)) {
        if (event.type === 'text') this.#well()
        yield event
      }
    } catch (error) {
      throw this.#ill('answer', error)
    } finally {
      this.#answering--
      this.#changed()
    }
  }

  /** Model and engine of an answer. The server says nothing of its file: its hash stays empty and its layers are not known. */
  origin(): Origin {
    const facts = this.#facts
    const model = facts?.model ?? this.#wanted ?? ''
    return {
      model: { id: `server:${model}`.slice(0, 200), name: model, version: '', quantisation: '', demonstration: false, sha256: '' },
      mode: 'base',
      adapter: null,
      engine: { name: NAMES[facts?.program ?? 'other'], backend: 'remote', host: this.host, gpuLayers: 0, layers: 0, threads: 0 },
    }
  }

  async #watch<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work()
      this.#well()
      return result
    } catch (error) {
      throw this.#ill(doing, error)
    }
  }

  #well(): void {
    this.#heardAt = performance.now()
    if (!this.#failure) return
    this.#failure = null
    this.#changed()
  }

  /** A stop is no failure of the server, and a question that is too long neither. The log gets the kind, never an address or a text. */
  #ill(doing: string, error: unknown): unknown {
    const known = error instanceof AppError ? error : null
    if (!known || known.code === 'QUESTION_TOO_LONG' || known.code === 'CANCELLED') return error
    this.#failure = known
    this.#log.warn('server failed', { doing, code: known.code, fault: faultOf(known) })
    this.#changed()
    return known
  }
}
