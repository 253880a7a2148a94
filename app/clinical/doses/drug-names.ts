// Owns how the medicines of the formulary are found in a text: generic names, other names and brands, longest first, with those that have no record.
import type { Medicine } from '../records.ts'
import { scan } from './scan.ts'

/** A name in a scanned text. `medicine` is null for a medicine that is known by name but has no record. */
export interface Mention {
  readonly medicine: Medicine | null
  /** As found, in lower case. */
  readonly name: string
  readonly start: number
  readonly end: number
}

export interface Formulary {
  readonly medicines: readonly Medicine[]
  /** First word → the names that start with it, longest first. */
  readonly names: ReadonlyMap<string, readonly { words: readonly string[]; medicine: Medicine | null }[]>
  /** Words that may stand between a medicine and its dose: those of the records' own indications. */
  readonly familiar: ReadonlySet<string>
}

const WORD = /[\p{L}\p{N}]+/gu
const wordsOf = (text: string): string[] => scan(text).text.match(WORD) ?? []
/** Other names that are as often a word of something else: the patient, a blood test, a plan. */
const STRENGTH = /\d ?(?:mg|g|micrograms?|ml|%)/
/** Groups of medicines have no dose of their own: "an opioid", "ACE inhibitors". */
const GROUP =
  /(?:s|inhibitor|blocker|antagonist|agonist|agent|drug|antibiotic|opioid|opiate|penicillin|statin|nsaid|antihistamine|steroid|corticosteroid|diuretic|antidepressant|antipsychotic|benzodiazepine|macrolide|cephalosporin|triptan|anticoagulant|antiemetic|laxative|hypnotic|antacid|contraceptive|pill|ppi|ssri|snri|doac|hrt|saba|laba|ics)$/
const TOO_COMMON = new Set(['al', 'pred', 'doxy', 'iron', 'emollient', 'emollients', 'moisturiser', 'folate', 'cortisol', 'asa', 'peg', 'ella', 't4'])

/** `otherNames`: medicines that are known to exist but have no record, so that their doses are never taken for those of another. */
export function createFormulary(medicines: readonly Medicine[], otherNames: readonly string[] = []): Formulary {
  const names = new Map<string, { words: string[]; medicine: Medicine | null }[]>()
  const taken = new Set<string>()
  const add = (name: string, medicine: Medicine | null) => {
    const words = wordsOf(name)
    const key = words.join(' ')
    if (words.length === 0 || STRENGTH.test(name) || taken.has(key) || TOO_COMMON.has(key)) return
    taken.add(key)
    const first = names.get(words[0]!)
    if (first) first.push({ words, medicine })
    else names.set(words[0]!, [{ words, medicine }])
  }
  for (const medicine of medicines) for (const name of [medicine.name, ...medicine.otherNames, ...medicine.brands]) add(name, medicine)
  const generic = new Set(names.keys())
  for (const name of otherNames) {
    // "salbutamol inhaler" is salbutamol
    const form = /^(\S+) (?:inhaler|nebuliser|cream|ointment|gel|tablets?|injection|spray|drops|patch|suspension)$/i.exec(name)
    if (!GROUP.test(name.toLowerCase()) && !(form && generic.has(form[1]!.toLowerCase()))) add(name, null)
  }
  for (const list of names.values()) list.sort((a, b) => b.words.length - a.words.length)
  const familiar = new Set(medicines.flatMap(({ uses, doses }) => [...uses, ...doses.map(({ indication }) => indication)].flatMap(wordsOf)))
  return { medicines, names, familiar }
}

/** The medicines named in a scanned text, in order, without overlap. */
export function findDrugs(text: string, { names }: Formulary): Mention[] {
  const words = [...text.matchAll(WORD)]
  const found: Mention[] = []
  for (let i = 0; i < words.length; i++) {
    const match = names.get(words[i]![0])?.find((name) => name.words.every((word, k) => words[i + k]?.[0] === word && joined(text, words, i, k)))
    if (!match) continue
    const last = words[i + match.words.length - 1]!
    found.push({ medicine: match.medicine, name: match.words.join(' '), start: words[i]!.index, end: last.index + last[0].length })
    i += match.words.length - 1
  }
  return found
}

/** Words of one name are parted by a space, a hyphen or a slash, not by the end of a sentence. */
function joined(text: string, words: readonly RegExpExecArray[], i: number, k: number): boolean {
  if (k === 0) return true
  const before = words[i + k - 1]!
  return /^[\s\-/,']{0,3}$/.test(text.slice(before.index + before[0].length, words[i + k]!.index))
}
