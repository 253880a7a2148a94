// Owns the proof that a dose reads as a prescriber would write it, whatever its fields, and that every dose of our records can be read.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ageText, doseLine, doseText, frequencyText, maximumText, numberText, populationText, quantityText } from '../../app/clinical/dose-text.ts'
import { ClinicalRecord, Dose } from '../../app/clinical/records.ts'

const dose = (fields: Partial<Dose>): Dose =>
  Dose.parse({ indication: 'pain', population: 'adult', route: 'oral', low: 500, high: 500, unit: 'mg', schedule: 'regular', ...fields })
const times = (low: number, high = low) => ({ timesPerDay: { low, high } })
const every = (low: number, high = low) => ({ everyHours: { low, high } })

describe('numbers and quantities', () => {
  test('no trailing zero, a zero before the point, commas where zeros are miscounted', () => {
    expect([0.5, 2.0, 12.5, 1000, 10_000, 1_200_000, 0.1 + 0.2].map(numberText)).toEqual(['0.5', '2', '12.5', '1000', '10,000', '1,200,000', '0.3'])
  })
  test('one puff, two puffs; symbols never change', () => {
    expect(quantityText({ amount: 1, unit: 'puffs' })).toBe('1 puff')
    expect(quantityText({ amount: 2, unit: 'puffs' })).toBe('2 puffs')
    expect(quantityText({ amount: 1, unit: 'sachets' })).toBe('1 sachet')
    expect(quantityText({ amount: 1, unit: 'micrograms' })).toBe('1 microgram')
    expect(quantityText({ amount: 1, unit: 'g' })).toBe('1 g')
    expect(quantityText({ amount: 1, unit: 'mmol' })).toBe('1 mmol')
    expect(quantityText({ amount: 0.1, unit: 'units' })).toBe('0.1 units')
  })
})

describe('a dose', () => {
  test.each<[Partial<Dose>, string]>([
    [times(3), '500 mg three times a day, by mouth'],
    [{ ...times(1, 2), high: 850 }, '500 to 850 mg once or twice a day, by mouth'],
    [{ ...times(5), duration: '7 days' }, '500 mg 5 times a day, by mouth, for 7 days'],
    [{ ...times(1, 3) }, '500 mg 1 to 3 times a day, by mouth'],
    [{ ...times(0.5, 1) }, '500 mg every other day to once a day, by mouth'],
    [{ ...every(4, 6), schedule: 'as needed' }, '500 mg every 4 to 6 hours when needed, by mouth'],
    [{ ...every(6), ...times(4), low: 10, high: 10, perKg: true }, '10 mg/kg every 6 hours, at most 4 doses in 24 hours, by mouth'],
    [{ ...every(1), unit: 'units', low: 0.1, high: 0.1, perKg: true, route: 'intravenous' }, '0.1 units/kg every hour, into a vein'],
    [{ ...every(0.5) }, '500 mg every 30 minutes, by mouth'],
    [{ schedule: 'once', route: 'intramuscular', unit: 'micrograms' }, '500 micrograms as a single dose, into a muscle'],
    [{ schedule: 'as needed', low: 1, high: 2, unit: 'puffs', route: 'inhaled' }, '1 to 2 puffs when needed, inhaled'],
    [{ ...times(2), duration: 'until healed' }, '500 mg twice a day, by mouth, until healed'],
    [{}, '500 mg, by mouth'],
  ])('%o', (fields, text) => {
    expect(doseText(dose(fields))).toBe(text)
  })

  // records round to two or three digits
  test.each([
    [0.143, 'once a week'],
    [0.14, 'once a week'],
    [0.286, 'twice a week'],
    [0.43, 'three times a week'],
    [0.429, 'three times a week'],
    [0.57, '4 times a week'],
    [0.86, '6 times a week'],
    [0.5, 'every other day'],
    [0.333, 'every 3 days'],
    [0.071, 'every 2 weeks'],
    [0.0357, 'every 4 weeks'],
    [0.033, 'once a month'],
    [0.016, 'every 2 months'],
    [0.012, 'every 12 weeks'],
    [0.011, 'every 3 months'],
    [0.0055, 'every 6 months'],
    [0.0027, 'once a year'],
  ])('%f a day is %s', (rate, text) => {
    expect(frequencyText(dose(times(rate)))).toBe(text)
  })
  test('a range of rare doses has one "every"', () => {
    expect(frequencyText(dose(times(0.011, 0.016)))).toBe('every 2 to 3 months')
    expect(frequencyText(dose(times(0.143, 0.286)))).toBe('twice a week to once a week')
  })
  test('the ceilings', () => {
    const both = dose({ maxSingle: { amount: 750, unit: 'mg' }, maxDaily: { amount: 3, unit: 'g' } })
    expect(maximumText(both)).toBe('at most 750 mg a dose and 3 g in 24 hours')
    expect(doseLine({ ...both, ...every(4, 6), low: 10, high: 15, perKg: true, schedule: 'as needed' })).toBe(
      '10 to 15 mg/kg every 4 to 6 hours when needed, by mouth, at most 750 mg a dose and 3 g in 24 hours',
    )
    expect(maximumText(dose({}))).toBe('')
    expect(doseLine(dose(times(2)))).toBe('500 mg twice a day, by mouth')
  })
})

