// Owns which records a text names: the index of every name, and its search. Medicines are found as the dose checks find them.
import { createFormulary, findDrugs, type Formulary } from './doses/drug-names.ts'
import { original, scan } from './doses/scan.ts'
import { namesOf, type KnownRecord } from './record-files.ts'
import type { Medicine } from './records.ts'
import { fold } from './text.ts'

interface Name {
  readonly words: readonly string[]
  readonly known: KnownRecord
  /** Of two or three letters: only with these capitals is it a name ("AF", but not "af" or "Al"). */
  readonly exact: string | null
}
export interface Facts {
  readonly byId: ReadonlyMap<string, KnownRecord>
  readonly medicines: ReadonlyMap<Medicine, KnownRecord>
  readonly formulary: Formulary
  /** Folded first word → the names that begin with it, longest first. */
  readonly names: ReadonlyMap<string, readonly Name[]>
}
export interface Naming {
  readonly known: KnownRecord
  readonly start: number
  readonly end: number
  /** As the text has it. */
  readonly words: string
}
export interface Named {
  /** In order of appearance, each record once. */
  readonly found: readonly Naming[]
  /** Medicines that are named and have no record. */
  readonly missing: readonly string[]
}

const WORD = /[\p{L}\p{N}]+/gu
const foldedWords = (text: string): string[] => (scan(text).text.match(WORD) ?? []).map(fold)
/** Everyday words that are names of records as well; alone they say nothing about a patient. */
const EVERYDAY = new Set(['flu', 'hypo', 'burn', 'burns', 'faint', 'submersion', 'candida', 'warts', 'boils'])
const SHORT = 3

/** `otherMedicines`: names of medicines without a record, so that a question about one is never answered from another. */
export function createFacts(records: readonly KnownRecord[], otherMedicines: readonly string[]): Facts {
  const medicines = new Map<Medicine, KnownRecord>()
  const names = new Map<string, Name[]>()
  for (const known of records) {
    const { record } = known
    if (record.kind === 'medicine') {
      medicines.set(record, known)
      continue
    }
    for (const name of namesOf(record)) {
      const words = foldedWords(name)
      const exact = name.length <= SHORT && !EVERYDAY.has(name.toLowerCase()) ? name.toUpperCase() : null
      const list = names.get(words[0]!)
      if (list) list.push({ words, known, exact })
      else names.set(words[0]!, [{ words, known, exact }])
    }
  }
  for (const list of names.values()) list.sort((a, b) => b.words.length - a.words.length)
  return {
    byId: new Map(records.map((known) => [known.record.id, known])),
    medicines,
    formulary: createFormulary([...medicines.keys()], otherMedicines),
    names,
  }
}

/** Every record that `text` names, the longest name at each place: "paracetamol overdose" is the emergency and not the medicine. Linear. */
export function findNamed(text: string, facts: Facts): Named {
  const scanned = scan(text)
  const spans = [...topics(scanned.text, text, scanned.at, facts), ...drugs(scanned.text, facts)].sort((a, b) => a.start - b.start || b.end - a.end)
  const found = new Map<string, Naming>()
  const missing = new Set<string>()
  let reach = 0
  for (const span of spans) {
    if (span.start < reach) continue
    reach = span.end
    const at = original(scanned, span.start, span.end)
    const words = text.slice(at.start, at.end)
    if (span.known === null) missing.add(words)
    else if (!found.has(span.known.record.id)) found.set(span.known.record.id, { known: span.known, ...at, words })
  }
  return { found: [...found.values()], missing: [...missing] }
}

type Span = { readonly known: KnownRecord | null; readonly start: number; readonly end: number }

const drugs = (scanned: string, facts: Facts): Span[] =>
  findDrugs(scanned, facts.formulary).map(({ medicine, start, end }) => ({ known: medicine ? facts.medicines.get(medicine)! : null, start, end }))

function topics(scanned: string, text: string, at: readonly number[], { names }: Facts): Span[] {
  const words = [...scanned.matchAll(WORD)]
  const folded = words.map(([word]) => fold(word))
  const found: Span[] = []
  for (let i = 0; i < words.length; i++) {
    const match = names
      .get(folded[i]!)
      ?.find((name) => name.words.every((word, k) => folded[i + k] === word && near(scanned, words, i, k)) && cased(name))
    if (!match) continue
    const last = words[i + match.words.length - 1]!
    found.push({ known: match.known, start: words[i]!.index, end: last.index + last[0].length })
    i += match.words.length - 1

    function cased({ exact }: Name): boolean {
      const { index, 0: word } = words[i]!
      return exact === null || text.slice(at[index]!, at[index + word.length]!).trim() === exact
    }
  }
  return found
}

/** Words of one name are parted by a space, a hyphen, a comma or a slash, not by the end of a sentence. */
function near(scanned: string, words: readonly RegExpExecArray[], i: number, k: number): boolean {
  if (k === 0) return true
  const before = words[i + k - 1]!
  return /^[\s\-/,']{0,3}$/.test(scanned.slice(before.index + before[0].length, words[i + k]!.index))
}
