// Owns the reading of clinical records from their files: every line proved, every fault named by file and line.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { ClinicalRecord } from '../../../app/clinical/records.ts'

/** The files of records in a folder, by name; `calibration*` holds questions, no records. */
export function recordFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl') && !name.startsWith('calibration'))
  return names.sort().map((name) => join(folder, name))
}

/**
 * Every record of `files`, in order. A record is one line; only the end of a file may be empty. Throws SOURCE_INVALID with file and line for a line
 * that is empty, no JSON or no record (an unknown key, a missing field, a value out of range), and for an id or a name that is taken.
 */
export function readRecords(files: readonly string[]): ClinicalRecord[] {
  const records: ClinicalRecord[] = []
  const taken = new Map<string, string>()
  for (const path of files) {
    const file = basename(path)
    const lines = read(path).split(/\r?\n/)
    if (lines.at(-1) === '') lines.pop()
    if (lines.length === 0) throw new AppError('SOURCE_INVALID', `${file} holds no record. Put one record on each line.`, { file })
    lines.forEach((line, at) => {
      const record = parse(line, file, at + 1)
      const names = new Set([record.name, ...record.otherNames, ...(record.kind === 'medicine' ? record.brands : [])])
      for (const key of [`id ${record.id}`, ...[...names].map((name) => `${record.kind} “${name.toLowerCase()}”`)]) {
        const first = taken.get(key)
        if (first !== undefined) throw fault(file, at + 1, `has the ${key}, which ${first} has already`)
        taken.set(key, `${file}, line ${at + 1}`)
      }
      records.push(record)
    })
  }
  return records
}

function read(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (cause) {
    const file = basename(path)
    throw new AppError('SOURCE_INVALID', `${file} cannot be read as text in UTF-8. Check the name and how it was saved.`, { file }, cause)
  }
}

function parse(line: string, file: string, number: number): ClinicalRecord {
  if (line.trim() === '') throw fault(file, number, 'is empty')
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    throw fault(file, number, 'is no JSON')
  }
  const { data, error } = ClinicalRecord.safeParse(json)
  if (data) return data
  const issues = error.issues.slice(0, 3).map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
  throw fault(file, number, `is no clinical record (${issues.join('; ')})`)
}

const fault = (file: string, line: number, what: string) =>
  new AppError('SOURCE_INVALID', `${file}, line ${line} ${what}. Correct or remove the line.`, { file, line })
