// Owns what counts as a hard fact in a sentence: amounts with their units, names of medicines, and whether it permits or forbids.
import { words } from '../../../app/clinical/text.ts'

/** One amount: "500|mg", "6|hours", "3|times". A range gives both its ends. */
export type Amount = `${string}|${string}`

/** Spellings of a unit → the one they are compared by. */
const UNITS: Readonly<Record<string, string>> = {
  ...{
    mcg: 'micrograms',
    microgram: 'micrograms',
    micrograms: 'micrograms',
    ug: 'micrograms',
    mg: 'mg',
    milligram: 'mg',
    milligrams: 'mg',
    g: 'g',
    gram: 'g',
    grams: 'g',
  },
  ...{
    ml: 'ml',
    millilitre: 'ml',
    millilitres: 'ml',
    l: 'litres',
    litre: 'litres',
    litres: 'litres',
    kg: 'kg',
    unit: 'units',
    units: 'units',
    iu: 'units',
    mmol: 'mmol',
  },
  ...{
    hour: 'hours',
    hours: 'hours',
    day: 'days',
    days: 'days',
    week: 'weeks',
    weeks: 'weeks',
    month: 'months',
    months: 'months',
    year: 'years',
    years: 'years',
  },
  ...{ minute: 'minutes', minutes: 'minutes', second: 'seconds', seconds: 'seconds', time: 'times', times: 'times', puff: 'puffs', puffs: 'puffs' },
  ...{
    drop: 'drops',
    drops: 'drops',
    tablet: 'tablets',
    tablets: 'tablets',
    spray: 'sprays',
    sprays: 'sprays',
    '%': '%',
    percent: '%',
    dose: 'doses',
    doses: 'doses',
  },
}
const NUMBERS: Readonly<Record<string, string>> = {
  ...{ one: '1', two: '2', three: '3', four: '4', five: '5', six: '6', seven: '7', eight: '8', nine: '9', ten: '10', twelve: '12' },
  ...{ once: '1', twice: '2' },
}
/** Between the ends of a range: its first end has the unit of its second. */
const RANGE = new Set(['to', 'or', 'and'])

/** Every amount of the text, in order, doubles included. A number without a unit is its own amount: "1|" (a ratio, a pressure). */
export function amounts(text: string): Amount[] {
  const found: Amount[] = []
  // "5-10 mg" is a range, and a thousands separator would be read as a decimal
  const list = words(text.replace(/(\d),(\d{3})\b/g, '$1$2').replace(/(\d)\s*[-–]\s*(\d)/g, '$1 to $2')).map(({ folded }) => folded)
  list.forEach((word, at) => {
    if (word === 'once' || word === 'twice') return void found.push(`${NUMBERS[word]!}|times`)
    const number = /^\d/.test(word) ? String(Number(word.replace(',', '.'))) : UNITS[list[at + 1] ?? ''] !== undefined ? NUMBERS[word] : undefined
    if (number === undefined || number === 'NaN') return
    let next = at + 1
    if (RANGE.has(list[next] ?? '') && /^\d/.test(list[next + 1] ?? '')) next += 2
    found.push(`${number}|${UNITS[list[next] ?? ''] ?? ''}`)
  })
  return found
}

/** Which of `names` (lower case; several words allowed) stand in the text as whole words. */
export function namesIn(text: string, names: ReadonlySet<string>, longest: number): Set<string> {
  const list = words(text).map(({ folded }) => folded)
  const found = new Set<string>()
  for (let at = 0; at < list.length; at++) {
    for (let length = Math.min(longest, list.length - at); length > 0; length--) {
      const phrase = list.slice(at, at + length).join(' ')
      if (!names.has(phrase)) continue
      found.add(phrase)
      at += length - 1
      break
    }
  }
  return found
}

/** A name as `namesIn` compares it. */
export const foldName = (name: string): string =>
  words(name)
    .map(({ folded }) => folded)
    .join(' ')

export type Stance = 'use' | 'avoid'
const FORBIDS = /\b(?:avoid(?:ed)?|do not (?:use|give|take)|(?:must|should|can) ?not be (?:used|given|taken)|contraindicated|not recommended|stop)\b/i
const PERMITS = /\b(?:(?:can|may) be (?:used|given|taken)|(?:is|are) safe|safe (?:in|to|for|with)|no dose change|compatible)\b/i

/** What a sentence says of use: that it may be used, that it must not, or both. */
export function stances(text: string): Set<Stance> {
  const found = new Set<Stance>()
  if (FORBIDS.test(text)) found.add('avoid')
  if (PERMITS.test(text)) found.add('use')
  return found
}
