// Owns which parts of a question tell who a person is, and the question without them that keeps its clinical sense.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { scan } from './doses/scan.ts'
import { findAddresses } from './identifiers/addresses.ts'
import { findBirthDates } from './identifiers/dates.ts'
import { findNames, type NameHit, type NameTables } from './identifiers/names.ts'
import { findNumbers, type Kind } from './identifiers/numbers.ts'

export type { Kind as IdentifierKind, NameTables }
export interface Identifier {
  readonly kind: Kind
  /** In the text as typed, in UTF-16 units. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** What is written in its place; may be ''. */
  readonly replacement: string
}

/**
 * Reads given-names.tsv and eponyms.tsv from `terms`; `medicines` are names that no person has. Throws RESOURCE_MISSING naming the file.
 */
export function loadNameTables(terms: string, medicines: readonly string[] = []): NameTables {
  const read = (name: string) => {
    try {
      const lines = readFileSync(join(terms, `${name}.tsv`), 'utf8').split(/\r?\n/)
      return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => line.split('\t')[0]!.trim().toLowerCase())
    } catch (cause) {
      throw new AppError('RESOURCE_MISSING', `The file terms/${name}.tsv of the program is missing. Reinstall Rushlight.`, undefined, cause)
    }
  }
  return { given: new Set(read('given-names')), notNames: new Set([...read('eponyms'), ...medicines.map((name) => name.toLowerCase())]) }
}

/** Which kinds win where two meet: the one that says more exactly what it is. */
const RANK: readonly Kind[] = ['email', 'national number', 'record number', 'date of birth', 'address', 'phone', 'name']
const PLACE: Readonly<Record<Exclude<Kind, 'name' | 'date of birth'>, string>> = {
  email: '[e-mail removed]',
  'national number': '[number removed]',
  'record number': '[number removed]',
  address: '[address removed]',
  phone: '[phone number removed]',
}

/** Every identifier of `text`, in order, without overlap. `now` decides the age that replaces a date of birth. Linear in the length. */
export function findIdentifiers(text: string, tables: NameTables, now: Date): Identifier[] {
  const scanned = scan(text)
  const back = inverse(scanned.at, text.length)
  const found: Identifier[] = []
  const add = (kind: Kind, start: number, end: number, replacement: string) =>
    found.push({ kind, start, end, text: text.slice(start, end), replacement })
  const typed = (at: number) => scanned.at[at]!
  const numbers = [...findNumbers(scanned.text), ...findAddresses(text, scanned.text, back)]
  for (const { kind, start, end } of numbers) add(kind, typed(start), typed(end), PLACE[kind as keyof typeof PLACE])
  for (const { start, end, age } of findBirthDates(scanned.text, now))
    add('date of birth', typed(start), typed(end), age === '' ? '[date of birth removed]' : age)
  const seen = new Set<string>()
  for (const hit of findNames(text, tables).sort((a, b) => a.start - b.start)) add('name', hit.start, hit.end, inPlaceOf(hit, text, seen))
  return withoutOverlap(found)
}

/** `text` without the identifiers: names become what they stood for, a date of birth the age, the rest a note of what was there. */
export function removeIdentifiers(text: string, found: readonly Identifier[]): string {
  let clean = ''
  let at = 0
  for (const { start, end, replacement } of found) {
    clean += text.slice(at, start)
    if (replacement === '') clean = clean.replace(/[ ,]+$/, '')
    clean += capitalised(replacement, clean)
    at = end
  }
  return (clean + text.slice(at)).replace(/^[ ,]+/, '')
}

const capitalised = (words: string, before: string): string =>
  words !== '' && (before.trim() === '' || /[.!?]\s*$/.test(before)) ? words.charAt(0).toUpperCase() + words.slice(1) : words

/** Sex is clinical and a title says it: once, where the name first stands. */
function inPlaceOf({ role, start, end }: NameHit, text: string, seen: Set<string>): string {
  switch (role) {
    case 'doctor':
      return /\bdear $/i.test(text.slice(Math.max(0, start - 5), start)) ? 'doctor' : 'the doctor'
    case 'her name':
      return 'the patient is a woman'
    case 'his name':
      return 'the patient is a man'
    case 'nurse':
      return 'the nurse'
    case 'baby':
      return 'the baby'
    case 'woman':
    case 'man': {
      const surname = text.slice(start, end).split(' ').at(-1)!
      if (seen.has(surname)) return 'the patient'
      seen.add(surname)
      // "the patient (a woman)'s potassium" is no English
      return /^['’]s/.test(text.slice(end, end + 2)) ? 'the patient' : `the patient (a ${role})`
    }
    case 'patient':
      return afterLabel(text, start) ? '[name removed]' : 'the patient'
    case '':
      return afterLabel(text, start) ? '[name removed]' : ''
  }
}

const afterLabel = (text: string, start: number): boolean => /(?:: ?|\bre )$/i.test(text.slice(Math.max(0, start - 3), start))

/** The first scanned place at or after each typed place. */
function inverse(at: readonly number[], length: number): (typed: number) => number {
  const places = new Int32Array(length + 1)
  let scannedAt = 0
  for (let typed = 0; typed <= length; typed++) {
    while (scannedAt < at.length - 1 && at[scannedAt]! < typed) scannedAt++
    places[typed] = scannedAt
  }
  return (typed) => places[Math.min(typed, length)]!
}

function withoutOverlap(found: readonly Identifier[]): Identifier[] {
  const ranked = [...found].sort((a, b) => a.start - b.start || b.end - a.end || RANK.indexOf(a.kind) - RANK.indexOf(b.kind))
  const kept: Identifier[] = []
  for (const one of ranked) {
    const last = kept.at(-1)
    if (!last || one.start >= last.end) {
      kept.push(one)
      continue
    }
    const sameSpan = one.start === last.start && one.end === last.end
    const better = RANK.indexOf(one.kind) < RANK.indexOf(last.kind) && (sameSpan || one.end - one.start >= last.end - last.start)
    if (better) kept[kept.length - 1] = one
    else if (one.end > last.end && one.kind === last.kind)
      kept[kept.length - 1] = { ...last, end: one.end, text: last.text + one.text.slice(last.end - one.start) }
  }
  return kept
}
