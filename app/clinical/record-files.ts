// Owns the reading of the records that the program shows: its own files, and a clinic's files that add to them or replace them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { ClinicalRecord } from './records.ts'

export interface KnownRecord {
  readonly record: ClinicalRecord
  readonly source: 'program' | 'clinic'
}
export interface RecordSet {
  readonly records: readonly KnownRecord[]
  /** Lines that were left out, each with file, line and what is wrong. */
  readonly faults: readonly string[]
}

/** A clinic's file above this is no table of records. */
const MOST_BYTES = 20_000_000
const MOST_FAULTS = 50
const READ_FAULT = 'cannot be read as text in UTF-8'

/**
 * Every record of `own` (models/corpus), then those of `clinic` (data/records), which replace a record with the same id. A line that is no
 * record, or whose name another record has, is left out and named in `faults`, never corrected. Throws RESOURCE_MISSING when the program's
 * own records are absent; a clinic's folder may be.
 */
export function loadRecords(own: string, clinic: string): RecordSet {
  const faults: string[] = []
  const records = new Map<string, KnownRecord>()
  const names = new Map<string, string>()
  const add = (record: ClinicalRecord, source: KnownRecord['source'], where: string) => {
    const replaced = records.get(record.id)
    if (replaced?.source === source) return void faults.push(`${where} has the id “${record.id}”, which another line has already.`)
    if (replaced && replaced.record.kind !== record.kind)
      return void faults.push(`${where} is a ${record.kind}, but “${record.id}” is a ${replaced.record.kind}. Give it another id.`)
    const keys = namesOf(record).map((name) => `${record.kind} ${name.toLowerCase()}`)
    const taken = keys.find((key) => (names.get(key) ?? record.id) !== record.id)
    if (taken !== undefined)
      return void faults.push(`${where} has a name that “${names.get(taken)!}” has already. Use that id to replace it, or another name.`)
    if (replaced) for (const name of namesOf(replaced.record)) names.delete(`${replaced.record.kind} ${name.toLowerCase()}`)
    for (const key of keys) names.set(key, record.id)
    records.set(record.id, { record, source })
  }
  for (const file of filesIn(own)) readLines(join(own, file), file, faults, (record, where) => add(record, 'program', where))
  if (records.size === 0) throw new AppError('RESOURCE_MISSING', 'The clinical records of the program are missing. Reinstall Rushlight.')
  if (existsSync(clinic))
    for (const file of filesIn(clinic)) readLines(join(clinic, file), file, faults, (record, where) => add(record, 'clinic', where))
  return { records: [...records.values()], faults: faults.slice(0, MOST_FAULTS) }
}

export const namesOf = (record: ClinicalRecord): string[] => [
  ...new Set([record.name, ...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])]),
]

/** `calibration*` holds questions, no records. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl') && !name.startsWith('calibration'))
      .sort()
  } catch {
    return []
  }
}

function readLines(path: string, file: string, faults: string[], take: (record: ClinicalRecord, where: string) => void): void {
  let text: string
  try {
    if (statSync(path).size > MOST_BYTES) return void faults.push(`${file} is larger than 20 MB and was left out.`)
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch {
    return void faults.push(`${file} ${READ_FAULT} and was left out.`)
  }
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const where = `${file}, line ${at + 1}`
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      faults.push(`${where} is no JSON and was left out.`)
      continue
    }
    const { data, error } = ClinicalRecord.safeParse(json)
    if (data) take(data, where)
    else faults.push(`${where} is no clinical record and was left out (${issuesOf(error)}).`)
  }
}

const issuesOf = (error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string =>
  error.issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
