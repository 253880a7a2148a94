// Owns the manifest that lies beside a model file: what was made of what, and hashes that prove the file piece by piece.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import * as z from 'zod'
import { AppError } from '../contract/errors.ts'

/** Hashed apart, so that a damaged place is found and a copy from a stick can go on where it stopped. */
export const CHUNK_BYTES = 64 * 1024 * 1024
const READ_BYTES = 4 * 1024 * 1024

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const Bytes = z.number().int().min(0)
const FileName = z.string().regex(/^[^/\\\p{Cc}]{1,255}$/u)

/** The form of `MODEL.gguf.manifest.json`. */
export const Manifest = z.strictObject({
  format: z.literal(1),
  file: FileName,
  bytes: Bytes,
  sha256: Sha256,
  chunkBytes: z.number().int().min(1024),
  /** Of each piece of `chunkBytes`, the last one shorter. */
  chunks: z.array(Sha256).max(1_000_000),
  name: z.string(),
  architecture: z.string(),
  parameters: z.number().int().min(1),
  bitsPerWeight: z.number().positive(),
  groups: z.array(z.strictObject({ group: z.string(), type: z.string(), tensors: z.number().int(), parameters: z.number().int(), bytes: Bytes })),
  recipe: z.strictObject({ name: z.string(), sha256: Sha256 }),
  source: z.strictObject({ file: FileName, bytes: Bytes, sha256: Sha256 }),
  /** The texts that weighted the rounding, if any did. */
  importance: z.strictObject({ source: z.string(), tokens: z.number().int() }).nullable(),
  /** Names the original weights through every later form of them. */
  weightsId: Sha256,
  tools: z.record(z.string(), z.string()),
  made: z.iso.datetime(),
})
export type Manifest = z.infer<typeof Manifest>

export const manifestPath = (model: string): string => `${model}.manifest.json`

/** Reads a manifest. Throws MANIFEST_INVALID; `null` when there is none. */
export async function readManifest(model: string): Promise<Manifest | null> {
  const path = manifestPath(model)
  const file = basename(path)
  let text: string
  try {
    const handle = await open(path, 'r')
    try {
      const { size } = await handle.stat()
      if (size > 128 * 1024 * 1024) throw new AppError('MANIFEST_INVALID', `${file} is far too large. Export the model again.`, { file })
      text = await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if (error instanceof AppError) throw error
    throw new AppError('MANIFEST_INVALID', `${file} cannot be read. Check its permissions.`, { file }, error)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const result = Manifest.safeParse(value)
  if (result.success) return result.data
  const where = result.error.issues[0]?.path.join('.') ?? ''
  throw new AppError('MANIFEST_INVALID', `${file} is damaged${where === '' ? '' : ` at ${where}`}. Copy it again, or export the model again.`, {
    file,
  })
}

export interface Hashes {
  bytes: number
  sha256: string
  chunks: string[]
}

/** Hashes a file in one pass; with `chunkBytes: Infinity` only as a whole. `onBytes` hears how many are done. Throws the signal's reason or what the disk throws. */
export async function hashFile(
  path: string,
  options: { chunkBytes?: number; signal?: AbortSignal; onBytes?: (done: number) => void } = {},
): Promise<Hashes> {
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES
  const whole = createHash('sha256')
  const chunks: string[] = []
  let chunk = createHash('sha256')
  let inChunk = 0
  let bytes = 0
  const handle = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(Math.min(READ_BYTES, chunkBytes))
    for (;;) {
      options.signal?.throwIfAborted()
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, chunkBytes - inChunk), bytes)
      if (bytesRead === 0) break
      const piece = buffer.subarray(0, bytesRead)
      whole.update(piece)
      if (chunkBytes < Infinity) chunk.update(piece)
      bytes += bytesRead
      inChunk += bytesRead
      if (inChunk === chunkBytes) {
        chunks.push(chunk.digest('hex'))
        chunk = createHash('sha256')
        inChunk = 0
      }
      options.onBytes?.(bytes)
    }
  } finally {
    await handle.close()
  }
  if (inChunk > 0 && chunkBytes < Infinity) chunks.push(chunk.digest('hex'))
  return { bytes, sha256: whole.digest('hex'), chunks }
}

/** The file against its manifest. Throws MANIFEST_MISMATCH that says where the first difference lies. */
export function compareWithManifest(manifest: Manifest, { bytes, sha256, chunks }: Hashes): void {
  const refuse = (what: string) =>
    new AppError('MANIFEST_MISMATCH', `${manifest.file} ${what}. Copy it again from its source.`, { file: manifest.file })
  if (bytes !== manifest.bytes) throw refuse(`has ${bytes} bytes and its manifest says ${manifest.bytes}`)
  const at = chunks.findIndex((hash, n) => hash !== manifest.chunks[n])
  const from = ((at * manifest.chunkBytes) / 2 ** 20).toFixed(0)
  if (at >= 0) throw refuse(`differs from its manifest, first in the piece that begins at ${from} MiB`)
  if (chunks.length !== manifest.chunks.length || sha256 !== manifest.sha256) throw refuse('does not have the hash that its manifest states')
}
