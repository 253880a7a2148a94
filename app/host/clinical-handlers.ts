// Owns the routes of the clinical layer: what the tables hold, calculators, incidents, and what a question holds before it is sent.
import { join } from 'node:path'
import type { AppContract } from '../contract/contract.ts'
import type { Handlers } from '../contract/define.ts'
import type { Conversations } from '../store/conversations.ts'
import { incidentText, saveIncident } from '../store/incidents.ts'
import { calculatorInfos, childMedicines, runCalculator, runChildDose } from '../clinical/calculators/describe.ts'
import { findIdentifiers, removeIdentifiers } from '../clinical/identifiers.ts'
import { recordsState, type ClinicalTables } from '../clinical/layer.ts'
import { standardise, understood } from '../clinical/terms.ts'

type Routes =
  'records.state' | 'calculator.list' | 'calculator.run' | 'calculator.medicines' | 'calculator.childDose' | 'incident.draft' | 'incident.save'

export function clinicalHandlers(s: {
  tables: () => ClinicalTables
  conversations: Conversations
  dataFolder: string
  version: string
}): Pick<Handlers<AppContract>, Routes> {
  const incident = ({ turn, note, withText }: { turn: string; note: string; withText: boolean }) => ({
    ...{ turn: s.conversations.turn(turn), note, withText },
    ...{ appVersion: s.version, at: new Date().toISOString() },
  })
  return {
    'records.state': () => recordsState(s.tables(), clinicRecords(s.dataFolder)),
    'calculator.list': () => calculatorInfos(),
    'calculator.run': ({ id, input }) => runCalculator(id, input),
    'calculator.medicines': () => childMedicines(s.tables().facts),
    'calculator.childDose': (input) => runChildDose(input, s.tables().facts),
    'incident.draft': (input) => ({ text: incidentText(incident(input)) }),
    'incident.save': (input) => ({ file: saveIncident(join(s.dataFolder, 'incidents'), incident(input)) }),
  }
}

/** Where a clinic puts files of its own records. */
export const clinicRecords = (dataFolder: string): string => join(dataFolder, 'records')

/** What a question that is being typed holds of a person, the same without it, and how its terms will be understood. */
export function lookAt(question: string, { people, terms }: ClinicalTables) {
  const found = findIdentifiers(question, people, new Date())
  const { text, changes } = standardise(question, terms)
  return {
    text,
    shown: {
      identifiers: found.map(({ kind, text: typed }) => ({ kind, text: typed })).slice(0, 20),
      without: found.length === 0 ? null : removeIdentifiers(question, found),
      understood: understood(changes),
    },
  }
}
