// Owns the phrase language of the emergency tables: alternatives, word stems, short gaps; its compilation and its search in a text.
import { isNumber, SENTENCE_END, words } from './text.ts'

/** A phrase found: words from `from` up to, not including, `to`. */
export interface Found<Label> {
  readonly label: Label
  readonly from: number
  readonly to: number
}
type Step = { readonly word: string } | { readonly stems: readonly string[] } | { readonly number: true }
/** One of several runs of words, or a gap of up to `gap` words. An empty run makes the whole element optional. */
type Element = { readonly options: readonly (readonly Step[])[] } | { readonly gap: number }
interface Phrase<Label> {
  readonly label: Label
  readonly elements: readonly Element[]
}
/** Phrases by the word, stem ("swell*") or number ("#") that they can start with. */
export type PhraseIndex<Label> = ReadonlyMap<string, readonly Phrase<Label>[]>

/** Stands where a comma, bracket, colon or dash stood; words() knows none of them, but a denial ends there. */
export const PAUSE = ','
/** "BP80/50", "HR140": a reading typed without a space. */
const JOINED = /\b(bp|hr|rr|sats|temp|gcs|bm|pulse|glucose|fever)(?=\d)/gi
const GAP = 3
const MOST_GAP = 8
const SHORTEST_STEM = 3
const LONGEST_STEM = 14
/** Nothing reaches over the end of a sentence or over a word that turns the sense around. */
const BARRIERS = new Set([SENTENCE_END, 'no', 'not', 'without', 'deny', 'nor', 'but', 'denied', 'nil'])

/** The folded and shown words of a text with pauses between them. Linear in the text. */
export function pausedWords(text: string): { plain: string; folded: string }[] {
  return text
    .replace(JOINED, '$1 ')
    .split(/[,，、](?!\d)|[()[\]:–—]|\s-+\s|\.{2,}/)
    .flatMap((part, at) => (at === 0 ? words(part) : [{ plain: PAUSE, folded: PAUSE }, ...words(part)]))
}

/**
 * Compiles phrases. A phrase is words; `(a|b c|)` alternatives, an empty one making them optional; `{name}` the alternatives that `classes`
 * holds under that name; `{n}` a number; `swell*` any word so beginning; `~` a gap of up to 3 words, `~5` of up to 5 (at most 8).
 * Throws Error for a phrase that is not closed, names an unknown class, or could match nothing.
 */
export function compilePhrases<Label>(
  phrases: Iterable<readonly [label: Label, phrase: string]>,
  classes: ReadonlyMap<string, readonly string[]> = new Map(),
): PhraseIndex<Label> {
  const index = new Map<string, Phrase<Label>[]>()
  for (const [label, written] of phrases)
    for (const text of expand(written)) {
      const phrase = { label, elements: parse(text, classes) }
      for (const start of starts(phrase.elements, text)) {
        const list = index.get(start)
        if (!list) index.set(start, [phrase])
        else if (!list.includes(phrase)) list.push(phrase)
      }
    }
  return index
}

