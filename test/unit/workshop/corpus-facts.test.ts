// Owns the proof that facts say what their records say: by hand on small records, and over all of ours by what must hold for each.
import { describe, expect, test } from 'vitest'
import { doseText } from '../../../app/clinical/dose-text.ts'
import type { ClinicalRecord } from '../../../app/clinical/records.ts'
import { factsOf, type Breadth } from '../../../models/workshop/corpus/facts.ts'
import { members } from '../../../models/workshop/corpus/medicine-facts.ts'
import { factKinds, kinds, MOST_WORDS, WEIGHTS } from '../../../models/workshop/corpus/pair.ts'
import { clauses, fragment, list, within, wordCount } from '../../../models/workshop/corpus/sentences.ts'
import { amounts } from '../../../models/workshop/eval/entities.ts'
import { allRecords, condition, emergency, medicine, prevention } from './corpus-records.ts'

const answers = (record: ClinicalRecord, breadth: Breadth = 'full') =>
  Object.fromEntries(factsOf([record], breadth).facts.map(({ id, answer }) => [id.slice(record.id.length + 1), answer]))

describe('facts by hand', () => {
  test('a medicine', () => {
    expect(answers(medicine())).toEqual({
      'medicine.class': 'Testamol is a non-opioid analgesic.',
      'medicine.uses': 'Testamol, uses: pain and fever.',
      'medicine.adult-dose': 'Testamol, adult dose (pain): 500 to 1000 mg every 4 to 6 hours when needed, by mouth.',
      // the highest ceiling, with its use because they differ: never that of the starting dose
      'medicine.maximum': 'Testamol, maximum adult dose (pain): 4 g in 24 hours.',
      'medicine.indication-dose': 'Testamol, adult dose (gout, start): 100 mg once a day, by mouth.',
      'medicine.child-dose': 'Testamol, children aged 1 to 5 years (pain): 10 to 15 mg/kg every 6 hours, by mouth, at most 250 mg a dose.',
      'medicine.age-dose': 'Testamol, children aged 6 to 11 years (pain): 250 to 500 mg four times a day, by mouth.',
      'medicine.contraindications': 'Testamol, contraindications: severe liver disease and allergy to testamol.',
      'medicine.side-effects': 'Testamol, side effects: nausea and rash.',
      // worst first
      'medicine.interactions': 'Testamol, interactions: clarithromycin, erythromycin or other macrolides; warfarin.',
      'medicine.interaction-with': 'Testamol with clarithromycin, erythromycin or other macrolides: do not combine; levels rise.',
      'medicine.interaction-with/2': 'Testamol with warfarin: monitor; INR rises after some days.',
      'medicine.pregnancy': 'Testamol in pregnancy: avoid; harms the unborn child.',
      'medicine.breastfeeding': 'Testamol in breastfeeding: can be used for a few days; watch the baby.',
      'medicine.kidney': 'Testamol in kidney disease: eGFR below 60 halve the dose; eGFR below 30 avoid.',
      'medicine.liver': 'Testamol in liver disease: avoid in severe disease.',
    })
  })
  test('the entities of a dose are the name, the amount, the unit and how often', () => {
    const [dose] = factsOf([medicine()]).facts.filter(({ kind }) => kind === 'medicine.adult-dose')
    expect(dose!.keys).toEqual([
      { text: 'Testamol', tag: 'drug', weight: WEIGHTS.drug },
      { text: '500 to 1000 mg', tag: 'dose', weight: WEIGHTS.dose },
      { text: 'mg', tag: 'unit', weight: WEIGHTS.unit },
      { text: 'every 4 to 6 hours when needed', tag: 'dose', weight: WEIGHTS.dose },
    ])
  })
  test('a condition, an emergency, a prevention topic', () => {
    expect(answers(condition())).toEqual({
      'condition.features': 'Acute testitis, features: sudden fever, blue ears, loud laughing and a stiff toe; over 50: only the toe.',
      'condition.red-flags': 'Acute testitis, red flags: green tongue and Parkinson tremor of new onset.',
      'condition.differentials': 'Acute testitis, differential diagnoses: gout, sunburn and joy.',
      'condition.treatment': 'Acute testitis, treatment: rest and cold tea for 3 days; no coffee; testamol by mouth.',
      'condition.refer': 'Acute testitis, refer: same day: green tongue.',
      'condition.safety-net': 'Acute testitis, safety net: come back if the toe turns blue.',
      'condition.from-features': 'Acute testitis is a possible diagnosis; treatment: rest and cold tea for 3 days; no coffee; testamol by mouth.',
    })
    expect(factsOf([condition()]).facts.find(({ kind }) => kind === 'condition.from-features')!.slots['f']).toEqual([
      'sudden fever, blue ears, loud laughing and a stiff toe',
    ])
    expect(answers(emergency())).toEqual({
      'emergency.recognise': 'Testic shock, signs: sudden collapse with blue ears and laughter that does not stop.',
      'emergency.first-step': 'Testic shock, first step: call an ambulance.',
      'emergency.steps': 'Testic shock, steps: call an ambulance; then lie the patient flat; then give testamol.',
      'emergency.drug-dose': 'Testic shock, testamol for adults: 1 g as a single dose, into a muscle.',
      'emergency.avoid': 'Testic shock, warnings: do not tickle.',
    })
    expect(answers(prevention())).toEqual({
      'prevention.who': 'Testitis vaccination, for whom: everyone over 50.',
      'prevention.measures': 'Testitis vaccination, measures: one injection protects for life and record the batch.',
      'prevention.schedule': 'Testitis vaccination, schedule: once at 50.',
    })
  })
  test('what a record is silent on is declined; what is only long is not', () => {
    const { missing } = factsOf([medicine({ doses: [medicine().kind === 'medicine' ? { ...adultOnly } : null] }), condition(), prevention()])
    expect(missing.get('testamol')).toEqual(expect.arrayContaining(['medicine.child-dose', 'medicine.monitoring']))
    expect(missing.get('testitis')).toEqual(['condition.tests'])
    expect(missing.get('testitis-vaccination')).toEqual(['prevention.not-for'])
    const long = condition({ investigations: [Array.from({ length: 50 }, () => 'test').join(' ')] })
    expect(answers(long)['condition.tests']).toBeUndefined()
    expect(factsOf([long]).missing.get('testitis')).toEqual([])
  })
  test('the core set leaves the rarer kinds out and declines them', () => {
    expect(Object.keys(answers(medicine(), 'core')).every((kind) => kinds[kind as keyof typeof kinds].core)).toBe(true)
    expect(factsOf([medicine()], 'core').missing.get('testamol')).toContain('medicine.side-effects')
  })
  test('two drugs are asked about once, whichever record says it', () => {
    const other = medicine({
      id: 'warfarin',
      name: 'warfarin',
      brands: [],
      interactions: [{ with: 'Testol', effect: 'INR rises.', action: 'monitor' }],
    })
    const asked = factsOf([medicine(), other]).facts.filter(({ kind }) => kind === 'medicine.interaction-with')
    expect(asked.map(({ record, slots }) => [record, slots['w']])).toEqual([
      ['testamol', ['clarithromycin', 'erythromycin']],
      ['testamol', ['warfarin']],
    ])
  })
})

