// Owns the facts of conditions, emergencies and prevention topics: what their records say, one short sentence each, beginning with the name.
import { doseText, populationText } from '../../../app/clinical/dose-text.ts'
import type { Condition, Emergency, Prevention } from '../../../app/clinical/records.ts'
import { doseKeys, listed, type Draft } from './medicine-facts.ts'
import { keyOf, type FactKind, type Key } from './pair.ts'
import { capital, clauses, fragment, head, list, within, wordCount } from './sentences.ts'

const LIST_WORDS = 19
const MOST_DRUGS = 2
/** A picture of an illness is asked about by at least so many words: "fever" alone is every condition. */
const LEAST_FEATURE_WORDS = 4
const MOST_FEATURE_WORDS = 14

/** "Name, label: …" over the sentences of one field; nothing for an empty one. */
function field(kind: FactKind, label: string, name: string, tag: Key['tag'], sentences: readonly string[]): Draft | null {
  return sentences.length === 0 ? null : listed(kind, label, keyOf(name, 'criterion'), tag, within(sentences, LIST_WORDS))
}

export function conditionFacts(record: Condition): Draft[] {
  const N = capital(record.name)
  const name = keyOf(N, 'criterion')
  const first = within(record.treatment, 12)
  const asked = pictures(record)
  const facts: (Draft | null)[] = [
    field('condition.features', `${N}, features`, N, 'criterion', record.features),
    field('condition.red-flags', `${N}, red flags`, N, 'criterion', record.redFlags),
    field('condition.tests', `${N}, tests`, N, 'step', record.investigations),
    record.differentials.length === 0
      ? null
      : listed('condition.differentials', `${N}, differential diagnoses`, name, 'criterion', within(record.differentials, LIST_WORDS, 6)),
    field('condition.treatment', `${N}, treatment`, N, 'step', record.treatment),
    field('condition.refer', `${N}, refer`, N, 'criterion', record.refer),
    field('condition.safety-net', `${N}, safety net`, N, 'step', [record.safetyNet]),
    first === null || asked.length === 0
      ? null
      : {
          kind: 'condition.from-features',
          answer: `${N} is a possible diagnosis; treatment: ${list(first.items)}.`,
          keys: [name, keyOf(head(first.items[0]!), 'step')],
          slots: { f: asked },
        },
  ]
  return facts.filter((fact) => fact !== null)
}

/** What a patient shows: the first sentence of the features, without the age or setting before a colon, up to a comma. A question may be cut, an answer not. */
function pictures({ features }: Condition): string[] {
  const shown = clauses(features[0]!)
    .map((clause) => fragment(clause.replace(/^[^,:]{1,40}: /, '')))
    .map((clause) => {
      const parts = clause.split(', ')
      let kept = parts[0]!
      for (const part of parts.slice(1)) if (wordCount(`${kept} ${part}`) <= MOST_FEATURE_WORDS) kept += `, ${part}`
      // a bracket that the cut has opened goes with its content
      return kept.split('(').length > kept.split(')').length ? kept.slice(0, kept.lastIndexOf('(')).trim() : kept
    })
    .filter((clause) => wordCount(clause) <= MOST_FEATURE_WORDS + 6)
  const clear = shown.filter((clause) => wordCount(clause) >= LEAST_FEATURE_WORDS && !REMARK.test(clause))
  return clear.length > 0 ? clear : shown.slice(0, 1)
}
const REMARK =
  /^(over|under|above|below|about|one|two|most|mostly|usual|often|more|less|no|not|many|some|common|risk|cause|after|seen|diagnos|suspect|worst)\b/i

export function emergencyFacts(record: Emergency): Draft[] {
  const N = capital(record.name)
  const name = keyOf(N, 'criterion')
  const first = within(record.steps, 30, 1)
  const steps = within(record.steps, 32)
  const facts: (Draft | null)[] = [
    field('emergency.recognise', `${N}, signs`, N, 'criterion', record.recognise),
    first && { kind: 'emergency.first-step', answer: `${N}, first step: ${first.items[0]!}.`, keys: [name, keyOf(head(first.items[0]!, 8), 'step')] },
    steps && steps.items.length > 1
      ? {
          kind: 'emergency.steps',
          answer: `${N}, steps: ${steps.items.join('; then ')}.`,
          keys: [name, ...steps.items.map((item) => keyOf(head(item), 'step'))],
        }
      : null,
    ...drugDoses(record),
    field('emergency.avoid', `${N}, warnings`, N, 'contraindication', record.avoid),
  ]
  return facts.filter((fact) => fact !== null)
}

/** The adult dose of each drug, the first that the record gives; a child's where there is no adult one. */
function drugDoses(record: Emergency): Draft[] {
  const N = capital(record.name)
  const drugs = [...new Set(record.drugs.map(({ medicine }) => medicine))].slice(0, MOST_DRUGS)
  return drugs.map((medicine) => {
    const doses = record.drugs.filter((one) => one.medicine === medicine).map(({ dose }) => dose)
    const dose = doses.find(({ population }) => population === 'adult') ?? doses[0]!
    return {
      kind: 'emergency.drug-dose',
      answer: `${N}, ${medicine} for ${populationText(dose)}: ${doseText(dose)}.`,
      keys: [keyOf(N, 'criterion'), keyOf(medicine, 'drug'), ...doseKeys(dose)],
      slots: { m: [medicine] },
    }
  })
}

export function preventionFacts(record: Prevention): Draft[] {
  const N = capital(record.name)
  const facts = [
    field('prevention.who', `${N}, for whom`, N, 'criterion', record.who),
    field('prevention.measures', `${N}, measures`, N, 'step', record.measures),
    field('prevention.schedule', `${N}, schedule`, N, 'step', record.schedule),
    field('prevention.not-for', `${N}, not for`, N, 'contraindication', record.notFor),
  ]
  return facts.filter((fact) => fact !== null)
}
