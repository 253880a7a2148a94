// Owns what rules and tables say of a question before any model is asked: standard terms, emergencies, cards, interactions, what has no record.
import type { Clinical, ClinicalNotice, EmergencyBanner, FactCard, PartId } from '../contract/clinical.ts'
import type { Category, Understood } from '../contract/entities.ts'
import { partsAsked } from '../clinical/asked.ts'
import { makeCard, refOf, type Situation } from '../clinical/cards.ts'
import { findContraindications, type ContraindicationFound } from '../clinical/doses/contraindications.ts'
import { findInteractions, type InteractionFound } from '../clinical/doses/interactions.ts'
import { readPeople } from '../clinical/doses/people.ts'
import { scan } from '../clinical/doses/scan.ts'
import { findEmergencies } from '../clinical/emergency.ts'
import { findNamed, type Facts, type Naming } from '../clinical/facts.ts'
import type { ClinicalTables } from '../clinical/layer.ts'
import type { Medicine } from '../clinical/records.ts'
import { standardise, understood } from '../clinical/terms.ts'

export interface Reading {
  /** The question in standard words: what the model is asked. */
  readonly text: string
  readonly understood: Understood[]
  readonly clinical: Clinical
}
const MOST_CARDS = 3
const MOST_BANNERS = 3
/** Which kind of record a question of each category is about first; general questions take them as they are named. */
const ORDER: Readonly<Record<Category, readonly FactCard['record']['kind'][]>> = {
  medication: ['medicine', 'condition', 'emergency', 'prevention'],
  treatment: ['condition', 'emergency', 'medicine', 'prevention'],
  diagnosis: ['condition', 'emergency', 'medicine', 'prevention'],
  prevention: ['prevention', 'condition', 'medicine', 'emergency'],
  emergency: ['emergency', 'medicine', 'condition', 'prevention'],
  general: [],
}

/**
 * Reads one question. Emergencies are looked for in the words as typed, on which the rules were measured; records in the standard words. Pure;
 * linear in the length; under 2 ms for a question of usual length. `keep` are the `undo` of terms that the user took back.
 */
export function readQuestion(
  question: string,
  tables: ClinicalTables,
  options: { category: Category; emergencyNumber: string; keep?: readonly string[] },
): Reading {
  const { facts } = tables
  const kept = options.keep ?? []
  const standard = standardise(question, tables.terms, new Set(kept))
  const undoOf = (typed: string) => standard.changes.filter((change) => change.typed === typed).flatMap(({ undo }) => undo)
  const banners = emergenciesOf(question, tables, options.emergencyNumber)
  const { found, missing } = findNamed(standard.text, facts)
  const interactions = findInteractions(standard.text, facts.formulary)
  const contraindications = findContraindications(standard.text, standard.text, facts.formulary)
  const situation = situationOf(question, interactions, contraindications)
  const cards = chosen(found, banners, options.category, facts).map((naming) => {
    const { record } = naming.known
    // the steps stand in the banner already; what they need does not
    const inBanner = banners[0]?.rule === record.id
    const needed: PartId[] = record.kind === 'emergency' && record.drugs.length > 0 ? ['drugs', 'recognise'] : ['recognise']
    const asked: PartId[] = inBanner ? needed : partsAsked(question, record.kind, options.category)
    const met = situation.interactions.has(record.id) && !asked.includes('interactions')
    return makeCard(naming, met ? ['interactions', ...asked.slice(0, 2)] : asked, situation)
  })
  return {
    text: standard.text,
    understood: understood(standard.changes).map((one) => ({ ...one, undo: [...new Set(undoOf(one.typed))] })),
    clinical: {
      emergencies: banners,
      cards,
      notices: noticesOf(interactions, contraindications, facts),
      missing: [...missing],
      unclear: standard.unclear.map(({ typed, couldBe }) => ({ typed, couldBe: [...couldBe] })),
      kept: [...kept],
      checks: null,
    },
  }
}

function emergenciesOf(question: string, { emergencies, facts }: ClinicalTables, number: string): EmergencyBanner[] {
  return findEmergencies(question, emergencies)
    .flatMap(({ id, confidence, because, reasons }): EmergencyBanner[] => {
      const known = facts.byId.get(id)
      if (known?.record.kind !== 'emergency') return []
      const { name, steps } = known.record
      const words = [...new Set(reasons.map((reason) => reason.words))]
      return [{ rule: id, confidence, name, because, words, action: steps[0]!, steps, number, record: refOf(known) }]
    })
    .slice(0, MOST_BANNERS)
}

/** The emergency that the rules found, then what is named, in the order of the category. */
function chosen(found: readonly Naming[], banners: readonly EmergencyBanner[], category: Category, facts: Facts): Pick<Naming, 'known' | 'words'>[] {
  const order = ORDER[category]
  const rank = ({ known }: Naming) => (order.includes(known.record.kind) ? order.indexOf(known.record.kind) : 0)
  const sorted = found.map((naming, at) => ({ naming, at })).sort((a, b) => rank(a.naming) - rank(b.naming) || a.at - b.at)
  const urgent = banners.slice(0, 1).flatMap(({ rule, words }) => {
    const known = facts.byId.get(rule)
    return known ? [{ known, words: words.join(', ') }] : []
  })
  const rest = sorted.flatMap(({ naming }) => (urgent.some(({ known }) => known === naming.known) ? [] : [naming]))
  return [...urgent, ...rest].slice(0, MOST_CARDS)
}

function situationOf(text: string, interactions: readonly InteractionFound[], contraindications: readonly ContraindicationFound[]): Situation {
  const scanned = scan(text.slice(0, 20_000)).text
  const people = readPeople(scanned)
  const egfr = /\be?gfr\D{0,12}(\d{1,3})\b(?! ?%)/.exec(scanned)
  const met = new Map<string, Map<string, string>>()
  for (const { medicine, with: phrase, other } of interactions) met.set(medicine.id, new Map([...(met.get(medicine.id) ?? []), [phrase, other]]))
  const touched = new Map<string, Set<string>>()
  for (const { medicine, sentence, complete } of contraindications)
    if (complete) touched.set(medicine.id, new Set([...(touched.get(medicine.id) ?? []), sentence]))
  return {
    child: people?.group === 'child' || people?.group === 'neonate',
    age: people?.age ?? null,
    egfr: egfr ? Number(egfr[1]) : null,
    interactions: met,
    contraindications: touched,
  }
}

/** Interactions and contraindications as the page names them. */
export function noticesOf(
  interactions: readonly InteractionFound[],
  contraindications: readonly ContraindicationFound[],
  facts: Facts,
): ClinicalNotice[] {
  const record = (medicine: Medicine) => refOf(facts.medicines.get(medicine)!)
  return [
    ...interactions.map(({ medicine, other, effect, action }): ClinicalNotice => ({
      ...{ kind: 'interaction', medicine: medicine.name, other, text: effect, action, complete: true },
      record: record(medicine),
    })),
    ...contraindications.map(({ medicine, sentence, complete }): ClinicalNotice => ({
      ...{ kind: 'contraindication', medicine: medicine.name, other: '', text: sentence, action: 'contra-indicated', complete },
      record: record(medicine),
    })),
  ]
}
