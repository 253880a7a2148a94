// Owns an answer while it grows: what was written, its timing, its provenance, the checks of it, and every save of it.
import type { Clinical } from '../contract/clinical.ts'
import type { GenerateEvent } from '../contract/engine.ts'
import type { AskEvent, Conversation, ErrorInfo, Provenance, Turn } from '../contract/entities.ts'
import { AppError, type Code } from '../contract/errors.ts'
import type { AskParts } from './ask.ts'
import type { Plan } from './budget.ts'
import { checkAnswer } from './checks.ts'
import type { Reading } from './facts.ts'
import { promptHash } from './prompt.ts'
import { createReasoningSplitter, type Piece } from './reasoning.ts'
import { uncertaintyOf, type Piece as Likely } from './uncertainty.ts'

// Often enough that a crash costs a second of text, rarely enough that the disk does not slow the answer.
const SAVE_EVERY_MS = 1000
type Saved = { conversation: Conversation; turn: Turn }

export class Draft {
  #saved: Saved | null = null
  readonly #parts: AskParts
  readonly #turn: Turn
  readonly #read: Reading
  readonly #likely: Likely[] = []
  readonly #splitter = createReasoningSplitter()
  readonly #startedAt = performance.now()
  #readingSince: number | null = null
  #firstTokenMs: number | null = null
  #savedAt = performance.now()
  #answer = ''
  #reasoning = ''
  #tokens = 0
  #end: Extract<GenerateEvent, { type: 'done' }> | null = null
  #plan: Plan | null = null
  #error: ErrorInfo | null = null

  constructor(parts: AskParts, turn: Turn, read: Reading) {
    this.#parts = parts
    this.#read = read
    this.#turn = turn
  }

  *take(event: GenerateEvent, plan: Plan): Generator<AskEvent> {
    this.#plan = plan
    if (event.type === 'prefill') {
      this.#readingSince ??= performance.now()
      const elapsed = performance.now() - this.#readingSince
      const remainingMs = event.done > 0 ? Math.round((elapsed / event.done) * (event.total - event.done)) : null
      yield { type: 'stage', stage: 'reading', progress: event.total > 0 ? event.done / event.total : 1, remainingMs }
    } else if (event.type === 'text') {
      if (this.#firstTokenMs === null) {
        this.#firstTokenMs = performance.now() - this.#startedAt
        yield { type: 'stage', stage: 'writing', progress: null, remainingMs: null }
      }
      this.#tokens = event.tokens
      if (event.probability !== undefined) this.#likely.push({ text: event.text, probability: event.probability })
      yield* this.#write(this.#splitter.push(event.text))
    } else {
      this.#end = event
      yield* this.#write(this.#splitter.end())
    }
  }

  *#write(pieces: Piece[]): Generator<AskEvent> {
    for (const { kind, text } of pieces) {
      this.#keep(kind, text)
      yield { type: kind, text }
    }
    if (performance.now() - this.#savedAt < SAVE_EVERY_MS) return
    this.#savedAt = performance.now()
    this.#parts.store.saveProgress(this.#turn.id, this.#answer, this.#reasoning)
  }

  /** A stop while waiting for the model is not a failure of anything. */
  fail(error: unknown, signal: AbortSignal): void {
    this.#error = signal.aborted ? reason('CANCELLED') : AppError.wire(error)
    if (this.#error.code === 'INTERNAL') this.#parts.onInternal(error)
  }

  /** Stores the end of the turn, once; every later call returns what was stored. */
  save(): Saved {
    if (this.#saved) return this.#saved
    for (const { kind, text } of this.#splitter.end()) this.#keep(kind, text)
    const complete = this.#end?.stop === 'end'
    const error = this.#error ?? (complete ? null : reason(this.#end?.stop === 'length' ? 'ANSWER_CUT' : 'CANCELLED'))
    const failed = this.#answer === '' && error !== null && error.code !== 'CANCELLED'
    this.#saved = this.#parts.store.finishTurn(this.#turn.id, {
      status: complete ? 'complete' : failed ? 'failed' : 'partial',
      answer: this.#answer,
      reasoning: this.#reasoning,
      error,
      provenance: this.#provenance(),
      clinical: this.#checked(),
    })
    return this.#saved
  }

  /** A fault in a check must never cost an answer that was written: it is then stored as not compared. */
  #checked(): Clinical {
    const { clinical, text } = this.#read
    const { category } = this.#turn.classification
    const { facts } = this.#parts.clinical()
    try {
      const uncertainty = uncertaintyOf(this.#likely, this.#answer, facts.formulary)
      const demonstration = this.#plan !== null && this.#parts.engine.origin(this.#turn.classification.category).model.demonstration
      return { ...clinical, checks: checkAnswer({ question: text, answer: this.#answer, category, clinical, demonstration, uncertainty }, facts) }
    } catch (error) {
      this.#parts.onInternal(error)
      return clinical
    }
  }

  #keep(kind: Piece['kind'], text: string): void {
    if (kind === 'text') this.#answer += text
    else this.#reasoning += text
  }

  #provenance(): Provenance | null {
    const plan = this.#plan
    if (!plan) return null
    const { engine, prompts, appVersion } = this.#parts
    const limits = engine.limits()
    const hash = promptHash(prompts, this.#turn.classification.category, limits.profile)
    return {
      ...engine.origin(this.#turn.classification.category),
      cache: null,
      stop: this.#end?.stop ?? 'lost',
      prompt: { profile: limits.profile, hash, earlierTurns: plan.earlierTurns, droppedTurns: plan.droppedTurns },
      promptTokens: plan.promptTokens,
      tokens: this.#end?.tokens ?? this.#tokens,
      firstTokenMs: this.#firstTokenMs,
      tokensPerSecond: this.#end?.tokensPerSecond ?? null,
      appVersion,
      at: new Date().toISOString(),
    }
  }
}

function reason(code: Code): ErrorInfo {
  const { message } = new AppError(code)
  return { code, message }
}