const adultOnly = {
  ...{ indication: 'pain', population: 'adult', route: 'oral', low: 1, high: 1, unit: 'g', schedule: 'regular' },
  timesPerDay: { low: 2, high: 2 },
}

describe('all facts of our records', () => {
  const records = allRecords()
  const { facts, tooLong } = factsOf(records)

  test('are many, of every kind, with ids of their own', () => {
    expect(facts.length).toBeGreaterThan(4000)
    expect(tooLong / facts.length).toBeLessThan(0.01)
    expect(new Set(facts.map(({ id }) => id)).size).toBe(facts.length)
    expect(factKinds.filter((kind) => !facts.some((fact) => fact.kind === kind))).toEqual([])
  })
  test('begin with the name, end with a full stop, have at most 45 words, and their entities are parts of them', () => {
    for (const { answer, keys, slots } of facts) {
      expect(answer.toLowerCase().startsWith(slots.n[0]!.toLowerCase()), answer).toBe(true)
      expect(answer).toMatch(/[^.;:,\s]\.$/)
      expect(answer).not.toMatch(/undefined|NaN| {2}|[;:,] ?[;:,.]|\.\.$/)
      expect(wordCount(answer)).toBeLessThanOrEqual(MOST_WORDS)
      expect(keys.length).toBeGreaterThanOrEqual(2)
      for (const { text, tag, weight } of keys) {
        expect(answer).toContain(text)
        expect(weight).toBe(WEIGHTS[tag])
      }
    }
  })
  test('state no amount that their record does not', () => {
    const known = new Map(records.map((record) => [record.id, numbers(record)]))
    for (const { record, answer } of facts)
      for (const amount of amounts(answer.replace(/(\d),(?=\d{3})/g, '$1')))
        expect(known.get(record)!.has(amount.split('|')[0]!), `${amount} in “${answer}”`).toBe(true)
  })
})

