// Owns the term tables: reads models/terms/terms-*.tsv and the brands of the medicine records once and turns them into one trie.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { buildCues, type CueTable, type Sense } from './term-context.ts'
import { tokens } from './term-tokens.ts'

export type TermKind = 'abbreviation' | 'synonym' | 'spelling' | 'medicine' | 'brand' | 'unit'
/**
 * When a form counts. caps: only in capitals, since it is a word too. exact: only with these capitals. number: only after a number ("10 u").
 * dose: only after a number or a unit ("40 mg om"). prescription: in small letters only beside a dose or a medicine ("im" is I'm as well).
 */
export type Rule = '' | 'caps' | 'exact' | 'number' | 'dose' | 'prescription'
/** A form that always means the same. `means` null: stays as it is, although a part of it is in a table. */
export interface Fixed {
  readonly written: string
  readonly means: string | null
  readonly kind: TermKind
  readonly rule: Rule
}
/**
 * A form with several meanings. `lower` is what it takes in small letters: never; alike, as in capitals; a neighbour that proves it, since it
 * is a word too; only, when it is meant in small letters alone.
 */
export interface Ambiguous {
  readonly written: string
  readonly senses: readonly Sense[]
  readonly lower: 'never' | 'alike' | 'neighbour' | 'only'
}
export interface TermNode {
  readonly next: Map<string, TermNode>
  /** More than one where the capitals tell them apart (PsA, PSA): the first whose rule holds counts. */
  readonly fixed: Fixed[]
  ambiguous?: Ambiguous
}
export interface TermTables {
  readonly root: TermNode
  readonly cues: CueTable
  /** First words of the names of medicines, generic and brand. */
  readonly medicines: ReadonlySet<string>
  readonly units: ReadonlySet<string>
  /** Typed form → meaning pairs, of the files and of the records. */
  readonly entries: number
}
export interface MedicineNames {
  readonly name: string
  readonly brands: readonly string[]
}
/** The columns of each line without comments. */
export interface TermRows {
  readonly fixed: readonly { readonly kind: TermKind; readonly rows: readonly (readonly string[])[] }[]
  readonly ambiguous: readonly (readonly string[])[]
  readonly keep: readonly (readonly string[])[]
}

const FILES: readonly (readonly [name: string, kind: TermKind])[] = [
  ...(['body', 'life', 'tests', 'drugs', 'notes', 'times'] as const).map((part) => [`terms-abbreviations-${part}`, 'abbreviation'] as const),
  ['terms-synonyms', 'synonym'],
  ['terms-spelling', 'spelling'],
  ['terms-misspellings', 'spelling'],
  ['terms-medicines', 'medicine'],
  ['terms-brands', 'brand'],
  ['terms-units', 'unit'],
]
const RULES: readonly string[] = ['', 'caps', 'exact', 'number', 'dose', 'prescription'] satisfies Rule[]
const LOWER: Readonly<Record<string, Ambiguous['lower']>> = { '': 'neighbour', any: 'alike', caps: 'never', small: 'only' }
/** After these a dose has been named: "500 mg bd", "once daily ac", "po prn". */
const UNITS =
  'mg g kg mcg ug micrograms microgram ml l units unit iu mmol mcg/kg % tablet tablets tab tabs capsule capsules puff puffs spray daily od bd tds qds bid tid qid oral orally mouth subcutaneous intramuscular intravenous po sc im iv'.split(
    ' ',
  )

/** Reads the tables from `folder` (models/terms). Throws RESOURCE_MISSING naming the file; a line that would be misread is an Error. */
export function loadTermTables(folder: string, medicines: readonly MedicineNames[]): TermTables {
  const read = (name: string) => readRows(join(folder, `${name}.tsv`), `terms/${name}.tsv`)
  return buildTermTables(
    { fixed: FILES.map(([name, kind]) => ({ kind, rows: read(name) })), ambiguous: read('terms-ambiguous'), keep: read('terms-keep') },
    medicines,
  )
}

