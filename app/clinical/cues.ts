// Owns the cues about the person in a text: age, pregnancy and how far along it is, and whether a particular person is meant at all.
import { isNumber } from './text.ts'
import { PAUSE } from './phrases.ts'

export interface Cue {
  readonly finding: string
  readonly from: number
  readonly to: number
}
export interface Age {
  readonly years: number
  /** "a dose for a 5 year old": any such person, not one who is here. */
  readonly general: boolean
  readonly from: number
  readonly to: number
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '))
const NUMBERS = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen'
    .split(' ')
    .map((word, at) => [word, at]),
)
const YEARS = set('y yr year yo yrs')
const MONTHS = set('month mo mth mos')
const WEEKS = set('week wk wks')
const DAYS = set('day')
const SEXES = set('m f male female man woman lady gentleman boy girl')
const PEOPLE = set(
  'baby infant neonate newborn child boy girl kid toddler son daughter man woman lady gentleman male female aged age lad nephew niece',
)
// Ages in years for people who are only named. The first list that has a word of the text decides: the smallest person is the one in danger.
const NAMED: readonly (readonly [years: number, words: ReadonlySet<string>])[] = [
  [0.02, set('newborn neonate neonatal')],
  [0.5, set('baby infant')],
  [2, set('toddler')],
  [8, set('child kid boy girl schoolboy schoolgirl son daughter pediatric')],
  [15, set('teenager teen adolescent')],
  [75, set('elderly grandma grandmother grandfather grandad grandpa granny gran pensioner')],
  [40, set('man woman lady gentleman husband wife adult student worker resident lad')],
]

/** The age of the person asked about. A number with a unit goes before a word such as "toddler". Nothing when the text does not say. */
export function findAge(text: readonly string[]): Age | undefined {
  for (let at = 0; at < text.length; at++) {
    const age = ageAt(text, at)
    if (age) return age
  }
  for (const [years, words] of NAMED) {
    const at = text.findIndex(
      (word, place) => words.has(word) && text[place - 1] !== 'since' && !(text[place - 1] === 'a' && text[place - 2] === 'as'),
    )
    if (at >= 0 && !(words.has('baby') && aboutBirth(text))) return { years, general: isGeneral(text, at), from: at, to: at + 1 }
  }
  return undefined
}
const aboutBirth = (text: readonly string[]): boolean =>
  text.some((word) => /^(pregnan|labor|contraction|crowning|midwife|placenta|womb|uteru|postnatal|breech|pushing|cord)/.test(word))

function ageAt(text: readonly string[], at: number): Age | undefined {
  const count = isNumber(text[at]!) ? Number(text[at]!.replace(',', '.')) : NUMBERS.get(text[at]!)
  if (count === undefined || Number.isNaN(count) || count > 120) return undefined
  const unit = text[at + 1] ?? ''
  const next = text[at + 2] ?? ''
  const before = text[at - 1] ?? ''
  const age = (years: number, to: number): Age => ({ years, general: isGeneral(text, at), from: at, to })
  const isPerson = next === 'old' || next === 'of' || PEOPLE.has(next) || SEXES.has(next)
  const afterPerson =
    PEOPLE.has(before) || ((before === 'of' || before === 'aged' || before === 'age' || before === PAUSE) && PEOPLE.has(text[at - 2] ?? ''))
  if (unit === 'yo' || (unit === 'y' && next === '/' && text[at + 3] === 'o')) return age(count, at + 2)
  if (YEARS.has(unit) && (isPerson || afterPerson)) return age(count, at + 2)
  if (MONTHS.has(unit) && (unit === 'mo' || isPerson || afterPerson || at === 0) && next !== 'pregnant' && next !== 'ago' && next !== 'after')
    return age(count / 12, at + 2)
  if (WEEKS.has(unit) && ((isPerson && !(next === 'of')) || afterPerson) && next !== 'pregnant') return age(count / 52, at + 2)
  if (DAYS.has(unit) && (next === 'old' || afterPerson)) return age(count / 365, at + 2)
  if ((unit === 'm' || unit === 'f') && count >= 12) return age(count, at + 2)
  if (SEXES.has(unit) && unit.length > 1 && count >= 1) return age(count, at + 2)
  if (afterPerson && count >= 1 && !/^(min|hour|h|hr|day|week|month|time|mg|g|tablet|packet|of|x|ml|people)/.test(unit)) return age(count, at + 1)
  return undefined
}