/** Every number that a record states, in its texts, in its fields, or in a dose put in words. */
function numbers(record: ClinicalRecord): Set<string> {
  const doses = record.kind === 'medicine' ? record.doses : record.kind === 'emergency' ? record.drugs.map(({ dose }) => dose) : []
  const text = [...strings(record), ...doses.map(doseText)].join(' . ')
  // a band up to the sixth birthday is said as "to 5 years", an age below two in months
  const ages = doses.flatMap(({ ageFrom, ageBelow }) => [ageFrom, ageBelow]).filter((age) => age !== undefined)
  const said = ages.flatMap((age) => [age - 1, Math.round(age * 120) / 10])
  return new Set(['24', ...amounts(text).map((amount) => amount.split('|')[0]!), ...said.map(String), ...numbersOf(record)])
}
function* strings(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* strings(part)
}
function numbersOf(value: unknown): Set<string> {
  if (typeof value === 'number') return new Set([String(value)])
  if (typeof value !== 'object' || value === null) return new Set()
  return new Set(Object.values(value).flatMap((part) => [...numbersOf(part)]))
}

describe('sentences', () => {
  test('a fragment loses its capital unless it is a name or an abbreviation', () => {
    expect(
      ['Severe pain.', 'Parkinson tremor.', 'HbA1c over 48.', 'CRP first.', 'X-ray', 'A rash.', 'eGFR low', 'H. pylori test'].map(fragment),
    ).toEqual([...['severe pain', 'Parkinson tremor', 'HbA1c over 48', 'CRP first', 'X-ray', 'a rash', 'eGFR low', 'H. pylori test']])
  })
  test('clauses end at semicolons and sentences, not in brackets or after an abbreviation', () => {
    expect(clauses('Rest (bed; chair); then walk. Drink, e.g. tea. eGFR low: S. aureus. 2 g.')).toEqual([
      ...['Rest (bed; chair)', 'then walk', 'Drink, e.g. tea', 'eGFR low: S. aureus', '2 g'],
    ])
  })
  test('a list is cut only between clauses, and says so', () => {
    expect(within(['One two three.', 'Four five six.'], 5)).toEqual({ items: ['one two three'], whole: false })
    expect(within(['One two three; four.'], 5)).toEqual({ items: ['one two three', 'four'], whole: true })
    expect(within([Array.from({ length: 30 }, () => 'x').join(' ')], 5)).toBeNull()
  })
  test('items with commas of their own are parted by semicolons', () => {
    expect([list(['a']), list(['a', 'b']), list(['a', 'b', 'c']), list(['a, b', 'c'])]).toEqual(['a', 'a and b', 'a, b and c', 'a, b; c'])
  })
  test('a group is asked about by each name in it', () => {
    expect(members('clarithromycin, erythromycin or other macrolides')).toEqual(['clarithromycin', 'erythromycin'])
    expect(members('monoamine oxidase inhibitors (MAOIs)')).toEqual(['monoamine oxidase inhibitors'])
  })
})
