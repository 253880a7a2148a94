// Owns the proof that no dose is called ok without a record that says so, that every slip is caught, and that hostile text costs nothing.
import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDoses, type Verdict } from '../../app/clinical/doses/check.ts'
import { createFormulary } from '../../app/clinical/doses/drug-names.ts'
import { generateSlips } from '../../models/workshop/score/dose-slips.ts'
import { dosesSet, loadFormulary } from '../../models/workshop/score/doses.ts'

const formulary = loadFormulary()
const check = (answer: string) => checkDoses(answer, formulary)
const verdicts = (answer: string) => check(answer).map(({ verdict }) => verdict)
describe('never ok without a record, an age group and a route', () => {
  it.each<[string, Verdict, RegExp]>([
    ['Zimbutrol 50 mg twice daily', 'unparsed', /no record of zimbutrol/],
    ['Take 50 mg twice daily', 'unparsed', /no medicine is named/],
    ['Loperamide 2 mg orally for a child of 2 years', 'unparsed', /no dose for child/],
    ['Paracetamol 1 g intramuscularly', 'unparsed', /no intramuscular dose/],
    ['Amoxicillin 250 mg three times a day for a child', 'unparsed', /some of these ages/],
    ['Prednisolone 20 mg for a child of 4 years with acute asthma', 'unparsed', /weight is not stated/],
    ['Methotrexate 10 mg', 'unparsed', /how often/],
    ['Insulin glargine 10 mg once daily', 'unit_error', /units/],
    ['Adrenaline 0.5 mg', 'unparsed', /route is not stated/],
  ])('%s: %s', (answer, verdict, reason) => {
    const [found] = check(answer)
    expect([found?.verdict, found?.reason]).toEqual([verdict, expect.stringMatching(reason)])
  })
  it('says what it took for granted, and which record it used', () => {
    const [found] = check('Amoxicillin 500 mg three times a day')
    expect(found).toMatchObject({ verdict: 'ok', assumed: ['adult', 'by mouth'], record: { id: 'amoxicillin', review: { state: 'unreviewed' } } })
    expect(found!.lineText).toContain('three times a day')
    expect(check('Adults: amoxicillin 500 mg by mouth three times a day')[0]!.assumed).toEqual([])
  })
  it('uses the patient of the question where the answer names none', () => {
    const answer = 'Amoxicillin 250 mg three times a day by mouth'
    expect(checkDoses(answer, formulary, { ageYears: 3 }).map(({ verdict }) => verdict)).toEqual(['ok'])
    expect(checkDoses(answer, formulary, { ageYears: 8 }).map(({ verdict }) => verdict)).toEqual(['low'])
    const byWeight = 'Lorazepam 2 mg intravenously for status epilepticus'
    expect(checkDoses(byWeight, formulary, { ageYears: 6, weightKg: 20 })[0]!.verdict).toBe('ok')
    expect(checkDoses(byWeight, formulary, { ageYears: 6 })[0]!.verdict).toBe('unparsed')
  })
  it('takes medicine and patient from the question that was answered', () => {
    const of = (question: string, answer: string) => checkDoses(answer, formulary, { question }).map(({ drug, verdict }) => [drug, verdict])
    expect(of('A seven-year-old has anaphylaxis. How much adrenaline?', '300 micrograms into the outer thigh.')).toEqual([['adrenaline', 'ok']])
    expect(of('What is the most paracetamol in a day?', '4 g in 24 hours')).toEqual([['paracetamol', 'ok']])
    expect(of('What is the most paracetamol in a day?', '40 g in 24 hours')).toEqual([['paracetamol', 'tenfold']])
    expect(of('Ibuprofen or paracetamol for fever?', '400 mg three times a day')).toEqual([[null, 'unparsed']])
  })
  it('gives the place in the answer as typed', () => {
    const answer = 'Ｇive\u200b amoxicillin ５００\u2009mg tds'
    const [found] = check(answer)
    expect(answer.slice(found!.start, found!.end)).toBe('５００\u2009mg')
    expect(found!.text).toBe('５００\u2009mg')
  })
  it('knows nothing of an empty formulary', () => {
    expect(checkDoses('Amoxicillin 500 mg tds', createFormulary([])).map(({ verdict }) => verdict)).toEqual(['unparsed'])
  })
  it('keeps the medicines of one answer apart', () => {
    expect(check('Sertraline 50 mg once daily. Bupropion 150 mg once daily.').map(({ drug, verdict }) => [drug, verdict])).toEqual([
      ['sertraline', 'ok'],
      ['bupropion', 'unparsed'],
    ])
    expect(verdicts('Paracetamol 1 g four times a day, at most 40 g in 24 hours')).toEqual(['tenfold'])
  })
})

