// Owns small files of facts in the data folder: read as a schema says or not at all, written whole or not at all.
import { readFileSync } from 'node:fs'
import type * as z from 'zod'
import type { Log } from '../base/log.ts'
import { writeWholeFile } from '../base/whole-file.ts'

/** What an earlier run has written. A missing file is null; so is a damaged one, which is logged as `what`: everything in such a file can be found again. */
export function readWhole<T>(path: string, schema: z.ZodType<T>, what: string, log: Log): T | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return null
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    log.warn(`${what} are damaged and found again`)
    return null
  }
}

/** For this user only. A folder that cannot be written costs what is in the file at the next start, and nothing now. True when it is on the disk. */
export function writeWhole(path: string, value: unknown, what: string, log: Log): boolean {
  try {
    writeWholeFile(path, JSON.stringify(value, null, 1))
    return true
  } catch (error) {
    log.warn(`${what} not kept`, { code: (error as NodeJS.ErrnoException).code })
    return false
  }
}
