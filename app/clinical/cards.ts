// Owns the card of a record: its parts in their fixed order, in words, with what the question asks for and what in it applies. Pure.
import { partIds, type FactCard, type FactLine, type FactPart, type PartId, type RecordRef } from '../contract/clinical.ts'
import { doseText, maximumText, populationText, amountText, frequencyText, routeText } from './dose-text.ts'
import type { Naming } from './facts.ts'
import type { KnownRecord } from './record-files.ts'
import type { Condition, Dose, Emergency, Medicine, Prevention } from './records.ts'

/** What the question says of the patient, where it says it. */
export interface Situation {
  readonly child: boolean
  /** In years, `to` not included. */
  readonly age: { readonly from: number; readonly to: number } | null
  /** ml/min/1.73 m². */
  readonly egfr: number | null
  /** Medicine id → the `with` of its record that the question names, and that name. */
  readonly interactions: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Medicine id → the sentences that the question touches. */
  readonly contraindications: ReadonlyMap<string, ReadonlySet<string>>
}
export const nothingKnown: Situation = { child: false, age: null, egfr: null, interactions: new Map(), contraindications: new Map() }

const TITLES: Readonly<Record<PartId, string>> = {
  ...{ uses: 'Indications', 'dose-adult': 'Dose, adults', 'dose-child': 'Dose, children', maximum: 'Maximum', cautions: 'Cautions' },
  ...{ contraindications: 'Contra-indications', interactions: 'Interactions', sideEffects: 'Side effects', pregnancy: 'Pregnancy' },
  ...{ breastfeeding: 'Breast feeding', hepatic: 'Hepatic impairment', renal: 'Renal impairment', monitoring: 'Monitoring' },
  ...{ redFlags: 'Red flags', features: 'Features', investigations: 'Investigations', differentials: 'Differential diagnosis' },
  ...{ treatment: 'Treatment', refer: 'When to refer', safetyNet: 'Safety net' },
  ...{ steps: 'Steps', drugs: 'Doses for the steps', recognise: 'How to recognise it', avoid: 'Avoid', handOver: 'Hand over' },
  ...{ who: 'For whom', measures: 'Measures', schedule: 'When', notFor: 'Not for' },
}
export const titleOf = (part: PartId): string => TITLES[part]

export function refOf({ record: { id, kind, name, version, review }, source }: KnownRecord): RecordRef {
  return { id, kind, name, version, review, source }
}

/** The card of one record. Every part of its kind is there, an empty one too. */
export function makeCard({ known, words }: Pick<Naming, 'known' | 'words'>, asked: readonly PartId[], situation: Situation): FactCard {
  const { record } = known
  const lines = linesOf(known, situation)
  const parts = partIds[record.kind].map((id): FactPart => ({
    id,
    title: TITLES[id],
    numbered: id === 'steps' || id === 'treatment',
    lines: lines[id] ?? [],
    asked: asked.includes(id),
  }))
  return { record: refOf(known), about: record.kind === 'medicine' ? record.class : '', named: words, parts }
}

type Lines = Partial<Record<PartId, FactLine[]>>
const line = (text: string, more: Partial<FactLine> = {}): FactLine => ({ lead: '', text: asSentence(text), note: '', applies: '', ...more })
const lines = (texts: readonly string[]): FactLine[] => texts.map((text) => line(text))
const one = (text: string): FactLine[] => (text.trim() === '' ? [] : [line(text)])

function linesOf({ record }: KnownRecord, situation: Situation): Lines {
  switch (record.kind) {
    case 'medicine':
      return medicineLines(record, situation)
    case 'condition':
      return conditionLines(record)
    case 'emergency':
      return emergencyLines(record)
    case 'prevention':
      return preventionLines(record)
  }
}

