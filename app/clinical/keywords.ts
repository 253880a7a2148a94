// Owns the keyword tables K_c of equation 1: reads models/terms once and turns them into the tries that the classifier walks.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { categories, type Category } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { SENTENCE_END, words } from './text.ts'

/** Words that stand for each other in a keyword: {drug} is any word of class-drug.tsv. {n} is also any number in digits. */
export const classNames = [
  'drug',
  'problem',
  'critical',
  'vaccine',
  'unit',
  'often',
  'low',
  'fast',
  'slow',
  'rapid',
  'potassium',
  'diastolic',
  'state',
  'body',
  'alarm',
  'hypo',
  'n',
] as const

/** `none`: phrases that count for no category but hide the words inside them ("practice management", "not known to be allergic"). */
export type Claim = Category | 'none'
/** One line of a table. A line with alternatives, (side|adverse) effect, is one keyword however often it is found. */
export interface Keyword {
  readonly claim: Claim
  readonly line: number
}
/** A way to write a keyword. `text` is what to show; null when it holds a class, so that the words of the question are shown instead. */
export interface Spelling {
  readonly keyword: Keyword
  readonly text: string | null
}
export interface Node<End> {
  readonly next: Map<string, Node<End>>
  readonly ends: End[]
}
export interface KeywordTables {
  /** Steps are folded words and class names in braces. */
  readonly keywords: Node<Spelling>
  /** Steps are folded words; ends are class names in braces. */
  readonly classes: Node<string>
  /** Keywords per category, and words per class, for reports. */
  readonly counts: Readonly<Record<string, number>>
}

/** The lines of each table without comments, as {claim or class: ["keyword", …]}. */
export interface TableLines {
  readonly keywords: Partial<Record<Claim, readonly string[]>>
  readonly classes: Partial<Record<(typeof classNames)[number], readonly string[]>>
}

/** Reads keywords-<category>.tsv, keywords-none.tsv and class-<name>.tsv from `folder`. Throws RESOURCE_MISSING naming the file. */
export function loadKeywordTables(folder: string): KeywordTables {
  const claims: Claim[] = [...categories.filter((category) => category !== 'general'), 'none']
  const read = (name: string) => readTable(join(folder, `${name}.tsv`), `terms/${name}.tsv`)
  return buildTables({
    keywords: Object.fromEntries(claims.map((claim) => [claim, read(`keywords-${claim}`)])),
    classes: Object.fromEntries(classNames.map((name) => [name, read(`class-${name}`)])),
  })
}

function readTable(path: string, shown: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split(/\r?\n/)
    const rows = lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => line.split('\t')[0]!.trim())
    if (rows.length > 0) return rows
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', `The file ${shown} of the program is missing. Reinstall Rushlight.`, undefined, cause)
  }
  throw new AppError('RESOURCE_MISSING', `The file ${shown} of the program is empty. Reinstall Rushlight.`)
}

export function buildTables(tables: TableLines): KeywordTables {
  const keywords = node<Spelling>()
  const classes = node<string>()
  const counts: Record<string, number> = {}
  for (const [name, rows] of Object.entries(tables.classes)) {
    counts[`{${name}}`] = rows.length
    for (const row of rows) for (const text of spellings(row)) insert(classes, steps(text), `{${name}}`, (other) => other === `{${name}}`)
  }
  for (const [claim, rows] of Object.entries(tables.keywords)) {
    counts[claim] = rows.length
    rows.forEach((row, line) => {
      const keyword: Keyword = { claim: claim as Claim, line }
      // the same words on two lines of a table are one keyword, that of the first line
      for (const text of spellings(row))
        insert(keywords, steps(text), { keyword, text: text.includes('{') ? null : text }, (other) => other.keyword.claim === claim)
    })
  }
  return { keywords, classes, counts }
}

const node = <End>(): Node<End> => ({ next: new Map(), ends: [] })

function insert<End>(root: Node<End>, path: string[], end: End, same: (other: End) => boolean): void {
  if (path.length === 0) throw new Error('a keyword without words')
  let at = root
  for (const step of path) {
    let next = at.next.get(step)
    if (!next) at.next.set(step, (next = node()))
    at = next
  }
  if (!at.ends.some(same)) at.ends.push(end)
}

const steps = (text: string): string[] =>
  text.split(/(\{[a-z]+\})/).flatMap((part) =>
    part.startsWith('{')
      ? [part]
      : words(part)
          .map((word) => word.folded)
          .filter((word) => word !== SENTENCE_END),
  )

/** (a|b) c  →  a c, b c;  (|very) low  →  low, very low. Alternatives do not nest. */
export function spellings(row: string): string[] {
  const open = row.indexOf('(')
  if (open < 0) return [row.replace(/ +/g, ' ').trim()]
  const close = row.indexOf(')', open)
  if (close < 0 || row.slice(open + 1, close).includes('(')) throw new Error(`alternatives that are not closed, or that nest: ${row}`)
  return row
    .slice(open + 1, close)
    .split('|')
    .flatMap((choice) => spellings(row.slice(0, open) + choice + row.slice(close + 1)))
}
