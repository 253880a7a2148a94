// Owns the form of a bundle's manifest, its limits, and which file names a bundle may hold.
import * as z from 'zod'
import { CHUNK_BYTES } from '../manifest.ts'
import { refuseBundle } from './refusal.ts'

export const MANIFEST_FILE = 'bundle.json'
export const SIGNATURE_FILE = 'bundle.sig'
export const MANIFEST_BYTES = 16 * 1024 * 1024
/** Beyond the largest model that a desktop could hold. */
const MOST_BYTES = 512 * 2 ** 30
const MOST_FILES = 2000
/** A tar header holds a name of this length without any extension. */
const NAME_LENGTH = 100
const DEPTH = 4

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export const bundleKinds = ['model', 'adapter', 'merged', 'manifest', 'terms', 'prompts', 'advisory', 'card', 'other'] as const
export const BundleFile = z.strictObject({
  path: z.string().refine(isBundlePath, 'not an allowed name'),
  kind: z.enum(bundleKinds),
  bytes: z.number().int().min(0).max(MOST_BYTES),
  /** Of the whole file, as answers and advisories name it; the import proves the pieces. */
  sha256: Sha256,
  /** Of each piece of `chunkBytes`, the last one shorter. */
  chunks: z.array(Sha256).max(200_000),
})
export type BundleFile = z.infer<typeof BundleFile>

export const BundleManifest = z.strictObject({
  format: z.literal(1),
  /** What stays the same from version to version: `rushlight-7b`. */
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/)
    .refine((id) => !id.endsWith('.') && !id.includes('..')),
  /** Grows with every release of this id; a lower one than was ever installed is refused. */
  version: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31),
  /** For people: "1.2 (May 2026)". */
  label: z.string().max(100),
  made: z.iso.datetime(),
  expires: z.iso.datetime().nullable(),
  /** The oldest program that can use it: "0.1.0". */
  leastProgram: z.string().regex(/^\d{1,4}\.\d{1,4}\.\d{1,4}$/),
  chunkBytes: z.number().int().min(4096).max(CHUNK_BYTES),
  files: z.array(BundleFile).min(1).max(MOST_FILES),
})
export type BundleManifest = z.infer<typeof BundleManifest>

/** Names that Windows gives to devices, with any ending. */
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i

/** A relative path with forward slashes, in letters that every file system takes: no way up, no hidden file, no device, no stream. */
export function isBundlePath(path: string): boolean {
  if (path.length === 0 || path.length > NAME_LENGTH) return false
  const parts = path.split('/')
  if (parts.length > DEPTH || path.toLowerCase() === MANIFEST_FILE || path.toLowerCase() === SIGNATURE_FILE) return false
  return parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(part) && !part.endsWith('.') && !part.includes('..') && !RESERVED.test(part))
}

/** Reads a manifest whose signature has been proved. Throws a refusal: manifest, name, too_large. */
export function readBundleManifest(bytes: Buffer): BundleManifest {
  if (bytes.length > MANIFEST_BYTES) throw refuseBundle('too_large')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuseBundle('manifest', {}, error)
  }
  const parsed = BundleManifest.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const at = issue?.path.map(String).join('.').slice(0, 100) ?? ''
    throw refuseBundle(issue?.path.at(-1) === 'path' ? 'name' : 'manifest', { at })
  }
  judgeFiles(parsed.data)
  return parsed.data
}

/** What no field can say alone: names that collide where capitals do not matter, a file that is another's folder, pieces that do not add up. */
function judgeFiles({ files, chunkBytes }: BundleManifest): void {
  const names = new Set<string>()
  const folders = new Set<string>()
  let total = 0
  for (const { path, bytes, chunks } of files) {
    const name = path.toLowerCase()
    if (names.has(name)) throw refuseBundle('name', { path, why: 'twice' })
    names.add(name)
    const parts = name.split('/')
    for (let n = 1; n < parts.length; n++) folders.add(parts.slice(0, n).join('/'))
    if (chunks.length !== Math.ceil(bytes / chunkBytes)) throw refuseBundle('manifest', { path, why: 'pieces' })
    total += bytes
  }
  for (const name of names) if (folders.has(name)) throw refuseBundle('name', { path: name, why: 'file and folder' })
  if (total > MOST_BYTES) throw refuseBundle('too_large', { bytes: total })
}

export const bundleBytes = ({ files }: BundleManifest): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
