// Owns the decision whether guessing tokens from the prompt pays: measured while answers are written, for each kind of question by itself.

/** Milliseconds and tokens of one way of writing; older ones count less and less. */
class Pace {
  #ms = 0
  #tokens = 0

  add(ms: number, tokens: number): void {
    // about the last 500 tokens: a machine that gets busy changes what pays
    const keep = Math.max(0, 1 - tokens / 500)
    this.#ms = this.#ms * keep + ms
    this.#tokens = this.#tokens * keep + tokens
  }

  get tokens(): number {
    return this.#tokens
  }

  get msPerToken(): number {
    return this.#ms / this.#tokens
  }
}

export type Speculation = 'auto' | 'on' | 'off'

/** Tokens that are written in one way before the choice is made again. */
export const BLOCK = 16
/** Tokens of each way before it is judged. */
const ENOUGH = 1.5 * BLOCK
/** What is not faster by this much is not worth a different rounding. */
const WORTH = 0.95
/** Every so many blocks the other way is tried again. */
const RETRY = 16
const KINDS_KEPT = 64

export class SpeculationJudge {
  readonly #kinds = new Map<string, { on: Pace; off: Pace; blocks: number }>()

  /** Whether the next block of an answer of this kind is to be guessed. */
  choose(kind: string, mode: Speculation): boolean {
    if (mode !== 'auto') return mode === 'on'
    const known = this.#of(kind)
    const { on, off } = known
    if (off.tokens < ENOUGH) return false
    if (on.tokens < ENOUGH) return true
    const pays = on.msPerToken < off.msPerToken * WORTH
    return ++known.blocks % RETRY === 0 ? !pays : pays
  }

  /** What a block took. Only of answers that were written alone: beside another one the time says nothing. */
  measured(kind: string, guessed: boolean, ms: number, tokens: number): void {
    if (tokens > 0) this.#of(kind)[guessed ? 'on' : 'off'].add(ms, tokens)
  }

  #of(kind: string): { on: Pace; off: Pace; blocks: number } {
    const known = this.#kinds.get(kind) ?? { on: new Pace(), off: new Pace(), blocks: 0 }
    this.#kinds.delete(kind)
    this.#kinds.set(kind, known)
    if (this.#kinds.size > KINDS_KEPT) this.#kinds.delete(this.#kinds.keys().next().value!)
    return known
  }
}