describe('for whom', () => {
  test.each<[Partial<Dose>, string]>([
    [{}, 'adults'],
    [{ population: 'neonate' }, 'newborns'],
    [{ population: 'child' }, 'children'],
    [{ population: 'child', ageFrom: 1, ageBelow: 5 }, 'children aged 1 to 4 years'],
    [{ population: 'child', ageFrom: 1, ageBelow: 2 }, 'children aged 1 year'],
    [{ population: 'child', ageBelow: 12 }, 'children under 12 years'],
    [{ population: 'child', ageFrom: 0, ageBelow: 1 }, 'children under 1 year'],
    [{ population: 'child', ageFrom: 12 }, 'children from 12 years'],
    [{ population: 'child', ageFrom: 0.083, ageBelow: 0.5 }, 'children from 1 month to under 6 months'],
    [{ population: 'child', ageFrom: 0.5, ageBelow: 6 }, 'children from 6 months to under 6 years'],
    [{ population: 'older adult' }, 'older adults'],
    [{ population: 'older adult', ageFrom: 65 }, 'adults from 65 years'],
  ])('%o', (fields, text) => {
    expect(populationText(dose(fields))).toBe(text)
  })
  test('ages of the first two years are in months, the first weeks in days', () => {
    expect([0.083, 0.125, 0.167, 0.25, 1.5, 1, 2, 12, 0.04].map(ageText)).toEqual([
      ...['1 month', '1.5 months', '2 months', '3 months', '18 months', '1 year', '2 years', '12 years', '15 days'],
    ])
  })
})

test('every dose of our records reads without a hole, and no two different doses of a medicine for one use read alike', () => {
  const folder = join(import.meta.dirname, '../../models/corpus')
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl') && !name.startsWith('calibration'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  // whether each line is a record is proved elsewhere
  const records = lines.filter((line) => line.trim() !== '').flatMap((line) => ClinicalRecord.safeParse(JSON.parse(line)).data ?? [])
  const doses = records.flatMap((record) =>
    record.kind === 'medicine' ? record.doses : record.kind === 'emergency' ? record.drugs.map((drug) => drug.dose) : [],
  )
  expect(doses.length).toBeGreaterThan(1000)
  for (const one of doses) expect(`${populationText(one)}: ${doseLine(one)}`).toMatch(/^[a-z]\S.*: [\d.,]+ (?!.*(undefined|NaN|, ,| {2}|,$|\b0 ))/)
  // the words carry every field: reading alike means being alike
  const words = new Map<string, string>()
  for (const record of records) {
    if (record.kind !== 'medicine') continue
    for (const { note: _, ...one } of record.doses) {
      const text = `${record.id} ${one.indication} ${populationText(one)} ${doseLine(one)}`
      const fields = JSON.stringify({ ...one, ageFrom: one.ageFrom === 0 ? undefined : one.ageFrom })
      expect(words.get(text) ?? fields).toBe(fields)
      words.set(text, fields)
    }
  }
})
