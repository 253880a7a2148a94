// Owns the proof that a person's identifiers are noticed, that medicine's own names are left alone, and that what is removed leaves a question.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findIdentifiers, loadNameTables, removeIdentifiers } from '../../app/clinical/identifiers.ts'
import { isAadhaar, isLuhn, isNhs, isNir, isSsn } from '../../app/clinical/identifiers/checksums.ts'
import { ageAt } from '../../app/clinical/identifiers/dates.ts'

const medicines = readFileSync('models/terms/class-drug.tsv', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t')[0]!)
const tables = loadNameTables('models/terms', medicines)
const now = new Date('2026-11-24T12:00:00Z')
const find = (text: string) => findIdentifiers(text, tables, now)
const remove = (text: string) => removeIdentifiers(text, find(text))
/** The first shaped the rules, the second was written afterwards. */
const lines = ['identifiers-dev', 'identifiers-test'].flatMap((name) =>
  readFileSync(`test/sets/${name}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; kinds: string[] }),
)

describe('the sets', () => {
  it('have at least 150 lines with and 150 without identifiers', () => {
    expect(lines.filter(({ kinds }) => kinds.length > 0).length).toBeGreaterThanOrEqual(150)
    expect(lines.filter(({ kinds }) => kinds.length === 0).length).toBeGreaterThanOrEqual(150)
  })
  it.each(lines.map(({ text, kinds }) => [text, kinds] as const))('%s', (text, kinds) => {
    expect(
      find(text)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual([...kinds].sort())
  })
  it('leave nothing to find after removal, and nothing changed where there was nothing', () => {
    for (const { text, kinds } of lines) {
      if (kinds.length === 0) expect(remove(text)).toBe(text)
      else expect([text, find(remove(text)).map(({ text: rest }) => rest)]).toEqual([text, []])
    }
  })
  it('lose the whole of each name', () => {
    for (const surname of [
      'Turner',
      'Baker',
      'WILSON',
      'Jones',
      'Kowalska',
      'Wilkins',
      'Connor',
      'Hassan',
      'Berg',
      'Bennett',
      'Marcus',
      'Finch',
      'Osborne',
      'Zhang',
      'Ferguson',
      'Crohn attends',
      'García',
      'Nguyen',
      'Roberts',
    ])
      for (const { text } of lines.filter((line) => line.kinds.includes('name') && line.text.includes(surname)))
        expect(remove(text)).not.toContain(surname)
  })
})

describe('what stands in the place', () => {
  it.each([
    ['Mrs Jones, DOB 12/03/1950, NHS 943 476 5919, has AF', 'The patient (a woman), aged 76 years, NHS [number removed], has AF'],
    ['Mr Smith has gout. Is colchicine safe for Mr Smith?', 'The patient (a man) has gout. Is colchicine safe for the patient?'],
    ['My patient John has a sore throat', 'My patient has a sore throat'],
    ['Her name is Priya Sharma and she has palpitations', 'The patient is a woman and she has palpitations'],
    ['He was born on 3rd March 1961, smokes 20 a day', 'He was aged 65 years, smokes 20 a day'],
    ["Mrs Nguyen's potassium is 6.1", "The patient's potassium is 6.1"],
    ['Dr Patel asked me to start ramipril', 'The doctor asked me to start ramipril'],
    ['Call her on 07700 900123 about the INR', 'Call her on [phone number removed] about the INR'],
  ])('%s', (text, clean) => {
    expect(remove(text)).toBe(clean)
  })
  it('is the age, exact to what decides a dose', () => {
    expect(['20/11/2026', '24/05/2026', '24/11/2024', '25/11/2024', '1/1/1930', '31/02/1980', '1/1/2030'].map((date) => ageAt(date, now))).toEqual([
      ...['aged 4 days', 'aged 6 months', 'aged 2 years', 'aged 23 months', 'aged 90 years or over', '', ''],
    ])
  })
})

describe('check digits', () => {
  it('accept the published numbers and refuse their neighbours', () => {
    expect([isNhs('943 476 5919'), isNhs('943 476 5918'), isNhs('0000000000')]).toEqual([true, false, false])
    expect([isSsn('078-05-1120'), isSsn('666-05-1120'), isSsn('078-00-1120'), isSsn('901-05-1120')]).toEqual([true, false, false, false])
    expect([isLuhn('046 454 286'), isLuhn('046 454 287')]).toEqual([true, false])
    expect([isAadhaar('2341 2341 2346'), isAadhaar('2341 2341 2347')]).toEqual([true, false])
    expect([isNir('2 55 08 14 168 025 38'), isNir('2 55 08 14 168 025 39')]).toEqual([true, false])
  })
  it('keep a ten-digit value without check digit out', () => {
    expect(find('counted 9434765918 cells')).toEqual([])
  })
})

describe('hostile text', () => {
  it('is seen through look-alikes and invisible characters', () => {
    expect(find('NHS 9４3 47\u200b6 5919').map(({ kind, text }) => [kind, text])).toEqual([['national number', '9４3 47\u200b6 5919']])
  })
  it.each([
    ['capitals', 'John Smith '.repeat(10_000)],
    ['digits', '943 476 '.repeat(20_000)],
    ['titles', 'Mr '.repeat(50_000)],
    ['at signs', 'a@'.repeat(50_000)],
    ['one letter', 'A'.repeat(200_000)],
    ['hyphens', 'A-'.repeat(50_000)],
    ['spaces', `born${' '.repeat(100_000)}1960`],
  ])('%s without end take no more than two seconds', (_, text) => {
    const start = performance.now()
    remove(text)
    expect(performance.now() - start).toBeLessThan(2000)
  })
  it('keeps spans in order, inside the text and without overlap', () => {
    const piece = fc.constantFrom(
      'Mr',
      'Smith',
      'my patient',
      'John',
      'DOB',
      '12/03/1980',
      '943 476 5919',
      '07700 900123',
      'a@b.co',
      '14 Acacia Avenue',
      'MRN',
      '123456',
      ',',
      '\n',
      '４',
      '\u200b',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join(' ')
        let at = 0
        for (const { start, end, text: words } of find(text)) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(words).toBe(text.slice(start, end))
          at = end
        }
        expect(at).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 500 },
    )
  })
})
