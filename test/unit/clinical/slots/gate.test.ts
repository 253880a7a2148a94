// Owns the tests of the clinical gate: when two questions are one, and what differs in words.
import { describe, expect, it } from 'vitest'
import { gate, inShort } from '../../../../app/clinical/gate.ts'
import { differs, read, same } from './tables.ts'

const inWords = (a: string, b: string): string[] => differs(a, b).map((one) => `${one.slot}: ${inShort(one)}`)

describe('the difference in words', () => {
  it.each([
    ['amlodipine 5 mg', 'amlodipine 50 mg', 'amount: 5 mg → 50 mg'],
    ['amoxicillin 500 mg', 'amoxicillin 500 micrograms', 'amount: 500 mg → 500 micrograms'],
    ['start warfarin', 'stop warfarin', 'direction: start → stop'],
    ['Calpol dose', 'Nurofen dose', 'drug: paracetamol → ibuprofen'],
    ['ibuprofen in a child', 'ibuprofen in an adult', 'age: child → adult'],
    ['acne in pregnancy', 'acne', 'pregnancy: in pregnancy → not said'],
    ['left knee pain', 'right knee pain', 'side: left → right'],
    ['metformin with eGFR 30', 'metformin with eGFR 50', 'organ: eGFR 30 → eGFR 50'],
    ['prednisolone for 5 days', 'prednisolone for 5 weeks', 'duration: 5 days → 5 weeks'],
    ['dose of digoxin', 'side effects of digoxin', 'aspect: dose → side effect'],
    ['is coffee harmful', 'is tea harmful', 'word: coffee → tea'],
  ])('%s / %s', (a, b, difference) => {
    expect(inWords(a, b)).toContain(difference)
  })
  it('names the order alone when only the order differs', () => {
    expect(differs('does obesity cause asthma', 'does asthma cause obesity').map((one) => one.slot)).toEqual(['order'])
  })
  it('is short enough for a link', () => {
    for (const { a, b } of differs('word '.repeat(300), 'other '.repeat(300))) for (const side of [a, b]) expect(side.length).toBeLessThanOrEqual(60)
  })
  it('counts how often a thing is said', () => {
    expect(same('aspirin and aspirin', 'aspirin and')).toBe(false)
  })
})

describe('questions that are one', () => {
  it.each([
    ['What is the dose of amoxicillin for a child?', 'amoxicillin dose for children'],
    ['hi, side effects of ramipril?', 'RAMIPRIL ADVERSE EFFECTS'],
    ['allergic to penicillin', 'penicillin-allergic'],
    ['COPD inhalers', 'chronic obstructive pulmonary disease inhalers'],
    ['a child aged 5 years with croup', 'a 5-year-old child with croup'],
    ['interaction of warfarin with aspirin', 'interaction between aspirin and warfarin'],
    ['potassium is 6.5', 'potassium 6.5'],
    ['Lantus dose', 'insulin glargine dose'],
    ['symptoms of vitamin D deficiency', 'vitamin D deficiency symptoms'],
    ['', ' '],
  ])('%s / %s', (a, b) => {
    expect(inWords(a, b)).toEqual([])
  })
})

describe('questions that are two', () => {
  it.each([
    // a dropped small word must not take a relation with it
    ['signs of pregnancy', 'signs in pregnancy'],
    ['ibuprofen for his asthma', 'ibuprofen in his asthma'],
    ['ibuprofen for childhood asthma', 'ibuprofen in childhood asthma'],
    ['risk of renal failure', 'risk in renal failure'],
    ['pregnancy test', 'test in pregnancy'],
    ['pregnancy complications, diabetes', 'diabetes complications, pregnancy'],
    ['side effects of ramipril and amlodipine', 'ramipril side effects and amlodipine'],
    // signs, letters and capitals that carry meaning
    ['HIV+ mother', 'HIV- mother'],
    ['paracetamol .5 g', 'paracetamol 5 g'],
    ['10² units', '102 units'],
    ['vitamin A in pregnancy', 'vitamin in pregnancy'],
    ['?PE treatment', 'PE treatment'],
    ['treatment of ALL in a child', 'treatment of all in a child'],
    ['Is SALT needed after stroke?', 'Is salt needed after stroke?'],
    ['eye pain', 'eyes pain'],
    // standard terms that swallow a detail
    ['ringing in his ears', 'ringing in her ears'],
    ['copper coil', 'coil'],
    ['EpiPen dose', 'adrenaline dose'],
    ['OxyContin dose', 'OxyNorm dose'],
    ['Zostavax timing', 'Shingrix timing'],
    // what belongs to what
    ['ibuprofen 400 mg and paracetamol 1 g', 'ibuprofen 1 g and paracetamol 400 mg'],
    ['fever but no cough', 'cough but no fever'],
    ['a 5 year old boy and a 6 year old girl', 'a 6 year old boy and a 5 year old girl'],
    ['omeprazole at night', 'omeprazole in the morning'],
    ['500/125 mg', '625 mg'],
    ['2 tablets', '2 capsules'],
    ['does metformin treat obesity in adults', 'does metformin treat adults in obesity'],
    ['gout in adult males', 'gout in males'],
    ["can the patient's mother donate", 'can the mother donate'],
    ["can the child's mother take aspirin", "can the mother's child take aspirin"],
    ['allergic to penicillin and amoxicillin', 'penicillin allergy and amoxicillin'],
    ['penicillin and amoxicillin allergy', 'penicillin and allergic to amoxicillin'],
    ['no known drug allergies', 'no known allergies'],
  ])('%s / %s', (a, b) => {
    expect(same(a, b)).toBe(false)
    expect(same(b, a)).toBe(false)
  })
  it('are so whatever the category is called: the gate knows only the words', () => {
    expect(gate(read('gout'), read('gout treatment')).same).toBe(false)
  })
})
