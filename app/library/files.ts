// Owns which model files lie in a folder and what a file is known by. A folder is a user's: names, links and folders in it may be anything.
import { createHash } from 'node:crypto'
import { createReadStream, openSync, closeSync, readSync, readdirSync, readFileSync, statSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface ModelFile {
  name: string
  path: string
  /** Of all parts together. */
  bytes: number
  /** Every part that is there, in order; the file itself when it is not split. */
  parts: string[]
  /** How many parts of a split model are not there. */
  missing: number
}

/** A large model may be published in pieces; the engine is given the first and finds the rest by these names. */
const PART = /-(\d{5})-of-(\d{5})(?=\.gguf$)/i
const MOST_PARTS = 999

/** Files that end in .gguf, by name; of a split model only its first part. No folder, no models. */
export function modelFiles(folder: string): ModelFile[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .filter((name) => /\.gguf$/i.test(name) && Number(PART.exec(name)?.[1] ?? 1) === 1 && statOf(join(folder, name))?.isFile())
    .sort()
    .map((name) => modelFile(join(folder, name)))
}

/** The file at `path` with its parts, whether it is there or not. */
export function modelFile(path: string): ModelFile {
  const name = basename(path)
  const wanted = Math.min(Math.max(Number(PART.exec(name)?.[2] ?? 1), 1), MOST_PARTS)
  const named = (part: number) =>
    join(
      dirname(path),
      name.replace(PART, (_, first: string, all: string) => `-${digits(part, first)}-of-${all}`),
    )
  const parts = wanted === 1 ? [path] : Array.from({ length: wanted }, (_, n) => named(n + 1)).filter((part) => statOf(part)?.isFile())
  return { name, path, parts, bytes: parts.reduce((sum, part) => sum + (statOf(part)?.size ?? 0), 0), missing: wanted - parts.length }
}
const digits = (part: number, like: string) => String(part).padStart(like.length, '0')

/** `model-00001-of-00002.gguf` → `model.gguf`. */
export const wholeName = (name: string) => name.replace(PART, '')

/** undefined for whatever cannot be looked at: a missing file, a dangling or a circular link, a name that no file system takes. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Changes when the file is replaced. */
export function stampOf(file: ModelFile): string {
  return file.parts.map((part) => `${part}|${statOf(part)?.size}|${statOf(part)?.mtimeMs}`).join('\n')
}

/** True for a file that begins as a GGUF file does; the engine judges the rest. */
export function looksLikeModel(path: string): boolean {
  const magic = Buffer.alloc(4)
  try {
    const file = openSync(path, 'r')
    try {
      return readSync(file, magic, 0, 4, 0) === 4 && magic.toString('latin1') === 'GGUF'
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

/** SHA-256 over all parts in order, in hex; gigabytes take many seconds. */
export async function hashOf(file: ModelFile): Promise<string> {
  const hash = createHash('sha256')
  for (const part of file.parts) for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The same at once; for small files only. */
export const hashNow = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