/** "in a 5 year old", "for children": no one in particular. "in my 5 year old" is someone. */
function isGeneral(text: readonly string[], at: number): boolean {
  const [two, one] = [text[at - 2], text[at - 1]]
  const article = one === 'a' || one === 'an'
  return article ? two === 'in' || two === 'for' || two === 'under' : one === 'in' || one === 'for' || one === 'under' || one === 'over'
}

/** Weeks of pregnancy at which a birth would be late pregnancy; from here on a bleed is antepartum. */
const LATE_WEEKS = 22
const EARLY_WEEKS = 24
const NOT_GESTATION = set('old ago after post baby of since later before on off for following history')
const PREGNANT = /^(pregnan|gestation|gravid|antenatal|trimester|primigravid|multip|primip)/
const DENYING = set('not never planning previou last isnt get getting become becoming safe prevent avoid future before')

/** `pregnant`, with `gestation-early`, `gestation-late` or, when the weeks are not told, `pregnant-unknown`. */
export function findPregnancy(text: readonly string[]): Cue[] {
  const found: Cue[] = []
  const add = (from: number, to: number, weeks: number | undefined) => {
    found.push({ finding: 'pregnant', from, to })
    if (weeks === undefined) return void found.push({ finding: 'pregnant-unknown', from, to })
    if (weeks < EARLY_WEEKS) found.push({ finding: 'gestation-early', from, to })
    if (weeks >= LATE_WEEKS) found.push({ finding: 'gestation-late', from, to })
  }
  let weeks: number | undefined
  text.forEach((word, at) => {
    const count = isNumber(word) ? Number(word) : NUMBERS.get(word)
    if (count === undefined) return
    const unit = text[at + 1]
    const next = text[at + 2]
    if (unit === '/' && next === '40' && count <= 42) add(at, at + 3, (weeks = count))
    else if (unit === 'month' && (next === 'pregnant' || text[at + 2] === 'gestation')) add(at, at + 3, (weeks = count * 4.3))
    else if (unit !== undefined && WEEKS.has(unit) && count >= 4 && count <= 43) {
      const near =
        text.slice(at + 2, at + 5).some((other) => PREGNANT.test(other)) || text.slice(Math.max(0, at - 4), at).some((other) => PREGNANT.test(other))
      if (
        near ||
        ((at === 0 || text[at - 1] === PAUSE || text[at - 1] === 'at' || (count >= 12 && /^(bleeding|pain|fit|headache)$/.test(text[at - 1]!))) &&
          !NOT_GESTATION.has(next ?? '') &&
          !text.slice(at + 2, at + 4).includes('old'))
      )
        add(at, at + 2, (weeks = count))
    }
  })
  if (weeks !== undefined) return found
  text.forEach((word, at) => {
    if (
      PREGNANT.test(word) &&
      !text.slice(Math.max(0, at - 3), at).some((other) => DENYING.has(other)) &&
      text[at + 1] !== 'test' &&
      !(text[at - 1] === 'in' && text[at - 2] !== 'pe')
    ) {
      const early = text[at - 1] === 'early' || text[at - 1] === 'first'
      const late = text[at - 1] === 'late' || text[at - 1] === 'third' || text[at - 1] === 'heavily'
      add(at, at + 1, early ? 8 : late ? 32 : undefined)
    } else if (/^(labor|laboring|contraction)$/.test(word) || (word === 'term' && text[at - 1] === 'at')) add(at, at + 1, 38)
  })
  return found
}
