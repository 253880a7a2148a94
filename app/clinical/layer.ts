// Owns the reading of every clinical table at once: terms, emergencies, records, names of people.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordKind, RecordsState } from '../contract/clinical.ts'
import { AppError } from '../contract/errors.ts'
import { refOf } from './cards.ts'
import { loadEmergencyTables, type EmergencyTables } from './emergency-rules.ts'
import { createFacts, type Facts } from './facts.ts'
import { loadNameTables, type NameTables } from './identifiers.ts'
import { loadRecords, namesOf } from './record-files.ts'
import type { Medicine } from './records.ts'
import { loadTermTables, type TermTables } from './term-tables.ts'

export interface ClinicalTables {
  readonly terms: TermTables
  readonly emergencies: EmergencyTables
  readonly facts: Facts
  readonly people: NameTables
  /** Lines of record files that were left out. */
  readonly faults: readonly string[]
}

/**
 * Reads `resources`/terms and `resources`/corpus, and the clinic's own records in `clinic`, which may be absent. Throws RESOURCE_MISSING naming
 * the file of the program that is missing; a fault in a clinic's file is only named in `faults`.
 */
export function loadClinical(resources: string, clinic: string): ClinicalTables {
  const terms = join(resources, 'terms')
  const { records, faults } = loadRecords(join(resources, 'corpus'), clinic)
  const medicines = records.flatMap(({ record }): Medicine[] => (record.kind === 'medicine' ? [record] : []))
  return {
    terms: loadTermTables(terms, medicines),
    emergencies: loadEmergencyTables(terms),
    facts: createFacts(records, otherMedicines(join(terms, 'class-drug.tsv'))),
    people: loadNameTables(terms, medicines.flatMap(namesOf)),
    faults,
  }
}

/** Medicines that are known by name alone. */
function otherMedicines(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split(/\r?\n/)
    return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => line.split('\t')[0]!.trim())
  } catch (cause) {
    throw new AppError('RESOURCE_MISSING', 'The file terms/class-drug.tsv of the program is missing. Reinstall Rushlight.', undefined, cause)
  }
}

/** What the settings page tells of the tables. `folder` is where a clinic's own files belong. */
export function recordsState({ facts, faults }: ClinicalTables, folder: string): RecordsState {
  const all = [...facts.byId.values()].map(refOf)
  const counts: Record<RecordKind, number> = { medicine: 0, condition: 0, emergency: 0, prevention: 0 }
  for (const { kind } of all) counts[kind]++
  const reviewed = all.filter(({ review }) => review.state === 'reviewed').length
  return { counts, reviewed, folder, clinic: all.filter(({ source }) => source === 'clinic'), faults: [...faults] }
}
