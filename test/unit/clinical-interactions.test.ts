// Owns the proof that interactions and contraindications come from the records alone, whole words, and never from what a question leaves out.
import { describe, expect, it } from 'vitest'
import { findContraindications } from '../../app/clinical/doses/contraindications.ts'
import { findInteractions } from '../../app/clinical/doses/interactions.ts'
import { loadFormulary } from '../../models/workshop/score/doses.ts'

const formulary = loadFormulary()
const pairs = (text: string) =>
  findInteractions(text, formulary).map(({ medicine, other, action }) => [[medicine.name, other].sort().join(' + '), action])

describe('interactions', () => {
  it.each([
    ['Can she take ibuprofen with warfarin?', 'ibuprofen + warfarin'],
    ['Methotrexate and trimethoprim', 'methotrexate + trimethoprim'],
    ['simvastatin with clarithromycin', 'clarithromycin + simvastatin'],
    ['Viagra for a man on GTN spray', 'glyceryl trinitrate + sildenafil'],
    ['lithium and naproxen', 'lithium + naproxen'],
    ['ramipril plus spironolactone', 'ramipril + spironolactone'],
    ['sertraline and tramadol', 'sertraline + tramadol'],
    ['carbamazepine with the combined pill', 'carbamazepine + combined oral contraceptive'],
    ['amiodarone and citalopram', 'amiodarone + citalopram'],
  ])('%s', (text, pair) => {
    expect(pairs(text).map(([name]) => name)).toContain(pair)
  })
  it('names a substance that has no record', () => {
    expect(pairs('metronidazole and alcohol').map(([name]) => name)).toContain('alcohol + metronidazole')
    expect(pairs('simvastatin with grapefruit juice').map(([name]) => name)).toContain('grapefruit juice + simvastatin')
  })
  it.each(['Paracetamol and amoxicillin', 'Amoxicillin 500 mg', 'warfarin', '', 'alcohol and grapefruit juice', 'loratadine and paracetamol'])(
    '%j: none',
    (text) => {
      expect(pairs(text)).toEqual([])
    },
  )
  it('gives each pair once, in the words of the record', () => {
    const found = findInteractions('warfarin ibuprofen warfarin Nurofen', formulary)
    expect(found).toHaveLength(1)
    const own = found[0]!.medicine.interactions.find((one) => one.with === found[0]!.with)
    expect(found[0]).toMatchObject({ effect: own!.effect, action: own!.action })
  })
})

describe('contraindications', () => {
  const of = (answer: string, question: string) =>
    findContraindications(answer, question, formulary).map(({ medicine, sentence }) => `${medicine.name}: ${sentence}`)
  it.each([
    ['Start candesartan 8 mg', 'She is pregnant', 'candesartan: Pregnancy.'],
    ['Give amoxicillin 500 mg', 'He has an allergy to any penicillin', 'amoxicillin: Allergy to any penicillin.'],
    ['Levofloxacin 500 mg', 'known epilepsy', 'levofloxacin: Epilepsy.'],
    ['Nitrofurantoin 100 mg', 'Her eGFR is 38', 'nitrofurantoin: eGFR below 45.'],
    ['Naproxen 250 mg', 'Pregnant, 30 weeks', 'naproxen: From 28 weeks of pregnancy.'],
    ['Loperamide 2 mg', 'a 3-year-old with diarrhoea', 'loperamide: Children below 4 years.'],
  ])('%s, %s', (answer, question, sentence) => {
    expect(of(answer, question)).toContain(sentence)
  })
  it.each([
    ['Start candesartan 8 mg', 'She is not pregnant'],
    ['Give amoxicillin 500 mg', 'A man with a sore throat'],
    ['Levofloxacin 500 mg', 'no epilepsy'],
    ['Rest and fluids', 'She is pregnant'],
    ['Nitrofurantoin 100 mg', 'Her eGFR is 80'],
    ['Naproxen 250 mg', 'Pregnant, 12 weeks'],
    ['Loperamide 2 mg', 'a man of 45 years with diarrhoea'],
  ])('%s, %s: none', (answer, question) => {
    expect(of(answer, question)).toEqual([])
  })
  it('does not call complete what a qualifier leaves open', () => {
    const complete = (answer: string, question: string) => findContraindications(answer, question, formulary).map((found) => found.complete)
    expect(complete('Ibuprofen 400 mg', 'She has asthma')).toEqual([false])
    expect(complete('Gliclazide 80 mg', 'He has liver impairment')).toContain(false)
    expect(complete('Levofloxacin 500 mg', 'known epilepsy')).toEqual([true])
  })
})
