// Owns for whom a dose is, as a text says it: age groups, ages and body weight.
import { SMALL, smallNumber } from './numbers.ts'

/** Ages in years, `to` not included. Null where the text says nothing. */
export interface People {
  readonly group: 'adult' | 'child' | 'neonate' | 'older adult' | 'everyone'
  readonly age: { readonly from: number; readonly to: number } | null
  readonly weightKg: number | null
}

const N = `(${SMALL})`
const YEARS: Readonly<Record<string, number>> = { y: 1, yr: 1, year: 1, m: 1 / 12, month: 1 / 12, week: 7 / 365.25, day: 1 / 365.25 }
const UNIT = '(year|yr|month|week|day)s?'
const CHILD = '(?:child|children|infants?|bab(?:y|ies)|toddlers?|boys?|girls?|adolescents?|teenagers?|paediatric|pediatric)'
/** "for 5 years" is a duration, "in 3 months" a time: an age needs a word that says so. */
const RANGES = [
  new RegExp(
    `\\b(?:aged?|from|between|${CHILD}(?:,| of| aged?| from| between)*) ?${N} ?(?:${UNIT} )?(?:to under|to|-|and|up to) ?${N} ?-?${UNIT}\\b`,
  ),
  new RegExp(`\\b${N} ?(?:${UNIT} )?(?:to|-) ?${N}[ -]?${UNIT}[ -](?:old|of age)`),
]
const BELOW = new RegExp(`\\b(?:under|below|younger than|less than) (?:the age of )?${N} ?(years?|yrs?|months?|weeks?)\\b(?! ago)`)
const ABOVE = new RegExp(
  `\\b(?:over|above|older than|from|aged?) ${N} ?(?:(years?|yrs?|months?)(?: (?:of age|old))?)(?: (?:and|or) (?:over|above|older|more))?`,
)
const ABOVE_AFTER = new RegExp(`\\b${N} ?(years?|yrs?|months?)(?: of age)? (?:and|or) (?:over|above|older|more|upwards)`)
const EXACT = [
  new RegExp(`\\b${N}[ -]?${UNIT}[ -](?:old|of age)`),
  new RegExp(`\\b(?:aged?|${CHILD},?(?: of| aged?)?|man|woman|patient) (?:of |aged? )?${N} ?${UNIT}\\b`),
  new RegExp(`\\baged? ${N}\\b()(?! ?(?:-|to|kg|mg|and))`),
]
const WEIGHT = /(?:^|[^\d.,/])(\d{1,3}(?:\.\d+)?) ?(?:kg|kilos?|kilograms?)\b(?! ?\/)/
const WEIGHT_LIMIT =
  /\b(?:under|below|over|above|less than|more than|at least|up to|from|to|max\w*)\s+\d{1,3}(?:\.\d+)? ?kg|\d ?kg (?:or|and) (?:more|over|less)|\d ?- ?\d+ ?kg/

const GROUPS: readonly (readonly [RegExp, People['group']])[] = [
  [/\badults and (?:older )?children\b|\bchildren and adults\b|\ball ages\b|\bany age\b/g, 'everyone'],
  [/\bnew-?borns?\b|\bneonates?\b|\bneonatal\b/g, 'neonate'],
  [new RegExp(`\\b${CHILD}\\b|\\bchild's\\b`, 'g'), 'child'],
  [/\belderly\b|\bolder (?:adults?|people|persons?|patients?|m[ae]n|wom[ae]n)\b|\bfrail\b/g, 'older adult'],
  [/\badults?\b|\bm[ae]n\b|\bwom[ae]n\b|\bpregnan\w+/g, 'adult'],
]

/** What `text`, a part of a scanned text, says of the person; null where it says nothing of age or group. The last group named wins. */
export function readPeople(text: string): People | null {
  const age = readAge(text)
  const weight = WEIGHT_LIMIT.test(text) ? null : WEIGHT.exec(text)
  const weightKg = weight ? Number(weight[1]) : null
  const group = groupOf(text) ?? (age && age.from < 18 && age.to <= 18.01 ? 'child' : age && age.from >= 18 ? 'adult' : age ? 'everyone' : null)
  if (group === null) return weightKg === null ? null : { group: 'adult', age: null, weightKg }
  if (group === 'adult' && age && age.to <= 18) return { group: 'child', age, weightKg }
  const oldAge = group === 'adult' && age !== null && age.from >= 65
  return { group: oldAge ? 'older adult' : group, age, weightKg }
}

function groupOf(text: string): People['group'] | null {
  const matches = GROUPS.flatMap(([pattern, group]) =>
    [...text.matchAll(pattern)].map(({ 0: words, index }) => ({ group, from: index, to: index + words.length })),
  )
  // "older adults" holds "adults": the wider phrase counts
  const own = matches.filter(
    (one) => !matches.some((other) => other !== one && other.from <= one.from && other.to >= one.to && other.to - other.from > one.to - one.from),
  )
  return own.sort((x, y) => x.from - y.from).at(-1)?.group ?? null
}

function readAge(text: string): People['age'] {
  for (const pattern of RANGES) {
    const match = pattern.exec(text)
    if (!match) continue
    const [, low, lowUnit, high, highUnit] = match
    const from = smallNumber(low!) * YEARS[lowUnit ?? highUnit!]!
    // "1 to 4 years" is up to the fifth birthday; "under" and parts of a year are limits
    const until = smallNumber(high!) * YEARS[highUnit!]!
    return from < until ? { from, to: /under/.test(match[0]) ? until : until + (highUnit!.startsWith('y') ? 1 : YEARS[highUnit!]!) } : null
  }
  const exact = EXACT.map((pattern) => pattern.exec(text)).find((match) => match !== null)
  const below = BELOW.exec(text)
  const above = ABOVE_AFTER.exec(text) ?? ABOVE.exec(text)
  if (above && /over|above|older|from|more/.test(above[0]))
    return { from: years(above[1]!, above[2]!), to: below ? years(below[1]!, below[2]!) : 120 }
  if (exact) {
    const from = years(exact[1]!, exact[2] === '' || exact[2] === undefined ? 'year' : exact[2])
    return { from, to: from + (exact[2] && !exact[2].startsWith('y') ? YEARS[exact[2]]! / 2 : 0.99) }
  }
  return below ? { from: 0, to: years(below[1]!, below[2]!) } : null
}

const years = (number: string, unit: string): number => smallNumber(number) * YEARS[unit.replace(/s$/, '')]!

/**
 * The least and the greatest body weight that is plausible at an age, in kg; wide limits around the growth charts of the WHO (0.4th and
 * 99.6th centile and a margin). Used only to say that a dose fits no weight of that age, never to say that it fits.
 */
export function plausibleWeight(ageYears: number): { low: number; high: number } {
  const chart = [
    [0, 2, 5.5],
    [0.5, 5, 11],
    [1, 6.5, 14],
    [2, 8.5, 18],
    [5, 12, 32],
    [10, 20, 68],
    [15, 32, 110],
    [18, 38, 160],
  ] as const
  const above = chart.findIndex(([age]) => age >= ageYears)
  if (above < 0) return { low: 35, high: 160 }
  if (above === 0) return { low: chart[0][1], high: chart[0][2] }
  const [a, b] = [chart[above - 1]!, chart[above]!]
  const share = (ageYears - a[0]) / (b[0] - a[0])
  return { low: a[1] + share * (b[1] - a[1]), high: a[2] + share * (b[2] - a[2]) }
}
