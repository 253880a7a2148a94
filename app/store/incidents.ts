// Owns the incident files: one problem with one answer, as it was, in the clinic's own data folder. Nothing of it leaves the computer.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Turn } from '../contract/entities.ts'
import { guarded } from './db.ts'

export interface Incident {
  readonly turn: Turn
  /** What the user says is wrong. */
  readonly note: string
  /** Without it question, answer and reasoning stay out; what rules and tables found stays, without the words of the question. */
  readonly withText: boolean
  readonly appVersion: string
  readonly at: string
}

/** The whole file, as it is shown before it is saved. JSON, two spaces. */
export function incidentText({ turn, note, withText, appVersion, at }: Incident): string {
  const { question, answer, reasoning, understood, clinical, ...rest } = turn
  const words = withText ? { question, answer, reasoning, understood, clinical } : { clinical: withoutWords(clinical) }
  return `${JSON.stringify({ kind: 'rushlight-incident', version: 1, at, appVersion, note, turn: { ...rest, classification: withText ? rest.classification : { ...rest.classification, matched: [] }, ...words } }, null, 2)}\n`
}

/** Records, rules and verdicts stay; whatever was copied from question or answer goes. */
function withoutWords(clinical: Turn['clinical']): unknown {
  if (!clinical) return null
  const { emergencies, cards, checks } = clinical
  return {
    emergencies: emergencies.map(({ rule, confidence, record }) => ({ rule, confidence, record })),
    cards: cards.map(({ record }) => ({ record })),
    checks: checks && {
      agreement: checks.agreement,
      subject: checks.subject,
      withheld: checks.withheld,
      doses: checks.doses.map(({ agreement, record }) => ({ agreement, record })),
      band: checks.uncertainty?.band ?? null,
    },
  }
}

/** Writes the incident into `folder` and returns the file's path. Throws STORE_READ_ONLY or STORE_FULL. */
export function saveIncident(folder: string, incident: Incident): string {
  const stamp = incident.at.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')
  const path = join(folder, `incident-${stamp}-${incident.turn.id.slice(0, 8)}.json`)
  guarded(() => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(path, incidentText(incident), { mode: 0o600 })
  })
  return path
}
