// Owns the way from records to facts: every fact of every record with an id, names that are not ambiguous, and nothing longer than allowed.
import { assertNever } from '../../../app/contract/errors.ts'
import type { ClinicalRecord, Medicine } from '../../../app/clinical/records.ts'
import { conditionFacts, emergencyFacts, preventionFacts } from './care-facts.ts'
import { medicineFacts, type Draft } from './medicine-facts.ts'
import { factKinds, kinds, MOST_WORDS, type Fact, type FactKind } from './pair.ts'
import { wordCount } from './sentences.ts'

/** core: the kinds that a starter can learn in two hours on two cores; full: all. */
export type Breadth = 'core' | 'full'
export interface Facts {
  readonly facts: readonly Fact[]
  /** Per record the kinds that must be declined: the record has nothing on them, or a core set leaves them out. */
  readonly missing: ReadonlyMap<string, readonly FactKind[]>
  /** Facts left out because no short sentence could hold them whole. */
  readonly tooLong: number
}

function draftsOf(record: ClinicalRecord): Draft[] {
  switch (record.kind) {
    case 'medicine':
      return medicineFacts(record)
    case 'condition':
      return conditionFacts(record)
    case 'emergency':
      return emergencyFacts(record)
    case 'prevention':
      return preventionFacts(record)
    default:
      return assertNever(record)
  }
}

/** All facts of `records`, in their order. Pure: the same records give the same facts. */
export function factsOf(records: readonly ClinicalRecord[], breadth: Breadth = 'full'): Facts {
  const facts: Fact[] = []
  const missing = new Map<string, FactKind[]>()
  const asked = new Set<string>()
  const names = medicineNames(records)
  let tooLong = 0
  for (const record of records) {
    const counts = new Map<string, number>()
    const others = [...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])].filter((name) => name.length > 1)
    for (const draft of draftsOf(record)) {
      if (breadth === 'core' && !kinds[draft.kind].core) continue
      if (wordCount(draft.answer) > MOST_WORDS) {
        tooLong++
        continue
      }
      const slots = draft.kind === 'medicine.interaction-with' ? unasked(record.name, draft, names, asked) : draft.slots
      if (slots?.['w']?.length === 0) continue
      const number = (counts.get(draft.kind) ?? 0) + 1
      counts.set(draft.kind, number)
      const id = `${record.id}/${draft.kind}${number === 1 ? '' : `/${number}`}`
      facts.push({
        id,
        record: record.id,
        kind: draft.kind,
        answer: draft.answer,
        keys: distinct(draft),
        slots: { ...slots, n: [record.name], others },
      })
    }
    const left = breadth === 'core' ? factKinds.filter((kind) => kind.startsWith(`${record.kind}.`) && !kinds[kind].core) : []
    missing.set(
      record.id,
      [...new Set([...absent(record), ...left])].filter((kind) => !counts.has(kind) && !NEEDS_MORE.has(kind)),
    )
  }
  return { facts, missing, tooLong }
}

/** Their questions name a second thing, which an empty record does not give. */
const NEEDS_MORE: ReadonlySet<FactKind> = new Set([
  ...(['medicine.indication-dose', 'medicine.age-dose', 'medicine.interaction-with', 'condition.from-features', 'emergency.drug-dose'] as const),
])

/** Kinds on which the record is silent. One that was left out because it is long is not among them: to decline it would be untrue. */
function absent(record: ClinicalRecord): FactKind[] {
  const empty = (kind: FactKind, list: readonly unknown[]): FactKind[] => (list.length === 0 ? [kind] : [])
  switch (record.kind) {
    case 'medicine': {
      const adult = record.doses.filter(({ population }) => population === 'adult')
      return [
        ...empty('medicine.adult-dose', adult),
        ...empty(
          'medicine.child-dose',
          record.doses.filter(({ population }) => population === 'child' || population === 'neonate'),
        ),
        ...empty('medicine.interactions', record.interactions),
        ...empty('medicine.monitoring', record.monitoring),
        ...empty(
          'medicine.maximum',
          adult.filter(({ maxDaily, maxSingle }) => maxDaily ?? maxSingle),
        ),
      ]
    }
    case 'condition':
      return [...empty('condition.tests', record.investigations), ...empty('condition.differentials', record.differentials)]
    case 'emergency':
      return empty('emergency.avoid', record.avoid)
    case 'prevention':
      return [...empty('prevention.schedule', record.schedule), ...empty('prevention.not-for', record.notFor)]
    default:
      return assertNever(record)
  }
}

const distinct = ({ keys }: Draft) => [...new Map(keys.map((key) => [key.text, key])).values()]

const medicineNames = (records: readonly ClinicalRecord[]): ReadonlyMap<string, string> =>
  new Map(
    records
      .filter((record): record is Medicine => record.kind === 'medicine')
      .flatMap((record) => [record.name, ...record.otherNames, ...record.brands].map((name) => [name.toLowerCase(), record.name])),
  )

/** Two drugs are asked about in either order, so each pair is asked about once: from the record that comes first. */
function unasked(name: string, { slots }: Draft, names: ReadonlyMap<string, string>, asked: Set<string>): Draft['slots'] {
  const left = slots!['w']!.filter((other) => {
    const pair = [name, names.get(other.toLowerCase()) ?? other.toLowerCase()].sort().join(' + ')
    if (asked.has(pair)) return false
    asked.add(pair)
    return true
  })
  return { w: left }
}
