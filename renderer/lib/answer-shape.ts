// Owns the shape of an answer on the page: first line large, at most five lines under it, the rest in folds. Pure, and stable while it grows.
import type { Unit } from './markdown.ts'
import { plainText, countWords } from './markdown.ts'
import { firstSentenceEnd } from './sentences.ts'

export interface Fold {
  /** The model's own heading, or null for what simply goes on. */
  readonly title: string | null
  readonly units: readonly Unit[]
  readonly words: number
}
export interface Shape {
  /** Markdown of the first line, '' when the answer starts with a list or a table. */
  readonly lead: string
  readonly body: readonly Unit[]
  readonly folds: readonly Fold[]
}

const BODY_UNITS = 5
const BODY_WORDS = 110
/** A fold that holds less than this is more work to open than to read. */
const SMALLEST_FOLD_WORDS = 30
/** A first "sentence" longer than this is a paragraph without full stops. */
const LONGEST_LEAD = 320

/**
 * Where each unit goes depends only on the units before it, so a growing answer never moves a line already read. `finished` may
 * unfold what turned out short: it only appends.
 */
export function shapeAnswer(units: readonly Unit[], finished: boolean): Shape {
  // a list item that was begun and never written is no line
  const { lead, rest } = takeLead(finished ? units.filter((unit) => unit.text.trim() !== '') : units)
  const body: Unit[] = []
  const folds: { title: string | null; units: Unit[]; words: number }[] = []
  let words = 0
  let lines = 0
  for (const unit of rest) {
    const full = folds.length > 0 || lines >= BODY_UNITS || words >= BODY_WORDS
    if (!full) {
      body.push(unit)
      words += unit.words
      if (unit.kind !== 'heading') lines += 1
    } else if (unit.kind === 'heading' || folds.length === 0) {
      const heading = unit.kind === 'heading'
      folds.push({ title: heading ? plainText(unit.text) : null, units: heading ? [] : [unit], words: heading ? 0 : unit.words })
    } else {
      const fold = folds.at(-1)!
      fold.units.push(unit)
      fold.words += unit.words
    }
  }
  const folded = folds.reduce((sum, fold) => sum + fold.words, 0)
  if (finished && folds.length === 1 && folds[0]!.title === null && folded < SMALLEST_FOLD_WORDS)
    return { lead, body: [...body, ...folds[0]!.units], folds: [] }
  return { lead, body, folds }
}

function takeLead(units: readonly Unit[]): { lead: string; rest: readonly Unit[] } {
  const first = units[0]
  if (first?.kind === 'heading') return { lead: first.text, rest: units.slice(1) }
  if (first?.kind !== 'text') return { lead: '', rest: units }
  const line = first.text.split('\n', 1)[0]!
  const end = firstSentenceEnd(line) ?? line.length
  if (end > LONGEST_LEAD) return { lead: '', rest: units }
  const lead = first.text.slice(0, end)
  const after = first.text.slice(end).trim()
  if (after === '') return { lead, rest: units.slice(1) }
  return { lead, rest: [{ ...first, text: after, raw: after, words: countWords(after) }, ...units.slice(1)] }
}
