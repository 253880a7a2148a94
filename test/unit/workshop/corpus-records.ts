// Owns the records of our corpus as its tests see them, and one small record of each kind, written for the tests.
import { join } from 'node:path'
import { ClinicalRecord } from '../../../app/clinical/records.ts'
import { readRecords, recordFiles } from '../../../models/workshop/corpus/records-file.ts'

export const corpusFolder = join(import.meta.dirname, '../../../models/corpus')
export const allRecords = (): ClinicalRecord[] => readRecords(recordFiles(corpusFolder))

const shared = { version: 1, review: { state: 'unreviewed' }, otherNames: [] as string[] }
const advice = { advice: 'avoid', text: 'Harms the unborn child.' }

/** No real drug: its name is in no table. */
export const medicine = (fields: Record<string, unknown> = {}) =>
  ClinicalRecord.parse({
    ...{ kind: 'medicine', id: 'testamol', ...shared, name: 'testamol', brands: ['Testol'], class: 'non-opioid analgesic', uses: ['pain', 'fever'] },
    doses: [
      {
        ...{ indication: 'pain', population: 'adult', route: 'oral', low: 500, high: 1000, unit: 'mg', schedule: 'as needed' },
        ...{ everyHours: { low: 4, high: 6 }, maxDaily: { amount: 4, unit: 'g' } },
      },
      {
        ...{ indication: 'gout, start', population: 'adult', route: 'oral', low: 100, high: 100, unit: 'mg', schedule: 'regular' },
        ...{ timesPerDay: { low: 1, high: 1 }, maxDaily: { amount: 100, unit: 'mg' } },
      },
      {
        ...{ indication: 'pain', population: 'child', ageFrom: 1, ageBelow: 6, route: 'oral', low: 10, high: 15, unit: 'mg', perKg: true },
        ...{ schedule: 'regular', everyHours: { low: 6, high: 6 }, maxSingle: { amount: 250, unit: 'mg' } },
      },
      {
        ...{ indication: 'pain', population: 'child', ageFrom: 6, ageBelow: 12, route: 'oral', low: 250, high: 500, unit: 'mg' },
        ...{ schedule: 'regular', timesPerDay: { low: 4, high: 4 } },
      },
    ],
    contraindications: ['Severe liver disease.', 'Allergy to testamol.'],
    cautions: [],
    interactions: [
      { with: 'warfarin', effect: 'INR rises after some days.', action: 'monitor' },
      { with: 'clarithromycin, erythromycin or other macrolides', effect: 'Levels rise.', action: 'do not combine' },
    ],
    sideEffects: ['nausea', 'rash'],
    pregnancy: advice,
    breastfeeding: { advice: 'can be used', text: 'Can be used for a few days; watch the baby.' },
    renal: [
      { egfrBelow: 60, text: 'Halve the dose.' },
      { egfrBelow: 30, text: 'Avoid; use something else.' },
    ],
    hepatic: 'Avoid in severe disease.',
    monitoring: [],
    ...fields,
  })

export const condition = (fields: Record<string, unknown> = {}) =>
  ClinicalRecord.parse({
    ...{ kind: 'condition', id: 'testitis', ...shared, name: 'acute testitis', otherNames: ['testy fever'] },
    features: ['Sudden fever, blue ears, loud laughing and a stiff toe.', 'Over 50: only the toe.'],
    redFlags: ['Green tongue.', 'Parkinson tremor of new onset.'],
    investigations: [],
    differentials: ['gout', 'sunburn', 'joy'],
    treatment: ['Rest and cold tea for 3 days; no coffee.', 'Testamol by mouth.'],
    refer: ['Same day: green tongue.'],
    safetyNet: 'Come back if the toe turns blue.',
    ...fields,
  })

export const emergency = () =>
  ClinicalRecord.parse({
    ...{ kind: 'emergency', id: 'testic-shock', ...shared, name: 'testic shock' },
    recognise: ['Sudden collapse with blue ears.', 'Laughter that does not stop.'],
    steps: ['Call an ambulance.', 'Lie the patient flat.', 'Give testamol.'],
    drugs: [
      {
        medicine: 'testamol',
        dose: { indication: 'shock', population: 'adult', route: 'intramuscular', low: 1, high: 1, unit: 'g', schedule: 'once' },
      },
    ],
    avoid: ['Do not tickle.'],
    handOver: 'Time of the first laugh.',
  })

export const prevention = () =>
  ClinicalRecord.parse({
    ...{ kind: 'prevention', id: 'testitis-vaccination', ...shared, name: 'testitis vaccination' },
    who: ['Everyone over 50.'],
    measures: ['One injection protects for life.', 'Record the batch.'],
    schedule: ['Once at 50.'],
    notFor: [],
  })
