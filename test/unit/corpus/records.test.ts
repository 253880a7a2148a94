// Owns the proof that every clinical record is well formed and agrees with itself: names, doses within their own ceilings, references.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ClinicalRecord, type Dose, type Quantity } from '../../../app/clinical/records.ts'

const folder = join(import.meta.dirname, '../../../models/corpus')
const lines = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl') && !name.startsWith('calibration'))
  .flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .map((line, at) => ({ where: `${name}:${at + 1}`, line }))
      .filter(({ line }) => line.trim() !== ''),
  )
const parsed = lines.map(({ where, line }) => {
  const result = ClinicalRecord.safeParse(JSON.parse(line))
  return { where, record: result.data, wrong: result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [] }
})
const records = parsed.flatMap(({ where, record }) => (record ? [{ where, record }] : []))

/** In the smallest unit of its kind; other units only compare with themselves. */
const scale: Record<string, [string, number]> = { micrograms: ['mass', 1], mg: ['mass', 1000], g: ['mass', 1_000_000] }
const inOneUnit = ({ amount, unit }: Quantity): [string, number] => {
  const [kind, factor] = scale[unit] ?? [unit, 1]
  return [kind, amount * factor]
}
const above = (a: Quantity, b: Quantity) => inOneUnit(a)[0] === inOneUnit(b)[0] && inOneUnit(a)[1] > inOneUnit(b)[1] * 1.0001

function faults(dose: Dose): string[] {
  const high = { amount: dose.high, unit: dose.unit }
  const found: string[] = []
  if (!dose.perKg && dose.maxSingle && above(high, dose.maxSingle)) found.push('one dose is above maxSingle')
  if (!dose.perKg && dose.maxDaily && above(high, dose.maxDaily)) found.push('one dose is above maxDaily')
  // the highest dose at the lowest frequency must be possible in a day
  const times = dose.timesPerDay?.low ?? 1
  if (!dose.perKg && dose.maxDaily && above({ amount: dose.low * times, unit: dose.unit }, dose.maxDaily))
    found.push('the least daily dose is above maxDaily')
  if (dose.schedule === 'as needed' && !dose.maxDaily && !dose.note) found.push('taken as needed without a ceiling or a note')
  if (dose.schedule === 'regular' && !dose.timesPerDay && !dose.everyHours) found.push('regular without a frequency')
  return found
}

describe('clinical records', () => {
  test('every line is a record', () => {
    expect(parsed.filter(({ wrong }) => wrong.length > 0).map(({ where, wrong }) => `${where} ${wrong.join('; ')}`)).toEqual([])
  })
  test('no id and no name belongs to two records of a kind', () => {
    const taken = new Map<string, string>()
    const twice: string[] = []
    for (const { where, record } of records) {
      const names = [record.name, ...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])]
      for (const key of [`id ${record.id}`, ...new Set(names.map((name) => `${record.kind} ${name.toLowerCase()}`))]) {
        if (taken.has(key)) twice.push(`${key}: ${taken.get(key)} and ${where}`)
        taken.set(key, where)
      }
    }
    expect(twice).toEqual([])
  })
  test('doses agree with their own ceilings', () => {
    const wrong = records.flatMap(({ where, record }) => {
      const doses = record.kind === 'medicine' ? record.doses : record.kind === 'emergency' ? record.drugs.map(({ dose }) => dose) : []
      return doses.flatMap((dose) => faults(dose).map((fault) => `${where} ${record.name}, ${dose.indication}: ${fault}`))
    })
    expect(wrong).toEqual([])
  })
  test('nothing claims a review that has not happened', () => {
    expect(records.filter(({ record }) => record.review.state !== 'unreviewed')).toEqual([])
  })
})
