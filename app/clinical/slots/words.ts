// Owns what becomes of the small words of a question: which say nothing beside their neighbours, and the words that no slot explains.
import { isDescribed, isPerson, type Atom, type Reading } from './slot.ts'

/** Before these an "a" is an article; behind another word it may be a name ("hepatitis A"). */
const BEFORE_ARTICLE = new Set(
  `for in of with is are was to give given giving and or as on by at from has have had be what when can take taking than per does do if during
  after before about into like using use without prescribe recommend offer i we you he she need get start stop increase reduce treat manage
  diagnose develop cause should must may could would will where which this not safe such only how`.split(/\s+/),
)
const PATIENT = new Set(['patient', 'people', 'person', 'individual'])
const OF_BEFORE: ReadonlySet<string> = new Set(['aspect', 'amount', 'duration', 'number', 'frequency', 'form', 'allergy'])
/** Behind these words a group of people ends; before a noun they only describe it ("childhood asthma"). */
const NOUNS: ReadonlySet<string> = new Set(['subject', 'course', 'side', 'organ', 'drug', 'aspect', 'form', 'allergy', 'pregnancy', 'word'])
const CLAUSE = new Set('who whose taking on at of and or by has is are was not no'.split(' '))
/** What an "of" may drop before: it makes a difference before a state ("signs of pregnancy", "signs in pregnancy"). */
const THINGS: ReadonlySet<string> = new Set(['drug', 'subject', 'course', 'side', 'word', 'form', 'route'])
const FOR_ASPECTS = new Set([
  'treatment',
  'first-line treatment',
  'second-line treatment',
  'test',
  'blood test',
  'antidote',
  'indication',
  'schedule',
  'monitoring',
  'contraindication',
])

/** Aspects that are no noun: "what is safe" asks for a thing. */
const VERBS = new Set(['safe', 'effective', 'contraindicated', 'interact', 'treat', 'manage', 'first line', 'second line'])

/** Atoms by place, and where an "of" was dropped between an aspect and what it is about. */
export interface Filled {
  readonly atoms: readonly Atom[]
  /** Numbers of atoms behind a dropped "of", "to" or "for". */
  readonly about: ReadonlySet<number>
}

/** Adds an atom for each token that is left, and drops the small words that only connect. */
export function withWords({ tokens, texts }: Reading, found: readonly Atom[]): Filled {
  const byStart = new Map(found.map((atom) => [atom.from, atom]))
  const all: Atom[] = []
  for (let at = 0; at < tokens.length;) {
    const atom = byStart.get(at)
    if (atom) all.push(atom)
    else if (!isArticle(at)) all.push({ slot: 'word', value: texts[at]!, from: at, to: at + 1 })
    at = atom ? atom.to : at + 1
  }
  const atoms: Atom[] = []
  const about = new Set<number>()
  all.forEach((atom, at) => {
    const [before, next] = [atoms.at(-1), all[at + 1]]
    if (connects(atom, before, all, at)) {
      if (before?.slot === 'aspect') about.add(atoms.length)
    } else if (!(PATIENT.has(atom.value) && atom.slot === 'word' && isBeside(before, next))) atoms.push(atom)
  })
  return { atoms: withoutKind(atoms, about), about }

  function isArticle(at: number): boolean {
    const text = texts[at]!
    if (text === 'the' || text === 'an') return true
    if (text !== 'a' || tokens[at]!.glued || at === tokens.length - 1) return false
    const before = texts[at - 1]
    // "vitamins D and A in pregnancy"
    return before === undefined || (BEFORE_ARTICLE.has(before) && !/^[b-hj-z]\d*$/.test(texts[at - 2] ?? ''))
  }
}

function connects({ slot, value }: Atom, before: Atom | undefined, all: readonly Atom[], at: number): boolean {
  const next = all[at + 1]
  // "HbA1c of 58", "potassium is 6.5"
  const measured = next?.slot === 'number' && (before?.slot === 'subject' || before?.slot === 'word')
  if (measured && (value === 'of' || value === 'is' || value === '=')) return true
  if (!next || slot !== 'word') return false
  if (value === 'of') return before !== undefined && OF_BEFORE.has(before.slot) && (before.slot !== 'aspect' || THINGS.has(next.slot))
  if (value === 'to') return before?.slot === 'aspect' && before.value === 'contraindication' && THINGS.has(next.slot)
  if (value !== 'in' && value !== 'for') return false
  if (value === 'for' && before?.slot === 'aspect' && FOR_ASPECTS.has(before.value) && THINGS.has(next.slot)) return true
  return areSomebody(all, at + 1)
}

/** "in a 5 year old", "for women with …": people and no noun that they describe. "his asthma" are none. */
function areSomebody(all: readonly Atom[], from: number): boolean {
  let at = from
  while (at < all.length && (isPerson(all[at]!) || PATIENT.has(all[at]!.value)) && !/^(?:his|her)$/.test(all[at]!.value)) at++
  const behind = all[at]
  if (at === from) return false
  return behind === undefined || !NOUNS.has(behind.slot) || CLAUSE.has(behind.value)
}

/** "adult patients" are adults, "a patient aged 50" is 50; "patients" alone are somebody, and so is a patient's mother. */
const isBeside = (before: Atom | undefined, next: Atom | undefined): boolean =>
  (before !== undefined && (before.slot === 'age' || isDescribed(before))) || (next?.slot === 'age' && /\d/.test(next.value))

/** "What is the dose" and "dose" ask the same: the aspect says what is wanted. */
function withoutKind(atoms: Atom[], about: Set<number>): Atom[] {
  const [first, second] = atoms
  if (first?.slot !== 'kind' || (first.value !== 'what is' && first.value !== 'what')) return atoms
  if (second?.slot !== 'aspect' || VERBS.has(second.value)) return atoms
  const shifted = [...about].map((at) => at - 1)
  about.clear()
  for (const at of shifted) about.add(at)
  return atoms.slice(1)
}