describe('the sets', () => {
  it.each([
    ['a wrong verdict', { drug: 'ramipril', amount: 5, unit: 'mg', frequency: 'once a day', route: null, verdict: 'high' }],
    ['another amount', { drug: 'ramipril', amount: 10, unit: 'mg', frequency: null, route: null, verdict: 'ok' }],
    ['another frequency', { drug: 'ramipril', amount: 5, unit: 'mg', frequency: 'twice a day', route: null, verdict: 'ok' }],
    ['another route', { drug: 'ramipril', amount: 5, unit: 'mg', frequency: null, route: 'intravenous', verdict: 'ok' }],
    ['another medicine', { drug: 'lisinopril', amount: 5, unit: 'mg', frequency: null, route: null, verdict: 'ok' }],
  ])('the score sees %s', async (_, statement) => {
    const file = join(mkdtempSync(join(tmpdir(), 'rushlight-doses-')), 'set.jsonl')
    const line = (one: object) => JSON.stringify({ answer: 'Ramipril 5 mg once daily', statements: [one] })
    writeFileSync(file, line(statement))
    expect((await dosesSet.run({ file })).targets[0]).toMatchObject({ value: 0, ok: false })
    writeFileSync(file, line({ drug: 'ramipril', amount: '5', unit: 'mg', frequency: 'od', route: 'oral', verdict: 'ok' }))
    expect((await dosesSet.run({ file })).targets[0]).toMatchObject({ value: 100, ok: true })
    rmSync(dirname(file), { recursive: true })
  })
  it.each(['doses-dev.jsonl', 'doses-test.jsonl'])('%s reaches the target, and nothing is falsely ok', async (name) => {
    const { targets } = await dosesSet.run({ file: `test/sets/${name}` })
    expect(targets.filter(({ ok }) => !ok)).toEqual([])
  })
  it('makes the same slips from the same seed, at least 500, and every one differs from its twin', () => {
    const { cases } = generateSlips(formulary.medicines, 7)
    expect(cases.length).toBeGreaterThanOrEqual(500)
    expect(generateSlips(formulary.medicines, 7).cases).toEqual(cases)
    expect(cases.every(({ twin, slipped }) => twin !== slipped)).toBe(true)
  })
  it.each([11, 12])('catches every slip of seed %i and lets every twin pass', (seed) => {
    const alarm = (answer: string, medicine: string) =>
      check(answer).filter(({ drug, verdict }) => drug === medicine && verdict !== 'ok' && verdict !== 'unparsed')
    const { cases } = generateSlips(formulary.medicines, seed)
    expect(cases.filter(({ slipped, medicine }) => alarm(slipped, medicine).length === 0).map(({ slipped }) => slipped)).toEqual([])
    expect(cases.filter(({ twin, medicine }) => alarm(twin, medicine).length > 0).map(({ twin }) => twin)).toEqual([])
  })
})

describe('hostile text', () => {
  it.each([
    ['numbers that never end', '1,'.repeat(50_000) + ' mg'],
    ['amounts without end', 'amoxicillin 500 mg '.repeat(5_000)],
    ['children without end', 'child adult 5 mg '.repeat(5_000)],
    ['one word', 'a'.repeat(200_000)],
    ['spaces', `amoxicillin${' '.repeat(100_000)}500 mg`],
    ['brackets and dashes', '5 mg (-'.repeat(20_000)],
    ['ten thousand words', 'the patient takes paracetamol and feels no better today. '.repeat(1_100)],
  ])('%s takes no more than two seconds', (_, text) => {
    const start = performance.now()
    check(text)
    expect(performance.now() - start).toBeLessThan(2000)
  })
  it('never fails and never says ok of a nonsense medicine, whatever the text', () => {
    const piece = fc.constantFrom(
      'amoxicillin',
      'qqzzin',
      '500',
      '0,5',
      '.5',
      'mg',
      'µg',
      '/kg',
      'tds',
      'child',
      '3',
      'years',
      '(',
      ')',
      '-',
      '.',
      '\n',
      'max',
      'of',
      'by mouth',
      '\u200b',
      '٣',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        for (const { medicine, verdict, start, end } of check(pieces.join(' '))) {
          expect(end).toBeGreaterThan(start)
          if (verdict === 'ok') expect(medicine?.name).toBe('amoxicillin')
        }
      }),
      { numRuns: 500 },
    )
  })
  it('costs less than a millisecond for an answer of 200 words', () => {
    const answer = readFileSync('test/sets/doses-test.jsonl', 'utf8')
      .split('\n')
      .slice(0, 8)
      .map((line) => (JSON.parse(line) as { answer: string }).answer)
      .join('\n')
    for (let i = 0; i < 30; i++) check(answer)
    const start = performance.now()
    for (let i = 0; i < 50; i++) check(answer)
    // shared computers are slow at times: the bench gives the figure
    expect((performance.now() - start) / 50).toBeLessThan(20)
  })
})

it('reads how often an amount is taken that stands before the drug', () => {
  expect(check('Give 500 mg of amoxicillin three times a day').map(({ frequency }) => frequency?.perDay)).toEqual([{ low: 3, high: 3 }])
})
