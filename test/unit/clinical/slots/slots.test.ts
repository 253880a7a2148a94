// Owns the tests of the slot readers: what each slot holds for a question, and what it must not take.
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../../app/contract/errors.ts'
import { OWN_FORM } from '../../../../app/clinical/slots/brands.ts'
import type { SlotName } from '../../../../app/clinical/slots/slot.ts'
import { loadSlotTables } from '../../../../app/clinical/slots/slots.ts'
import { tokens } from '../../../../app/clinical/term-tokens.ts'
import { read, slot, tables } from './tables.ts'

const cases: readonly (readonly [question: string, name: SlotName, ...values: string[]])[] = [
  ['amoxicillin 0,5 g tds', 'amount', '500 mg'],
  ['amoxicillin 500000 µg tds', 'amount', '500 mg'],
  ['morphine 2.5-5 mg', 'amount', '2.5 mg to 5 mg'],
  ['gentamicin 7 mg/kg', 'amount', '7 mg/kg'],
  ['paracetamol 60 mg/kg/day', 'amount', '60 mg/kg/day'],
  ['ibuprofen 100mg/5ml', 'amount', '100 mg/5 ml'],
  ['two tablets', 'amount', '2 tab'],
  ['2 capsules', 'amount', '2 cap'],
  ['2 x 500 mg', 'amount', '2 x 500 mg'],
  ['INR 8.0', 'number', '8'],
  ['T score -2.5', 'number', 'minus 2.5'],
  ['saturations 92%', 'number', '92 %'],
  ['blood pressure 140/90', 'number', '140', '90'],
  ['Calpol or Nurofen', 'drug', 'ibuprofen', 'paracetamol'],
  ['OxyContin dose', 'drug', 'oxycontin'],
  ['vitamin B12 injection', 'drug', 'vitamin b12'],
  ['diclofenac gel', 'form', 'gel'],
  ['diltiazem modified-release', 'form', 'modified release'],
  ['ondansetron PO', 'route', 'oral'],
  ['adrenaline into the muscle', 'route', 'intramuscular'],
  ['naproxen bd', 'frequency', '2 a day'],
  ['paracetamol every 4 to 6 hours', 'frequency', 'every 4–6 h'],
  ['simvastatin at bedtime', 'frequency', 'at night'],
  ['methotrexate once a week', 'frequency', 'every 7 days'],
  ['GTN spray prn', 'frequency', 'as needed'],
  ['doxycycline for 3 weeks', 'duration', '3 weeks'],
  ['antibiotics for 5 to 7 days', 'duration', '5 to 7 days'],
  ['resting for a month', 'duration', '1 months'],
  ['aspirin in a 5-year-old', 'age', '5 years'],
  ['fever in an 18 month old', 'age', '18 months'],
  ['fever in a 24 month old', 'age', '2 years'],
  ['someone aged 45', 'age', '45 years'],
  ['cetirizine for kids', 'age', 'child'],
  ['enoxaparin for 82 kg', 'weight', '82 kg'],
  ['paracetamol for a child weighing 12 kg', 'weight', '12 kg'],
  ['a 30F with anaemia', 'sex', 'woman'],
  ['hernia in males', 'sex', 'man'],
  ['blood in his urine', 'sex', 'his'],
  ['metformin in pregnant women', 'pregnancy', 'in pregnancy'],
  ['headache at 20/40', 'pregnancy', '20 weeks pregnant'],
  ['codeine whilst breast-feeding', 'pregnancy', 'while breastfeeding'],
  ['acne in the third trimester', 'pregnancy', 'third trimester'],
  ['metformin with eGFR <30', 'organ', 'eGFR under 30'],
  ['metformin with an eGFR of 30 to 45 ml/min/1.73m2', 'organ', 'eGFR 30 to 45'],
  ['apixaban in CKD 3a', 'organ', 'in CKD stage 3a'],
  ['apixaban in stage 4 CKD', 'organ', 'in CKD stage 4'],
  ['morphine in renal impairment', 'organ', 'in renal impairment'],
  ['paracetamol with Child-Pugh B', 'organ', 'Child-Pugh B'],
  ['rash, allergic to penicillin', 'allergy', 'penicillin allergy'],
  ['penicillin-allergic adult', 'allergy', 'penicillin allergy'],
  ['flu jab, allergic to eggs', 'allergy', 'egg allergy'],
  ["she can't walk", 'negation', 'not'],
  ['HIV+ partner', 'word', '+', 'partner'],
  ['HIV- partner', 'word', 'minus', 'partner'],
  ['stop warfarin before surgery', 'direction', 'before', 'stop'],
  ['discontinue warfarin prior to surgery', 'direction', 'before', 'stop'],
  ['right-sided headache', 'side', 'right'],
  ['swollen eyes', 'subject', 'eyes', 'swollen'],
  ['chronic urticaria', 'course', 'chronic'],
  ['BP >140', 'comparison', 'more than'],
  ['pain above the knee', 'comparison', 'above'],
  ['infuse over 30 minutes', 'comparison', 'over'],
  ['ramipril adverse effects', 'aspect', 'side effect'],
  ['max dose of codeine', 'aspect', 'maximum dose'],
  ['how often is B12 given', 'kind', 'how often', 'is'],
  ['what causes gout', 'aspect', 'cause'],
  ['Wie ist die Dosis von Paracetamol?', 'language', 'German'],
  ['do I go on', 'language', 'English'],
  ['доза парацетамола', 'language', 'Cyrillic'],
]

