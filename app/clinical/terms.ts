// Owns the standardisation of a question: short forms, lay words, spellings, brands and units become the words of the records, each change undoable. Pure.
import type { Understood } from '../contract/entities.ts'
import { Context, NEIGHBOUR } from './term-context.ts'
import { Edits } from './term-edits.ts'
import { isShouted, isUpper, joined, keyOf, pluralOf, singular, withCapital, withoutPlural } from './term-forms.ts'
import { tokens, type Token } from './term-tokens.ts'
import type { Ambiguous, Fixed, TermKind, TermNode, TermTables } from './term-tables.ts'

export interface Change {
  /** UTF-16 positions in the text as typed, end exclusive. */
  readonly start: number
  readonly end: number
  readonly typed: string
  readonly means: string
  readonly kind: TermKind
  /** Given to `standardise` as `keep`, these undo the change wherever it stands in the text. */
  readonly undo: readonly string[]
}
/** A short form that the words around it do not decide: left as typed, and said so. */
export interface Unclear {
  readonly start: number
  readonly end: number
  readonly typed: string
  readonly couldBe: readonly string[]
}
export interface Standardised {
  readonly text: string
  /** By place; no two overlap. */
  readonly changes: readonly Change[]
  readonly unclear: readonly Unclear[]
}
interface Match {
  readonly from: number
  readonly to: number
  readonly means: string | null
  readonly kind: TermKind
  readonly couldBe?: readonly string[]
}
/** A change can bring words together that make another term; more rounds than this would be a fault of the tables. */
const ROUNDS = 6

/**
 * The question in standard words. Numbers, negation and unknown names stay as typed; so does a short form whose meaning the words around it
 * do not decide. Applied to its own text it changes nothing more. `keep` holds the `undo` of changes that the user took back.
 * Time is linear in the length of the text.
 */
export function standardise(question: string, tables: TermTables, keep: ReadonlySet<string> = new Set()): Standardised {
  const edits = new Edits(question)
  let found: Match[] = []
  let read: Token[] = []
  let byUse = false
  for (let round = 0; round < ROUNDS; round++) {
    read = tokens(edits.text)
    found = matches(read, edits.text, tables, keep, byUse)
    const changes = found.flatMap(({ from, to, means, kind }) =>
      means === null ? [] : [{ ...spanOf(from, to), means, kind, key: keyOf(read.slice(from, to)) }],
    )
    if (changes.length > 0) edits.apply(changes)
    else if (byUse) break
    // usual meanings only once the words have had their say
    byUse = changes.length === 0
  }
  return {
    text: edits.text,
    changes: edits.all.map(({ start, end, text, kind, undo }) => ({ start, end, typed: question.slice(start, end), means: text.trim(), kind, undo })),
    unclear: found.flatMap(({ from, to, couldBe }) => {
      if (!couldBe) return []
      const { start, end } = spanOf(from, to)
      const at = edits.origin(start, end)
      return [{ ...at, typed: question.slice(at.start, at.end), couldBe }]
    }),
  }

  function spanOf(from: number, to: number) {
    return { start: read[from]!.start, end: read[to - 1]!.end }
  }
}

/** What the page shows: each typed form once; a form that stands for two things shows both. Spelling and units need no words. */
export function understood(changes: readonly Change[]): Understood[] {
  const shown = new Map<string, Set<string>>()
  for (const { typed, means, kind } of changes) {
    if (kind === 'spelling' || kind === 'unit') continue
    shown.set(typed, (shown.get(typed) ?? new Set()).add(means))
  }
  return [...shown].map(([typed, means]) => ({ typed, means: [...means].join(' / ') }))
}

