// Owns the choice among all engines in a running program: equation 9 for each question, what is learned from its answer, and the list for the page.
import type { GenerateEvent } from '../../contract/engine.ts'
import type { EngineStatus } from '../../contract/entities.ts'
import type { EngineEntry, EngineList, ServerUse } from '../../contract/hardware.ts'
import type { AppError } from '../../contract/errors.ts'
import type { Log } from '../../base/log.ts'
import type { AnswerEngine } from '../../ask/ask.ts'
import { ENOUGH } from '../../deploy/forecast.ts'
import { fenceOf } from '../../deploy/selection/breaker.ts'
import { score, typicalLoad } from '../../deploy/selection/score.ts'
import { select, type Candidate, type Choice, type Memory } from '../../deploy/selection/select.ts'
import type { Experience } from './experience.ts'
import type { OneEngine } from './one-engine.ts'
import { QuestionEngine, type Pool } from './question-engine.ts'

interface Parts {
  /** This computer first: what keeps it from answering is what a person hears when nobody can. */
  engines: () => readonly OneEngine[]
  use: () => ServerUse
  /** This computer's own. */
  status: () => EngineStatus
  battery: () => boolean
  experience: Experience
  log: Log
  changed: () => void
}

export class Engines implements Pool {
  readonly #parts: Parts
  #memory: Memory = { chosen: null, rival: null }
  /** Engines that have a question after a failure. */
  readonly #onTrial = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get all(): readonly OneEngine[] {
    return this.#parts.engines()
  }

  /** For one question from its first token count to its last word. */
  forQuestion(): AnswerEngine {
    return new QuestionEngine(this)
  }

  /** For counting what is being typed: chooses as a question would, and is none. */
  forPreview(): AnswerEngine {
    return new QuestionEngine(this, false)
  }

  pick(but: ReadonlySet<OneEngine>, commit: boolean): OneEngine | null {
    const engines = this.all.filter((one) => !but.has(one))
    const choice = this.#choose(engines)
    if (commit && choice.chosen !== this.#memory.chosen) this.#parts.log.info('engine chosen', { engine: choice.chosen, before: this.#memory.chosen })
    if (commit) this.#memory = choice.memory
    return engines.find(({ id }) => id === choice.chosen) ?? null
  }

  failed(engine: OneEngine, { code, message }: AppError): void {
    this.#parts.log.warn('engine failed, left for a while', { engine: engine.id, code })
    this.#parts.experience.failed(engine.key(), engine.name(), message)
    this.#parts.changed()
  }

  began(engine: OneEngine, promptTokens: number): { heard(event: GenerateEvent): void; over(): void } {
    const { experience } = this.#parts
    const key = engine.key()
    const [slowedBy, alone] = [engine.slowedBy(), engine.ahead() === 0]
    const trial = experience.breaker(key).openUntil !== null
    if (trial) this.#onTrial.add(key)
    return {
      heard: (event) => {
        if (event.type !== 'done') return
        const { firstTokenMs, tokens, tokensPerSecond } = event
        // one that waited behind another says nothing of the engine
        if (firstTokenMs === null || !alone) experience.forgiven(key)
        else experience.answered(key, { promptTokens, firstMs: firstTokenMs, tokensPerSecond: tokens >= ENOUGH ? tokensPerSecond : null, slowedBy })
        this.#parts.changed()
      },
      over: () => void this.#onTrial.delete(key),
    }
  }

  /** With the server's part where the next question goes to it. */
  status(): EngineStatus {
    const local = this.#parts.status()
    if (this.all.length === 1) return local
    const next = this.pick(new Set(), false)
    if (next?.id !== 'server') return local
    const { model } = next.origin('general')
    return {
      ...local,
      ...{ phase: next.busy() ? 'answering' : 'ready', progress: 1, error: null },
      model: { id: model.id, name: model.name, quantisation: '', demonstration: false },
      server: { host: next.name(), model: model.name },
    }
  }

  list(): EngineList {
    const { experience } = this.#parts
    const engines = this.all
    const { order, why, chosen } = this.#choose(engines)
    return {
      engines: order.map((one): EngineEntry => {
        const engine = engines.find(({ id }) => id === one.id)!
        const { openUntil } = experience.breaker(engine.key())
        return {
          ...{ id: one.id, kind: one.kind, name: one.name, chosen: one.id === chosen, score: one.score, terms: one.terms, why: why[one.id]! },
          state: one.fence === 'open' ? 'fenced' : one.ready ? 'ready' : 'not ready',
          expected: { firstTokenMs: one.firstMs, tokensPerSecond: one.tokensPerSecond },
          answers: engine.expected(typicalLoad.promptTokens, experience.now()).answers,
          retryAt: one.fence === 'open' ? openUntil : null,
        }
      }),
      failures: experience.failures,
    }
  }

  #choose(engines: readonly OneEngine[]): Choice {
    const { experience, battery, use } = this.#parts
    const now = experience.now()
    const candidates = engines.map((engine): Candidate => {
      const key = engine.key()
      const expected = engine.expected(typicalLoad.promptTokens, now)
      const { score: points, terms, firstMs } = score(expected, { ...typicalLoad, ahead: engine.ahead(), battery: battery() })
      return {
        ...{ id: engine.id, kind: engine.id, name: engine.name(), ready: engine.isReady(), score: points, terms, firstMs },
        ...{ fence: fenceOf(experience.breaker(key), now), onTrial: this.#onTrial.has(key), tokensPerSecond: expected.tokensPerSecond },
      }
    })
    return select(candidates, use(), this.#memory)
  }
}