describe('the slots of a question', () => {
  it.each(cases.map(([question, name, ...values]) => ({ question, name, values })))('$question: $name', ({ question, name, values }) => {
    expect(slot(question, name)).toEqual(values)
  })
  it('lists only slots that hold something, each once, with sorted values', () => {
    const { slots } = read('Can a man take warfarin and aspirin after a stroke?')
    const names = slots.map((one) => one.slot)
    expect(new Set(names).size).toBe(names.length)
    for (const one of slots) {
      expect(one.values.length).toBeGreaterThan(0)
      if (one.slot !== 'order') expect([...one.values].sort()).toEqual(one.values)
    }
  })
  it('loses no word: what is not connecting is in some slot', () => {
    const { slots } = read('Zorbulon quaffing gribbles while ostentatiously flying')
    expect(slots.find((one) => one.slot === 'word')?.values).toEqual(['flying', 'gribble', 'ostentatiously', 'quaffing', 'while', 'zorbulon'])
  })
  it('keeps an A that is a name and drops one that is an article', () => {
    expect(slot('hepatitis A vaccine', 'drug')).toEqual(['hepatitis a vaccine'])
    expect(slot('protein A column', 'word')).toContain('a')
    expect(slot('is a column needed', 'word')).not.toContain('a')
  })
  it('takes a pasted document as one word, and reads a long question in time that grows with its length', () => {
    expect(read('fever '.repeat(1000)).slots).toHaveLength(1)
    expect(slot('fever and cough '.repeat(200), 'subject').length).toBe(400)
  })
})

describe('the tables of the slots', () => {
  it('hold every brand that is kept as typed: a brand gone from the term tables would be listed in vain', () => {
    const known = (brand: string): boolean => {
      let node: typeof tables.terms.root | undefined = tables.terms.root
      for (const { plain } of tokens(brand)) node = node?.next.get(plain)
      return node !== undefined && node.fixed.length > 0
    }
    expect(OWN_FORM.filter((brand) => !known(brand))).toEqual([])
    expect(new Set(OWN_FORM).size).toBe(OWN_FORM.length)
  })
  it('are missed by name', () => {
    expect(() => loadSlotTables('/nowhere')).toThrow(AppError)
    expect(() => loadSlotTables('/nowhere')).toThrow(expect.objectContaining({ code: 'RESOURCE_MISSING' }))
  })
})