function medicineLines(medicine: Medicine, { child, age, egfr, interactions, contraindications }: Situation): Lines {
  const adult = medicine.doses.filter(({ population }) => population === 'adult' || population === 'older adult')
  const children = medicine.doses.filter(({ population }) => population === 'child' || population === 'neonate')
  const touched = contraindications.get(medicine.id)
  const met = interactions.get(medicine.id)
  // of several limits the most severe that holds
  const renal = egfr === null ? undefined : medicine.renal.filter(({ egfrBelow }) => egfr < egfrBelow).sort((a, b) => a.egfrBelow - b.egfrBelow)[0]
  return {
    uses: medicine.uses.length > 0 ? [line(medicine.uses.join('; '))] : [],
    'dose-adult': adult.map((dose) => doseFact(dose, child ? '' : ageApplies(dose, age))),
    'dose-child': first(children.map((dose) => doseFact(dose, ageApplies(dose, age)))),
    maximum: ceilings(medicine.doses),
    contraindications: first(medicine.contraindications.map((text) => line(text, { applies: touched?.has(text) ? 'the question says so' : '' }))),
    cautions: lines(medicine.cautions),
    interactions: first(
      medicine.interactions.map(({ with: other, effect, action }) =>
        line(effect, { lead: other, note: asSentence(action), applies: met?.has(other) ? `${met.get(other)!} is named` : '' }),
      ),
    ),
    sideEffects: [line(medicine.sideEffects.join('; '))],
    pregnancy: [line(medicine.pregnancy.text, { lead: medicine.pregnancy.advice })],
    breastfeeding: [line(medicine.breastfeeding.text, { lead: medicine.breastfeeding.advice })],
    hepatic: one(medicine.hepatic),
    renal: first(medicine.renal.map((row) => line(row.text, { lead: `eGFR below ${row.egfrBelow}`, applies: row === renal ? `eGFR ${egfr}` : '' }))),
    monitoring: lines(medicine.monitoring),
  }
}

/** Lines that apply stand first; the others keep their order. */
const first = (all: FactLine[]): FactLine[] => [...all.filter(({ applies }) => applies !== ''), ...all.filter(({ applies }) => applies === '')]

function doseFact(dose: Dose, applies: string): FactLine {
  const who = dose.population === 'adult' ? '' : populationText(dose)
  const lead = [dose.indication, who].filter((part) => part !== '').join('; ')
  const note = [maximumText(dose), dose.note ?? ''].filter((part) => part !== '').map(asSentence)
  return line(doseText(dose), { lead, note: note.join(' '), applies })
}

function ageApplies({ population, ageFrom, ageBelow }: Dose, age: Situation['age']): string {
  if (age === null || (ageFrom === undefined && ageBelow === undefined)) return ''
  const fits = (ageFrom ?? 0) <= age.from + 1e-6 && age.from < (ageBelow ?? 120)
  return fits && (population === 'child' || population === 'older adult') ? 'this age' : ''
}

/** Each ceiling once, with all that it holds for. */
function ceilings(doses: readonly Dose[]): FactLine[] {
  const found = new Map<string, string[]>()
  for (const dose of doses) {
    const text = maximumText(dose)
    if (text === '') continue
    const who = `${populationText(dose)}: ${dose.indication}`
    found.set(text, [...(found.get(text) ?? []), who])
  }
  return [...found].map(([text, whom]) => line(text, { note: asSentence(whom.join('; ')) }))
}

const conditionLines = (condition: Condition): Lines => ({
  redFlags: lines(condition.redFlags),
  features: lines(condition.features),
  investigations: lines(condition.investigations),
  differentials: condition.differentials.length > 0 ? [line(condition.differentials.join('; '))] : [],
  treatment: lines(condition.treatment),
  refer: lines(condition.refer),
  safetyNet: one(condition.safetyNet),
})

const emergencyLines = (emergency: Emergency): Lines => ({
  steps: lines(emergency.steps),
  drugs: emergency.drugs.map(({ medicine, dose }) =>
    line([`${amountText(dose)} ${frequencyText(dose)}`.trim(), routeText(dose)].join(', '), {
      lead: `${medicine}, ${populationText(dose)}`,
      note: [maximumText(dose), dose.note ?? '']
        .filter((part) => part !== '')
        .map(asSentence)
        .join(' '),
    }),
  ),
  recognise: lines(emergency.recognise),
  avoid: lines(emergency.avoid),
  handOver: one(emergency.handOver),
})

const preventionLines = (prevention: Prevention): Lines => ({
  who: lines(prevention.who),
  measures: lines(prevention.measures),
  schedule: lines(prevention.schedule),
  notFor: lines(prevention.notFor),
})

/** With a capital and a full stop, as a row of a table reads; a unit or a symbol at the start stays as it is. */
function asSentence(text: string): string {
  const trimmed = text.trim()
  const capital = /^\p{Ll}{2,}[ ,;:-]/u.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed
  return capital === '' || /[.!?…]["”’)]?$/.test(capital) ? capital : `${capital}.`
}
