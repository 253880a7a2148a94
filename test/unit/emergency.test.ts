// Owns the tests of the emergency rules: the phrase language, measurements, scope, age, and the rules on their development set.
import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolvePaths } from '../../app/base/paths.ts'
import { findAge, findPregnancy } from '../../app/clinical/cues.ts'
import { findEmergencies } from '../../app/clinical/emergency.ts'
import { loadEmergencyTables } from '../../app/clinical/emergency-rules.ts'
import { findMeasurements } from '../../app/clinical/measurements.ts'
import { compilePhrases, findPhrases, pausedWords } from '../../app/clinical/phrases.ts'
import { AppError } from '../../app/contract/errors.ts'

const folded = (text: string) => pausedWords(text).map((word) => word.folded)
const folder = resolvePaths().resources + '/terms'
const tables = loadEmergencyTables(folder)
const ids = (text: string) => findEmergencies(text, tables).map(({ id }) => id)
const rows = (name: string) =>
  readFileSync(`test/sets/${name}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; emergency: string | null; accept?: string[] })

describe('the phrase language', () => {
  const found = (phrase: string, text: string) =>
    findPhrases(folded(text), compilePhrases([['x', phrase]], new Map([['limb', ['arm', 'left leg']]]))).map(({ from, to }) =>
      folded(text).slice(from, to).join(' '),
    )
  it.each([
    ['chest pain', 'Chest pains today', ['chest pain']],
    ['(severe|bad) pain', 'bad pain, severe pain', ['bad pain', 'severe pain']],
    ['(very|) weak', 'very weak', ['very weak', 'weak']],
    ['swell*', 'swelling swelled well', ['swelling', 'swelled']],
    ['haemorrhag*', 'hemorrhaging', ['hemorrhaging']],
    ['pour*', 'pouring', ['poring']],
    ['{limb} ~2 weak', 'left leg is very weak', ['left leg is very weak']],
    ['{limb} ~2 weak', 'arm was in fact now weak', []],
    ['pain ~ chest', 'pain but not chest', []],
    ['pain ~ chest', 'pain. Chest', []],
    ['{n} (min|minutes)', 'for 10 minutes', ['10 minute']],
    ['(sob|short ~1 breath)', 'short of breath', ['short of breath']],
    ['(no|loss of (sight|vision))', 'loss of vision', ['loss of vision']],
  ])('%j in %j', (phrase, text, wanted) => expect(found(phrase, text)).toEqual(wanted))
  it.each(['(a|b', 'a)', '{unknown} pain', '~3', '', '(a|) (b|)', 'no*'])('refuses %j', (phrase) => {
    expect(() => compilePhrases([['x', phrase]])).toThrow()
  })
})

describe('measurements', () => {
  const read = (text: string) => findMeasurements(folded(text)).map(({ quantity, value }) => [quantity, Math.round(value * 10) / 10])
  it.each([
    [
      'BP 85/40',
      [
        ['systolic', 85],
        ['diastolic', 40],
      ],
    ],
    ['bp is now down to 70 systolic', [['systolic', 70]]],
    [
      '190/110 today',
      [
        ['systolic', 190],
        ['diastolic', 110],
      ],
    ],
    [
      'SpO2 of 88%, RR 32, HR: 140',
      [
        ['saturation', 88],
        ['breaths', 32],
        ['pulse', 140],
      ],
    ],
    ['sats 82% on air', [['saturation', 82]]],
    ['temp 39,5', [['temperature', 39.5]]],
    ['101 F', [['temperature', 38.3]]],
    ['fever for 3 days', []],
    ['fever 3 days', []],
    ['BM 1.9', [['glucose', 1.9]]],
    ['glucose 38 mg/dl', [['glucose', 2.1]]],
    ['blood glucose 520 mg/dL', [['glucose', 28.9]]],
    ['K+ 7.1', [['potassium', 7.1]]],
    ['GCS 9', [['gcs', 9]]],
    ['ketones 5.2', [['ketones', 5.2]]],
    ['PEFR 100 normally 400', [['peak-flow', 25]]],
    ['took 100/50 mg', []],
    ['seen on 24/7 basis', []],
    ['pulse 9000', []],
  ])('%j', (text, wanted) => expect(read(text)).toEqual(wanted))
})

describe('age and pregnancy', () => {
  it.each([
    ['58M chest pain', 58],
    ['a 4 year old boy', 4],
    ['six-week-old baby', 6 / 52],
    ['18mo', 1.5],
    ['baby 6 months', 0.5],
    ['man of 69', 69],
    ['toddler with fever', 2],
    ['for 3 weeks', undefined],
    ['36 weeks pregnant', undefined],
  ])('%j', (text, years) => expect(findAge(folded(text))?.years).toEqual(years))
  it('tells a child who is here from any child', () => {
    expect(findAge(folded('dose for a 5 year old'))?.general).toBe(true)
    expect(findAge(folded('my 5 year old'))?.general).toBe(false)
  })
  it.each([
    ['36 weeks pregnant', ['pregnant', 'gestation-late']],
    ['7/40 pregnant', ['pregnant', 'gestation-early']],
    ['pregnant and bleeding', ['pregnant', 'pregnant-unknown']],
    ['6 weeks post partum', []],
    ['not pregnant', []],
    ['planning pregnancy', []],
  ])('%j', (text, wanted) => expect(findPregnancy(folded(text)).map(({ finding }) => finding)).toEqual(wanted))
})

describe('who and when', () => {
  it.each([
    ['No chest pain, no breathlessness, no sweating', []],
    ['denies chest pain, sweating, palpitations', []],
    ['no fever, rash or neck stiffness', []],
    ['no rash, lips swelling, wheezing after nuts', ['anaphylaxis']],
    ['not breathing, no pulse', ['cardiac-arrest-adult']],
    ['father had a stroke', []],
    ['my father is having a stroke', ['stroke']],
    ['family history of aortic dissection', []],
    ['stroke five years ago', []],
    ['history of anaphylaxis to penicillin', []],
    ['what should I do if someone is choking', []],
    ['he is choking', ['choking-adult']],
    ['how is anaphylaxis treated?', []],
    ['She has anaphylaxis now, what do I do?', ['anaphylaxis']],
    ['signs of sepsis', []],
    ['patient with sudden facial droop and slurred speech', ['stroke']],
    ['febrile convulsion last month, next vaccine?', []],
    ['severe allergic reaction after vaccine, pulse weak', ['anaphylaxis']],
    ['septic, BP80/50 HR140', ['sepsis-adult']],
    ['sweaty, chest pain, resp rate 30', ['acute-coronary-syndrome']],
    ['suspected sepsis', ['sepsis-adult']],
    ['adrenaline dose for anaphylaxis in a 5 year old', []],
  ])('%j', (text, wanted) => expect(ids(text)).toEqual(wanted))
  it('gives the words that it went by', () => {
    const [first] = findEmergencies('58M crushing chest pain, Sweaty', tables)
    expect(first).toMatchObject({ id: 'acute-coronary-syndrome', confidence: 'high' })
    expect(first?.reasons).toContainEqual({ finding: 'sweating', words: 'sweaty' })
    expect(first?.because).toMatch(/heart attack/)
  })
})

describe('the tables', () => {
  it('name only records that exist, one rule a record, and findings that can be found', () => {
    const records = readFileSync(`${resolvePaths().resources}/corpus/emergencies.jsonl`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id)
    expect(tables.rules.length).toBeGreaterThanOrEqual(40)
    expect(new Set(tables.rules.map(({ id }) => id)).size).toBe(tables.rules.length)
    for (const { id, when } of tables.rules) {
      expect(records, id).toContain(id)
      for (const { all, not = [] } of when) for (const finding of [...all.flat(), ...not]) expect(tables.names, id).toContain(finding)
    }
  })
  it('name the file that is missing or wrong', () => {
    expect(() => loadEmergencyTables('/nowhere')).toThrow(AppError)
    const bad = mkdtempSync(join(tmpdir(), 'terms-'))
    try {
      writeFileSync(join(bad, 'emergency-findings.tsv'), 'chest-pain\tnonsense\tchest pain\n')
      expect(() => loadEmergencyTables(bad)).toThrow(
        expect.objectContaining({ code: 'RESOURCE_MISSING', message: expect.stringContaining('emergency-findings.tsv') }),
      )
    } finally {
      rmSync(bad, { recursive: true })
    }
  })
  it('reach the targets on the development set', () => {
    const lines = rows('emergencies-dev')
    const scored = lines.map(({ text, emergency, accept = [] }) => {
      const got = ids(text)
      return { emergency, raised: got.length > 0, hit: got.some((id) => id === emergency || accept.includes(id)) }
    })
    const emergencies = scored.filter(({ emergency }) => emergency !== null)
    const raised = scored.filter((row) => row.raised)
    expect(emergencies.filter(({ hit }) => hit).length / emergencies.length).toBeGreaterThanOrEqual(0.99)
    expect(raised.filter(({ hit }) => hit).length / raised.length).toBeGreaterThanOrEqual(0.9)
  })
})

describe('any text', () => {
  it('is answered the same twice, with rules of the table only', () => {
    const word = fc.constantFrom(
      ..."no not if , . chest pain fever rash father had 39 bp 80 / 40 baby blue 3 weeks old pregnant bleeding choking can't breathe stroke history of".split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (text) => {
        const once = findEmergencies(text.join(' '), tables)
        expect(findEmergencies(text.join(' '), tables)).toEqual(once)
        for (const { id } of once) expect(tables.rules.map((rule) => rule.id)).toContain(id)
      }),
      { numRuns: 50 },
    )
  })
  // Each would take minutes if some matcher looked back over the whole text.
  it.each(['no, ', 'denies a, ', 'chest pain ', 'if ', 'BP 80/40 ', 'throat swelling ', '3 week old ', 'he could not, ', 'a'])(
    '%j fifty thousand characters long is read in time',
    (part) => {
      expect(Array.isArray(findEmergencies(part.repeat(Math.ceil(50_000 / part.length)), tables))).toBe(true)
    },
    8_000,
  )
})
