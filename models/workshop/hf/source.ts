// Owns the reading of a source folder's JSON files: bounded, checked by a schema, refused with the file and the place in it.
import { open, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type * as z from 'zod'
import { AppError } from '../../../app/contract/errors.ts'

const MiB = 1024 * 1024
/** No real file is larger; a larger one is damaged or made to exhaust memory. */
export const LIMIT = { config: 4 * MiB, tokenizer: 256 * MiB, index: 64 * MiB, template: 4 * MiB } as const

/** The source contradicts itself or its form. `what`: what is wrong, and a second sentence on what to do where it is not to copy the folder again. */
export const invalid = (file: string, what: string, data: Record<string, unknown> = {}): AppError =>
  new AppError('SOURCE_INVALID', `${file}: ${advised(what, 'Correct it or copy the folder again.')}`, { file, ...data })
/** The source is sound, as far as it was read, but asks for what is not made here. Nothing is guessed in its place. */
export const unsupported = (file: string, what: string, data: Record<string, unknown> = {}): AppError =>
  new AppError('SOURCE_UNSUPPORTED', `${file}: ${advised(what, 'Choose another model.')}`, { file, ...data })
const advised = (what: string, advice: string) => (/\. \p{Lu}/u.test(what) ? what : `${what} ${advice}`)

/** A name or text of a hostile file, fit for a sentence. */
export const shown = (text: unknown): string => {
  const flat = (typeof text === 'string' ? text : (JSON.stringify(text) ?? String(text))).replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '·')
  return flat.length > 120 ? `${flat.slice(0, 119).toWellFormed()}…` : flat
}

/** The text of `name` in `folder`, or null when there is none. Throws SOURCE_INVALID for one that is too large or cannot be read. */
export async function readText(folder: string, name: string, limit: number): Promise<string | null> {
  try {
    // a pipe would be waited for without end
    if (!(await stat(join(folder, name))).isFile()) throw invalid(name, 'is no file. Copy the folder again.')
    const handle = await open(join(folder, name), 'r')
    try {
      const { size } = await handle.stat()
      if (size > limit) throw invalid(name, `is larger than ${limit / MiB} MiB, which no such file is. Copy the folder again.`)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'ENOTDIR') throw invalid(basename(folder), 'is not a folder. Name the folder that the model was downloaded to.')
    throw invalid(name, 'cannot be read. Check its permissions, or copy the folder again.')
  }
}

/** The checked content of a JSON file, or null when there is none. Throws SOURCE_INVALID that names the place that is wrong. */
export async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>, limit: number): Promise<T | null> {
  const text = await readText(folder, name, limit)
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(name, 'is not JSON. Copy the folder again.')
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw invalid(name, `is wrong at ${shown(issue.path.join('.') || 'its top level')}: ${shown(issue.message)}. Correct it or copy the folder again.`)
}

/** As readJson, for a file that must be there. */
export async function requireJson<T>(folder: string, name: string, schema: z.ZodType<T>, limit: number): Promise<T> {
  const value = await readJson(folder, name, schema, limit)
  if (value === null) throw invalid(basename(folder), `has no ${name}. Name the folder that the model was downloaded to, or copy it again.`)
  return value
}
