// Owns the engine of one question: chosen once and kept, so that count, prompt and origin agree; left for the next one where nothing was written yet.
import type { GenerateEvent } from '../../contract/engine.ts'
import type { Category, Origin } from '../../contract/entities.ts'
import { AppError } from '../../contract/errors.ts'
import type { AnswerEngine } from '../../ask/ask.ts'
import { isBlameable } from './experience.ts'
import type { OneEngine } from './one-engine.ts'

/** What a question needs of all engines together. */
export interface Pool {
  readonly all: readonly OneEngine[]
  /** The best that is ready, those in `but` left out; null when there is none. `commit`: a question will really be asked. */
  pick(but: ReadonlySet<OneEngine>, commit: boolean): OneEngine | null
  failed(engine: OneEngine, error: AppError): void
  /** Hears every event of an answer. */
  began(engine: OneEngine, promptTokens: number): { heard(event: GenerateEvent): void; over(): void }
}
/** Tokens. A shorter answer is not worth another engine. */
const SHORTEST = 64

export class QuestionEngine implements AnswerEngine {
  readonly #pool: Pool
  /** It will really be asked: a preview must not count as a question, and its text stays here. */
  readonly #commit: boolean
  readonly #left = new Set<OneEngine>()
  #engine: OneEngine | null = null
  #promptTokens = 0

  constructor(pool: Pool, commit = true) {
    this.#pool = pool
    this.#commit = commit
  }

  isReady(): boolean {
    return (this.#engine ?? this.#pool.pick(this.#left, false))?.isReady() ?? false
  }

  /** Waits for whichever engine is ready first, unless the best is so already. Throws what keeps this computer from answering. */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#engine?.isReady()) return
      this.#engine = this.#pool.pick(this.#left, this.#commit)
      if (this.#engine) return
      // whoever was left is better than nobody
      const hopes = this.#pool.all.filter((one) => !this.#left.has(one))
      const engines = hopes.length > 0 ? hopes : this.#pool.all
      this.#left.clear()
      try {
        await Promise.any(engines.map((one) => one.ready(signal)))
      } catch (error) {
        signal.throwIfAborted()
        throw error instanceof AggregateError ? (error.errors[0] as unknown) : error
      }
    }
  }

  limits() {
    return this.#chosen().limits()
  }

  readonly count: AnswerEngine['count'] = async (messages) => {
    const engine = this.#chosen()
    try {
      const counted = await (this.#commit ? engine.count(messages) : engine.countHere(messages))
      this.#promptTokens = counted.tokens
      return counted
    } catch (error) {
      if (isBlameable(error)) this.#leave(engine, error)
      throw error
    }
  }

  /** Where an engine fails before it has written anything, the next one takes the same prompt; after that the answer ends with the reason. */
  async *generate(...[input, signal]: Parameters<AnswerEngine['generate']>): AsyncGenerator<GenerateEvent> {
    let asked = input
    for (;;) {
      const engine = this.#chosen()
      const watch = this.#pool.began(engine, this.#promptTokens)
      let written = false
      try {
        for await (const event of engine.generate(asked, signal, this.#promptTokens)) {
          written ||= event.type === 'text'
          watch.heard(event)
          yield event
        }
        return
      } catch (error) {
        if (!isBlameable(error)) throw error
        this.#leave(engine, error)
        const other = written || signal.aborted ? null : await this.#another(engine, asked)
        // its origin is asked for once more: what was written is of the engine that was left
        if (!other) throw this.#return(engine, error)
        asked = { ...asked, maxTokens: other }
      } finally {
        watch.over()
      }
    }
  }

  origin(category: Category): Origin {
    return this.#chosen().origin(category)
  }

  /** The tokens that another engine may write with the prompt as it is composed; it is the chosen one then. null: there is none for it. */
  async #another(
    before: OneEngine,
    { messages, maxTokens }: { messages: Parameters<AnswerEngine['count']>[0]; maxTokens: number },
  ): Promise<number | null> {
    const other = this.#pool.pick(this.#left, this.#commit)
    if (!other || other.limits().profile !== before.limits().profile) return null
    this.#engine = other
    try {
      const { tokens, contextSize } = await this.count(messages)
      const room = Math.min(maxTokens, contextSize - tokens)
      return room >= Math.min(SHORTEST, maxTokens) ? room : null
    } catch {
      return null
    }
  }

  #return(engine: OneEngine, error: AppError): AppError {
    this.#engine = engine
    return error
  }

  #leave(engine: OneEngine, error: AppError): void {
    this.#left.add(engine)
    this.#engine = null
    this.#pool.failed(engine, error)
  }

  #chosen(): OneEngine {
    this.#engine ??= this.#pool.pick(this.#left, this.#commit)
    if (this.#engine) return this.#engine
    throw new AppError('MODEL_NOT_LOADED')
  }
}