/** Generic names and brands of the medicine records in `folder` (models/corpus). Throws RESOURCE_MISSING. */
export function readMedicineNames(folder: string): MedicineNames[] {
  const lines = (file: string) =>
    readFileSync(join(folder, file), 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '')
  try {
    const files = readdirSync(folder).filter((file) => /^medicines-.*\.jsonl$/.test(file))
    if (files.length > 0) return files.flatMap((file) => lines(file).map((line) => JSON.parse(line) as MedicineNames))
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', 'The medicine records of the program cannot be read. Reinstall Rushlight.', undefined, cause)
  }
  throw new AppError('RESOURCE_MISSING', 'The medicine records of the program are missing. Reinstall Rushlight.')
}

function readRows(path: string, shown: string): string[][] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', `The file ${shown} of the program is missing. Reinstall Rushlight.`, undefined, cause)
  }
  const rows = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('# '))
  if (rows.length === 0) throw new AppError('RESOURCE_MISSING', `The file ${shown} of the program is empty. Reinstall Rushlight.`)
  return rows.map((line) => line.split('\t').map((cell) => cell.trim()))
}

export function buildTermTables(rows: TermRows, medicines: readonly MedicineNames[]): TermTables {
  const root = node()
  const names = new Set<string>()
  const name = (text: string) => void names.add(tokens(text)[0]?.plain ?? '')
  const meanings = new Set(medicines.map((medicine) => medicine.name))
  let entries = 0
  const add = (written: string, means: string | null, kind: TermKind, rule: Rule) => {
    const at = place(root, written)
    // of equals the first wins; a record's brand stands before the table of brands
    if ((at.ambiguous && at.ambiguous.lower !== 'only') || at.fixed.some((other) => other.rule === rule)) return
    // a form that counts always comes after those that count sometimes
    at.fixed.splice(rule === '' ? at.fixed.length : 0, 0, { written, means, kind, rule })
    if (means !== null) meanings.add(means)
    entries++
  }
  for (const [written] of rows.keep) add(written!, null, 'synonym', /^[A-Z]/.test(written!) ? 'exact' : '')
  const senses: Sense[] = []
  for (const [written = '', means, cues, rule = ''] of rows.ambiguous) {
    const lower = LOWER[rule]
    if (!means || !cues || !lower) throw new Error(`a line of the ambiguous terms that cannot be read: ${written}`)
    const sense: Sense = { at: senses.length, means, cues: cues.split('|') }
    senses.push(sense)
    meanings.add(means)
    const at = place(root, written)
    at.ambiguous = { written, senses: [...(at.ambiguous?.senses ?? []), sense], lower: at.ambiguous?.lower ?? lower }
    entries++
  }
  for (const { name: generic, brands } of medicines) {
    name(generic)
    for (const brand of brands) {
      name(brand)
      add(brand, generic, 'brand', brandRule(brand))
    }
  }
  for (const { kind, rows: lines } of rows.fixed)
    for (const [forms, means, rule = ''] of lines) {
      if (!means || !RULES.includes(rule)) throw new Error(`a line of the ${kind} tables that cannot be read: ${forms}`)
      if (kind === 'brand' || kind === 'medicine') name(means)
      for (const written of forms!.split('|')) add(written, means, kind, rule === '' && kind === 'brand' ? brandRule(written) : (rule as Rule))
    }
  // a standard form is one already, whatever its parts would be elsewhere
  for (const means of meanings)
    if (place(root, means).fixed.length === 0 && !place(root, means).ambiguous)
      place(root, means).fixed.push({ written: means, means: null, kind: 'synonym', rule: '' })
  return { root, cues: buildCues(senses), medicines: names, units: new Set(UNITS), entries }
}

/** Short brand names are words or first names as well (Nix, Ella): those count only with their capital. */
const brandRule = (brand: string): Rule => (brand.length <= 4 ? 'exact' : '')

const node = (): TermNode => ({ next: new Map(), fixed: [] })

function place(root: TermNode, written: string): TermNode {
  // the dot behind t.d.s. may end the sentence as well
  const path = tokens(written.replace(/\.$/, ''))
  if (path.length === 0) throw new Error(`a term without words: ${written}`)
  let at = root
  for (const { plain } of path) {
    let next = at.next.get(plain)
    if (!next) at.next.set(plain, (next = node()))
    at = next
  }
  return at
}
