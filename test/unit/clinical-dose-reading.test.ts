// Owns the proof that amounts, frequencies, routes and persons in free text are read as written, or declared unread.
import { describe, expect, it } from 'vitest'
import { findAmounts } from '../../app/clinical/doses/amounts.ts'
import { readFrequency } from '../../app/clinical/doses/frequency.ts'
import { readDigits, readWords } from '../../app/clinical/doses/numbers.ts'
import { plausibleWeight, readPeople } from '../../app/clinical/doses/people.ts'
import { readRoutes } from '../../app/clinical/doses/routes.ts'
import { scan } from '../../app/clinical/doses/scan.ts'

const amounts = (text: string) =>
  findAmounts(scan(text).text)
    .filter(({ kind }) => kind === 'dose')
    .map(({ low, high, unit, perKg }) => [low, high, unit.shown + (perKg ? '/kg' : '')])

describe('amounts as they are written', () => {
  it.each<[string, (number | null)[], string]>([
    ['500 mg', [500, 500], 'mg'],
    ['500mg', [500, 500], 'mg'],
    ['0,5 mg', [0.5, 0.5], 'mg'],
    ['.5 mg', [0.5, 0.5], 'mg'],
    ['1.0 mg', [1, 1], 'mg'],
    ['0·5 mg', [0.5, 0.5], 'mg'],
    ['1,000 mg', [1000, 1000], 'mg'],
    ['1\u2009000\u202fmg', [1000, 1000], 'mg'],
    ['1.200.000 units', [1_200_000, 1_200_000], 'units'],
    ['50 µg', [50, 50], 'micrograms'],
    ['50 \u03bcg', [50, 50], 'micrograms'],
    ['50 mcg', [50, 50], 'micrograms'],
    ['50 ug', [50, 50], 'micrograms'],
    ['50 м\u0441g', [50, 50], 'micrograms'],
    ['５００ ｍｇ', [500, 500], 'mg'],
    ['5\u200b00 m\u200dg', [500, 500], 'mg'],
    ['500–1000 mg', [500, 1000], 'mg'],
    ['500 mg to 1 g', [0.5, 1], 'g'],
    ['between 10 and 20 mg', [10, 20], 'mg'],
    ['10-15 mg/kg', [10, 15], 'mg/kg'],
    ['10 mg per kg', [10, 10], 'mg/kg'],
    ['five hundred milligrams', [500, 500], 'mg'],
    ['twenty-five mg', [25, 25], 'mg'],
    ['one and a half tablets', [1.5, 1.5], 'tablets'],
    ['two point five mg', [2.5, 2.5], 'mg'],
    ['half a tablet', [0.5, 0.5], 'tablets'],
    ['½ tablet', [0.5, 0.5], 'tablets'],
    ['1½ tablets', [1.5, 1.5], 'tablets'],
    ['2 x 500 mg', [1000, 1000], 'mg'],
    ['1.2 million units', [1_200_000, 1_200_000], 'units'],
    ['2.4 MU', [2.4, 2.4], 'units'],
    ['500/125 mg', [625, 625], 'mg'],
    ['1 or 2 puffs', [1, 2], 'puffs'],
  ])('%s', (text, [low, high], unit) => {
    expect(amounts(text)).toEqual([[low, high, unit]])
  })
  it.each([
    '5 0 0 mg',
    '500 m g',
    '500 mg x 2',
    '2 500 mg',
    '05 mg',
    '5O0 mg',
    'l00 mg',
    '1.2.3 mg',
    '20-10 mg',
    '0 mg',
    '10 mg/min',
    '0,5 mg then 1,250 mg',
  ])('%s is not guessed', (text) => {
    expect(amounts(text).at(-1)?.slice(0, 2)).toEqual([null, null])
  })
  it.each(['potassium 5.5 mmol/l', 'CRP 100 mg/l', 'glucose 90 mg/dl', 'albumin 30 mg/mmol', 'weight 70 kg', 'BP 120/80'])(
    '%s is no dose',
    (text) => {
      expect(amounts(text)).toEqual([])
    },
  )
  it('reads digits and words by one rule each', () => {
    expect(readDigits('1,250', false)).toEqual({ value: 1250 })
    expect(readDigits('1,250', true).value).toBeNull()
    expect(readDigits('0.625', true).value).toBe(0.625)
    expect(readWords('one thousand two hundred and fifty mg'.split(' '), 0)).toEqual({ value: 1250, length: 6 })
    expect(readWords(['mg'], 0)).toBeNull()
  })
})

describe('frequency, route and person', () => {
  it.each<[string, number | null, number | null]>([
    ['three times a day', 3, 3],
    ['TDS', 3, 3],
    ['b.d.', 2, 2],
    ['once weekly', 1 / 7, 1 / 7],
    ['every 4 to 6 hours', 4, 6],
    ['6-hourly', 4, 4],
    ['q8h', 3, 3],
    ['every other day', 0.5, 0.5],
    ['three times a week', 3 / 7, 3 / 7],
    ['once or twice daily', 1, 2],
    ['up to four times daily', 4, 4],
    ['at night', 1, 1],
    ['every 3 months', 24 / (3 * 730.5), 24 / (3 * 730.5)],
    ['as a single dose', null, null],
    ['when needed', null, null],
    ['every 5 minutes', null, null],
  ])('%s', (text, low, high) => {
    const { perDay } = readFrequency(scan(text).text)!
    if (low === null) expect(perDay).toBeNull()
    else {
      expect(perDay!.low).toBeCloseTo(low, 6)
      expect(perDay!.high).toBeCloseTo(high!, 6)
    }
  })
  it.each([
    ['by mouth', ['oral']],
    ['IM or IV', ['intramuscular', 'intravenous']],
    ['s/c', ['subcutaneous']],
    ['for vaginal thrush, orally', ['oral']],
    ['for oral thrush', []],
    ['by injection', ['intramuscular', 'intravenous', 'subcutaneous']],
  ])('%s', (text, routes) => {
    expect(readRoutes(scan(text).text)).toEqual(routes)
  })
  it.each<[string, string | undefined, number | undefined, number | undefined]>([
    ['for a 3-year-old', 'child', 3, 3.99],
    ['children aged 1 to 4 years', 'child', 1, 5],
    ['children from 6 months to under 2 years', 'child', 0.5, 2],
    ['in older adults', 'older adult', undefined, undefined],
    ['an 80-year-old woman', 'older adult', 80, 80.99],
    ['children under 1 year', 'child', 0, 1],
    ['for 5 years', undefined, undefined, undefined],
  ])('%s', (text, group, from, to) => {
    const people = readPeople(scan(text).text)
    expect(people?.group).toBe(group)
    if (from === undefined) expect(people?.age ?? null).toBeNull()
    else expect([people!.age!.from, people!.age!.to]).toEqual([expect.closeTo(from, 2), expect.closeTo(to!, 2)])
  })
  it('reads a weight, not a limit of weight', () => {
    expect(readPeople('a child who weighs 20 kg')?.weightKg).toBe(20)
    expect(readPeople('a child over 20 kg')?.weightKg).toBeNull()
    expect(readPeople('a child, 10 mg/kg')?.weightKg).toBeNull()
    expect(plausibleWeight(5).low).toBeLessThan(14)
    expect(plausibleWeight(5).high).toBeGreaterThan(25)
  })
})
