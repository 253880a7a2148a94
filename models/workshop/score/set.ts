// Owns what a labelled set is to the score command, and the reading of its lines.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type * as z from 'zod'
import type { Report } from '../report.ts'

export interface ScoreSet {
  /** One line for --help. */
  readonly about: string
  /** The form of a line, for --help and for messages. */
  readonly line: string
  /** Throws BadLines when `file` cannot be read as such a set. */
  run(options: { file?: string | undefined }): Promise<Report>
}

/** A file that cannot be used as a set; the message says which line and why. */
export class BadLines extends Error {
  override name = 'BadLines'
}

export const inTests = (name: string): string => fileURLToPath(new URL(`../../../test/sets/${name}`, import.meta.url))
export const inModels = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

// Twenty messages are enough to see what is wrong with a file.
const SHOWN = 20

/** Reads one JSON object a line; empty lines are passed over. Throws BadLines with the number of every line (at most 20) that does not fit. */
export function readLines<T>(file: string, schema: z.ZodType<T>, form: string): T[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new BadLines(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}). Give the path of a file with one JSON object a line.`,
    )
  }
  const rows: T[] = []
  const bad: string[] = []
  text.split(/\r?\n/).forEach((line, at) => {
    if (line.trim() === '') return
    const fault = (why: string) => bad.push(`${file}:${at + 1}: ${why}`)
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return void fault('not JSON')
    }
    const parsed = schema.safeParse(value)
    if (parsed.success) rows.push(parsed.data)
    else fault(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`).join('; '))
  })
  if (bad.length > 0) {
    const more = bad.length > SHOWN ? [`… and ${bad.length - SHOWN} more`] : []
    throw new BadLines([...bad.slice(0, SHOWN), ...more, `A line looks like ${form}`].join('\n'))
  }
  if (rows.length === 0) throw new BadLines(`${file} holds no line. A line looks like ${form}`)
  return rows
}
