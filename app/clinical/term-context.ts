// Owns the choice between the meanings of a short form: the words around it vote, and without a majority there is no choice. Pure.
import { fold } from './text.ts'
import { tokens, type Token } from './term-tokens.ts'

/**
 * One meaning and the words that speak for it. A cue is a phrase found near by; "<word" stands right before the short form, ">word" right
 * after it, and weighs more. "<dose": a dose before; ">dose": a number with a unit after; "<number", ">number": a number.
 * "*": the meaning when nothing speaks for another.
 */
export interface Sense {
  readonly at: number
  readonly means: string
  readonly cues: readonly string[]
}
interface CueNode {
  readonly next: Map<string, CueNode>
  /** Numbers of the senses that this phrase speaks for. */
  readonly senses: number[]
  readonly id: number
}
export interface CueTable {
  readonly root: CueNode
  readonly before: readonly ReadonlySet<string>[]
  readonly after: readonly ReadonlySet<string>[]
  readonly usual: readonly boolean[]
}
/** `score` of the best meaning; `sense` null when two are level or none has a vote. */
export interface Verdict {
  readonly sense: Sense | null
  readonly score: number
  /** The usual meaning would decide, since the words do not. */
  readonly usual: Sense | null
}

/** Words on each side that are heard: a question, or a few sentences of a long text. */
const REACH = 25
/** Words in front of a number among which the name of its medicine stands. */
const NAMED = 3
/** A neighbour says more than a word somewhere else. */
export const NEIGHBOUR = 3

export function buildCues(senses: readonly Sense[]): CueTable {
  let ids = 0
  const node = (): CueNode => ({ next: new Map(), senses: [], id: ids++ })
  const root = node()
  for (const sense of senses)
    for (const cue of sense.cues) {
      if (cue === '*' || cue.startsWith('<') || cue.startsWith('>')) continue
      let at = root
      for (const { plain } of tokens(cue)) {
        const step = fold(plain)
        let next = at.next.get(step)
        if (!next) at.next.set(step, (next = node()))
        at = next
      }
      at.senses.push(sense.at)
    }
  const side = (mark: string) =>
    senses.map(({ cues }) => new Set(cues.filter((cue) => cue.startsWith(mark)).map((cue) => fold(tokens(cue.slice(1))[0]?.plain ?? ''))))
  return { root, before: side('<'), after: side('>'), usual: senses.map(({ cues }) => cues.includes('*')) }
}

/** The cues that start at each word of a text; made once for a text, and only when it holds an ambiguous form. */
export class Context {
  readonly #text: readonly Token[]
  readonly #typed: string
  readonly #table: CueTable
  readonly #units: ReadonlySet<string>
  readonly #medicines: ReadonlySet<string>
  #found: (readonly CueNode[])[] | null = null

  constructor(text: readonly Token[], typed: string, tables: { cues: CueTable; units: ReadonlySet<string>; medicines: ReadonlySet<string> }) {
    this.#text = text
    this.#typed = typed
    this.#table = tables.cues
    this.#units = tables.units
    this.#medicines = tables.medicines
  }

  /** True after a unit, and after a number that follows the name of a medicine: "500 mg", "2 puffs", "ramipril 5". */
  afterDose(at: number): boolean {
    const before = this.#beside(at - 1, at)
    if (!before?.isNumber) return before !== undefined && this.#units.has(before.plain)
    // an eye has a pressure of 32, and sees 6/9
    return this.#text.slice(Math.max(0, at - 1 - NAMED), at - 1).some(({ plain }) => this.#medicines.has(plain))
  }

  /** The votes for the meanings of the form at word `from` up to `to`. */
  vote(senses: readonly Sense[], from: number, to: number): Verdict {
    const found = (this.#found ??= this.#findAll())
    const heard = new Map<number, Set<number>>(senses.map(({ at }) => [at, new Set()]))
    for (let at = Math.max(0, from - REACH); at < Math.min(this.#text.length, to + REACH); at++) {
      if (at >= from && at < to) continue
      for (const { id, senses: voted } of found[at]!) for (const sense of voted) heard.get(sense)?.add(id)
    }
    const scored = senses.map((sense) => ({ sense, score: heard.get(sense.at)!.size + this.#neighbours(sense.at, from, to) }))
    const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
    const level = scored.filter(({ score }) => score === best.score)
    const usual = level.find(({ sense }) => this.#table.usual[sense.at])?.sense ?? null
    return { sense: best.score > 0 && level.length === 1 ? best.sense : null, score: best.score, usual }
  }

  #neighbours(sense: number, from: number, to: number): number {
    const [before, after] = [this.#table.before[sense]!, this.#table.after[sense]!]
    const [left, right, beyond] = [this.#beside(from - 1, from), this.#beside(to - 1, to, 1), this.#text[to + 1]]
    let score = 0
    if (left && (before.has(fold(left.plain)) || (before.has('dose') && this.afterDose(from)) || (before.has('number') && left.isNumber)))
      score += NEIGHBOUR
    const dosed = right?.isNumber === true && beyond !== undefined && this.#units.has(beyond.plain)
    if (right && (after.has(fold(right.plain)) || (after.has('dose') && dosed) || (after.has('number') && right.isNumber))) score += NEIGHBOUR
    return score
  }

  /** The word left of `at`, or with `step` 1 the one right of `at - 1`; none where a comma or a bracket stands between. */
  #beside(left: number, right: number, step: 0 | 1 = 0): Token | undefined {
    const [first, second] = [this.#text[left], this.#text[right]]
    if (!first || !second || /[^\s\-‐‑–]/.test(this.#typed.slice(first.end, second.start))) return undefined
    return step === 0 ? first : second
  }

  #findAll(): (readonly CueNode[])[] {
    const steps = this.#text.map(({ plain }) => fold(plain))
    return steps.map((_, from) => {
      const here: CueNode[] = []
      let node: CueNode | undefined = this.#table.root
      for (let at = from; at < steps.length; at++) {
        node = node.next.get(steps[at]!)
        if (!node) break
        if (node.senses.length > 0) here.push(node)
      }
      return here
    })
  }
}