/** The terms of a text from left to right, the longest at each place; matches do not overlap. */
function matches(read: readonly Token[], text: string, tables: TermTables, keep: ReadonlySet<string>, byUse: boolean): Match[] {
  const context = new Context(read, text, tables)
  const shouted = isShouted(text)
  const found: Match[] = []
  for (let from = 0; from < read.length;) {
    const match = longest(from)
    if (match) found.push(match)
    from = match ? match.to : from + 1
  }
  return found

  function longest(from: number): Match | null {
    let node: TermNode | undefined = tables.root
    let best: Match | null = null
    for (let at = from; at < read.length; at++) {
      if (at > from && !joined(text, read[at - 1]!, read[at]!)) break
      const token = read[at]!
      const plural = at === from ? singular(token) : null
      const next: TermNode | undefined = node.next.get(token.plain)
      const alone = plural === null ? undefined : node.next.get(plural)
      if (!isTerm(next) && alone) best = judge(alone, from, at + 1, true) ?? best
      node = next
      if (!node) break
      best = judge(node, from, at + 1, false) ?? best
    }
    return best
  }

  function judge(node: TermNode, from: number, to: number, plural: boolean): Match | null {
    const span = read.slice(from, to)
    if (keep.has(keyOf(span))) return null
    const chosen = node.ambiguous ? choose(node.ambiguous, from, to, plural) : null
    if (chosen) return chosen
    const fixed = node.fixed.find((one) => counts(one, span, from, to, plural))
    if (!fixed) return null
    if (fixed.means === null) return plural ? null : { from, to, means: null, kind: fixed.kind }
    if (plural && fixed.kind !== 'abbreviation') return null
    const means = plural ? pluralOf(fixed.means) : fixed.means
    const typed = text.slice(span[0]!.start, span.at(-1)!.end)
    if (typed === means || (fixed.kind !== 'unit' && typed.toLowerCase() === means.toLowerCase())) return { from, to, means: null, kind: fixed.kind }
    return { from, to, means: fixed.kind === 'spelling' || fixed.kind === 'synonym' ? withCapital(typed, means) : means, kind: fixed.kind }
  }

  function choose(form: Ambiguous, from: number, to: number, plural: boolean): Match | null {
    const upper = !shouted && isUpper(plural ? withoutPlural(read[from]!.typed) : read[from]!.typed)
    // FIT is a test, a fit is a seizure
    if (upper && form.lower === 'only') return null
    const small = upper ? 'alike' : form.lower
    if (small === 'never' || (small === 'neighbour' && plural)) return null
    const { sense, score, usual } = context.vote(form.senses, from, to)
    const chosen = small === 'neighbour' && score < NEIGHBOUR ? null : (sense ?? (byUse && small !== 'neighbour' ? usual : null))
    if (chosen && chosen.means === read[from]!.typed) return { from, to, means: null, kind: 'unit' }
    if (chosen) return { from, to, means: plural ? pluralOf(chosen.means) : chosen.means, kind: 'abbreviation' }
    // in small letters it is more often a word than a short form
    if (small !== 'alike' || form.written === form.written.toLowerCase()) return null
    return { from, to, means: null, kind: 'abbreviation', couldBe: form.senses.map(({ means }) => means) }
  }

  function counts({ rule, written }: Fixed, span: readonly Token[], from: number, to: number, plural: boolean): boolean {
    const typed = text.slice(span[0]!.start, span.at(-1)!.end)
    switch (rule) {
      case '':
        return true
      case 'caps':
        return !shouted && isUpper(plural ? withoutPlural(typed) : typed)
      case 'exact':
        return typed === written || (plural && withoutPlural(typed) === written)
      case 'number':
        return beside(from - 1, from)?.isNumber === true
      case 'dose':
        return context.afterDose(from)
      case 'prescription':
        return (
          (isUpper(typed) && !shouted) ||
          context.afterDose(from) ||
          isMedicine(beside(from - 1, from)) ||
          isMedicine(beside(to, to - 1)) ||
          beside(to, to - 1)?.isNumber === true
        )
    }
  }

  function isTerm(node: TermNode | undefined): boolean {
    return node !== undefined && (node.fixed.length > 0 || node.ambiguous !== undefined)
  }

  /** The word at `at` when nothing but a space or a hyphen parts it from the word at `other`, next to it. */
  function beside(at: number, other: number): Token | undefined {
    const [token, neighbour] = [read[at], read[other]]
    if (!token || !neighbour) return undefined
    return (at < other ? joined(text, token, neighbour) : joined(text, neighbour, token)) ? token : undefined
  }

  function isMedicine(token: Token | undefined): boolean {
    return token !== undefined && tables.medicines.has(token.plain)
  }
}