/** Alternatives inside alternatives, and those that hold a gap, become phrases of their own: "(a ~ b|c) d" is "a ~ b d" and "c d". */
function expand(text: string): string[] {
  const group = /(?<=\([^()]*)\(([^()]*)\)/.exec(text) ?? /\(([^()]*~[^()]*)\)/.exec(text)
  if (!group) return [text]
  return group[1]!.split('|').flatMap((choice) => expand(text.slice(0, group.index) + choice + text.slice(group.index + group[0].length)))
}

function parse(text: string, classes: ReadonlyMap<string, readonly string[]>): Element[] {
  const parts = text.match(/\([^()]*\)|~\d*|[^\s()~]+/g) ?? []
  if (parts.join('').replaceAll(' ', '') !== text.replaceAll(' ', '')) throw new Error(`alternatives that are not closed, or that nest: ${text}`)
  return parts.map((part): Element => {
    if (part.startsWith('~')) return { gap: Math.min(MOST_GAP, part === '~' ? GAP : Number(part.slice(1))) }
    const choices = part.startsWith('(') ? part.slice(1, -1).split('|') : [part]
    return {
      options: choices.flatMap((choice) => {
        const name = /^\{([a-z-]+)\}$/.exec(choice.trim())?.[1]
        if (name === undefined || name === 'n') return [steps(choice)]
        const members = classes.get(name)
        if (!members) throw new Error(`no class {${name}}: ${text}`)
        return members.map(steps)
      }),
    }
  })
}

const steps = (choice: string): Step[] =>
  choice.split(/\s+/).flatMap((token): Step[] => {
    if (token === '{n}') return [{ number: true }]
    if (token === '?') return [{ word: '?' }]
    if (token.endsWith('*')) return [{ stems: stems(token.slice(0, -1)) }]
    return words(token).flatMap(({ folded }) => (folded === SENTENCE_END ? [] : [{ word: folded }]))
  })

/** A stem as it begins a folded word: fold() writes "haem" as "hem", and may write "pouring" as "poring" and "agonising" as "agonizing". */
function stems(written: string): string[] {
  const stem = written.replace(/[ao]e/g, 'e')
  const other = stem.replace(/our$/, 'or').replace(/is$/, 'iz')
  return stem === other ? [stem] : [stem, other]
}

function starts(elements: readonly Element[], text: string): string[] {
  const found: string[] = []
  for (const element of elements) {
    if ('gap' in element) break
    for (const [first] of element.options) {
      if (!first) continue
      if ('word' in first) found.push(first.word)
      else if ('number' in first) found.push('#')
      else {
        if (first.stems.some((stem) => stem.length < SHORTEST_STEM || stem.length > LONGEST_STEM))
          throw new Error(`a stem of 3 to 14 letters: ${text}`)
        found.push(...first.stems.map((stem) => `${stem}*`))
      }
    }
    if (element.options.every((option) => option.length > 0)) return found
  }
  throw new Error(`a phrase that could start with anything: ${text}`)
}

/** Every phrase at every place, one match per phrase and place. Time grows linearly with the text: a phrase looks at most some dozen words ahead. */
export function findPhrases<Label>(text: readonly string[], index: PhraseIndex<Label>): Found<Label>[] {
  const found: Found<Label>[] = []
  const tryAll = (key: string, from: number) => {
    for (const { label, elements } of index.get(key) ?? []) {
      const to = end(text, elements, 0, from)
      if (to > from) found.push({ label, from, to })
    }
  }
  text.forEach((word, from) => {
    if (isNumber(word)) return (tryAll('#', from), tryAll(word, from))
    tryAll(word, from)
    for (let length = SHORTEST_STEM; length <= Math.min(LONGEST_STEM, word.length); length++) tryAll(`${word.slice(0, length)}*`, from)
  })
  return found
}

const fits = (word: string | undefined, step: Step): boolean =>
  word !== undefined && ('word' in step ? word === step.word : 'stems' in step ? step.stems.some((stem) => word.startsWith(stem)) : isNumber(word))

/** Where the elements from `at` on end when they start at word `from`; -1 when they do not fit. The nearest end is taken. */
function end(text: readonly string[], elements: readonly Element[], at: number, from: number): number {
  const element = elements[at]
  if (!element) return from
  if ('gap' in element) {
    for (let skipped = 0; skipped <= element.gap; skipped++) {
      const to = end(text, elements, at + 1, from + skipped)
      if (to >= 0) return to
      const next = text[from + skipped]
      if (next === undefined || BARRIERS.has(next)) return -1
    }
    return -1
  }
  for (const option of element.options) {
    if (!option.every((step, offset) => fits(text[from + offset], step))) continue
    const to = end(text, elements, at + 1, from + option.length)
    if (to >= 0) return to
  }
  return -1
}
