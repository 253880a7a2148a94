// Owns the way from a question to its slots: standard terms, tokens, the readers in turn, and what is left over.
import { join } from 'node:path'
import { scan } from '../doses/scan.ts'
import { standardise } from '../terms.ts'
import { loadTermTables, readMedicineNames, type TermTables } from '../term-tables.ts'
import { age } from './age.ts'
import { allergy, withAllergens } from './allergy.ts'
import { amount } from './amount.ts'
import { aspect } from './aspect.ts'
import { KEPT } from './brands.ts'
import { withCapitals } from './capitals.ts'
import { comparison } from './comparison.ts'
import { course } from './course.ts'
import { direction } from './direction.ts'
import { duration } from './duration.ts'
import { form } from './form.ts'
import { frequency } from './frequency.ts'
import { kind } from './kind.ts'
import { languageOf } from './language.ts'
import { buildLexicon, findInLexicon, type Lexicon } from './lexicon.ts'
import { readSlotNames } from './names.ts'
import { negation } from './negation.ts'
import { number } from './number.ts'
import { orderOf, withoutLinks } from './order.ts'
import { organ, withStates } from './organ.ts'
import { pregnancy } from './pregnancy.ts'
import { route } from './route.ts'
import { SEXED, sex } from './sex.ts'
import { side } from './side.ts'
import { slotNames, type Atom, type Reading, type Slot, type SlotName, type SlotReader, type Slots, type Take, type Token } from './slot.ts'
import { standardWord } from './synonyms.ts'
import { tokensOf, withoutCourtesies } from './tokens.ts'
import { weight } from './weight.ts'
import { withWords } from './words.ts'

/** In this order: a reader that needs more words around a number comes before one that needs fewer. */
const readers: readonly SlotReader[] = [organ, pregnancy, weight, age, sex, duration, amount, frequency, comparison]
const withPhrases = [...readers, allergy, aspect, course, direction, form, kind, negation, route, side] as const

export interface SlotTables {
  readonly terms: TermTables
  readonly lexicon: Lexicon
}

/** Reads the tables in `resources` (models): terms/ and corpus/. `terms` saves reading those twice. Throws RESOURCE_MISSING naming the file. */
export function loadSlotTables(resources: string, terms?: TermTables): SlotTables {
  const medicines = readMedicineNames(join(resources, 'corpus'))
  const folder = join(resources, 'terms')
  return { terms: terms ?? loadTermTables(folder, medicines), lexicon: buildLexicon(withPhrases, readSlotNames(folder, medicines)) }
}

/** In characters: a longer text is a pasted document, which no other question will equal in all but a detail. */
const LONGEST = 4000
const unread = (question: string): Slots => ({ text: question, slots: [{ slot: 'word', values: [question] }] })

/**
 * The slots of a question: every word of it is in one of them, so that two questions with equal slots differ in no word that matters.
 * Time grows linearly with the text.
 */
export function slotsOf(question: string, { terms, lexicon }: SlotTables): Slots {
  if (question.length > LONGEST) return unread(question)
  const plain = scan(question)
  const typed = withCapitals(withoutCourtesies(tokensOf(plain.text)), question, plain)
  const standard = standardise(question, terms, KEPT).text
  const scanned = scan(standard)
  const tokens = withCapitals(withoutCourtesies(tokensOf(scanned.text)), standard, scanned).map((token): Token => ({
    ...token,
    text: standardWord(token.text),
  }))
  const reading: Reading = { scanned: scanned.text, tokens, texts: tokens.map(({ text }) => text) }
  const filled = withoutLinks(withWords(reading, withStates(reading, withAllergens(reading, fill(reading, lexicon)))))
  const values = new Map<SlotName, string[]>()
  for (const { slot, value } of filled.atoms) {
    const list = values.get(slot)
    if (list) list.push(value)
    else values.set(slot, [value])
  }
  // a standard term can swallow a pronoun
  const swallowed = sexedWords(typed).filter((word) => !reading.texts.includes(word))
  if (swallowed.length > 0) values.set('sex', [...(values.get('sex') ?? []), ...swallowed])
  values.set('language', [languageOf(plain.text)])
  const order = orderOf(filled)
  const slots = slotNames.flatMap((slot): Slot[] => {
    if (slot === 'order') return [{ slot, values: order }]
    const held = values.get(slot)
    return held ? [{ slot, values: held.sort() }] : []
  })
  return { text: typed.map(({ text }) => text).join(' '), slots }
}

const sexedWords = (tokens: readonly Token[]): string[] => tokens.flatMap(({ text }) => (SEXED.has(text) ? [text] : []))

/** Atoms by place; no two overlap. */
function fill(reading: Reading, lexicon: Lexicon): Atom[] {
  const taken = new Uint8Array(reading.tokens.length)
  const atoms: Atom[] = []
  const take: Take = (slot, value, from, to) => {
    if (from < 0 || to > taken.length || from >= to || taken.subarray(from, to).some((used) => used === 1)) return false
    taken.fill(1, from, to)
    atoms.push({ slot, value, from, to })
    return true
  }
  for (const reader of readers) reader.read?.(reading, take)
  // a phrase that holds a number ("trimester 1") is longer than the number
  findInLexicon(reading.tokens, taken, lexicon, take)
  number.read(reading, take)
  return atoms.sort((a, b) => a.from - b.from)
}
