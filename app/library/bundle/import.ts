// Owns the import of a bundle: proved, staged, tested, and only then in use; the version before it stays at hand.
import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readInstalled, writeInstalled, type Installed, type InstalledVersion } from './installed.ts'
import type { BundleManifest } from './manifest.ts'
import { refuseBundle } from './refusal.ts'
import { openBundle, type BundleSource } from './source.ts'
import { stage, type StageOptions } from './stage.ts'

export interface ImportOptions extends StageOptions {
  /** Holds installed.json, a folder a version, and .staging while a copy runs. */
  folder: string
  /** Public keys of the policy (bundleSigners). */
  trusted: readonly string[]
  /** Version of this program: "0.1.0". */
  program: string
  now?: () => Date
  /** Loads what lies in `folder` and asks it something; throws when it does not answer. */
  selfTest(folder: string, manifest: BundleManifest): Promise<void>
}
export interface Imported {
  id: string
  version: InstalledVersion
  folder: string
  manifest: BundleManifest
  /** Bytes that an earlier, broken attempt had brought already. */
  resumedBytes: number
}

/** What a bundle is and whether it would be taken, before a byte is copied. Throws a refusal: who signed it, whether it is too old or too new. */
export async function inspectBundle(path: string, options: Pick<ImportOptions, 'folder' | 'trusted' | 'program' | 'now'>): Promise<BundleSource> {
  const source = await openBundle(path, options.trusted)
  const { manifest } = source
  const now = options.now?.() ?? new Date()
  if (manifest.expires !== null && Date.parse(manifest.expires) <= now.getTime()) throw refuseBundle('expired', { expires: manifest.expires })
  if (isNewer(manifest.leastProgram, options.program)) throw refuseBundle('from_future', { needs: manifest.leastProgram })
  const known = (await readInstalled(options.folder)).bundles[manifest.id]
  // the same version with other content is a second story about one thing
  if (known && (manifest.version < known.highest || (manifest.version === known.highest && known.active.folder !== folderOf(source))))
    throw refuseBundle('downgrade', { installed: known.highest, offered: manifest.version })
  return source
}

/**
 * Imports the bundle at `path`, a folder or a file. Nothing is in use before everything is proved and the self-test has passed; an abort or a
 * failure leaves the present version in use and keeps what was copied, so that the next attempt goes on there. Throws a refusal.
 */
export async function importBundle(path: string, options: ImportOptions): Promise<Imported> {
  const source = await inspectBundle(path, options)
  const { manifest } = source
  const name = folderOf(source)
  const target = join(options.folder, name)
  // a version that is there already is proved again, and mended where it has suffered
  const at = (await isFolder(target)) ? target : join(options.folder, '.staging', name)
  const resumedBytes = await stage(source, at, options)
  options.signal?.throwIfAborted()
  try {
    await options.selfTest(at, manifest)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (at !== target) await rm(at, { recursive: true, force: true })
    throw refuseBundle('self_test', { id: manifest.id, version: manifest.version }, error)
  }
  if (at !== target) await rename(at, target)
  const version = {
    version: manifest.version,
    label: manifest.label,
    folder: name,
    signer: source.signer,
    at: (options.now?.() ?? new Date()).toISOString(),
  }
  const installed = await readInstalled(options.folder)
  const known = installed.bundles[manifest.id]
  const previous = known && known.active.folder !== name ? known.active : (known?.previous ?? null)
  await activate(options.folder, installed, manifest.id, { active: version, previous, highest: Math.max(manifest.version, known?.highest ?? 0) })
  return { id: manifest.id, version, folder: target, manifest, resumedBytes }
}

/** Goes back to the version before; the higher one stays known, so that only a version above it can be imported. Throws no_previous, state. */
export async function rollBack(folder: string, id: string): Promise<InstalledVersion> {
  const installed = await readInstalled(folder)
  const known = installed.bundles[id]
  if (!known?.previous || !(await isFolder(join(folder, known.previous.folder)))) throw refuseBundle('no_previous', { id })
  await activate(folder, installed, id, { active: known.previous, previous: null, highest: known.highest })
  return known.previous
}

async function activate(folder: string, installed: Installed, id: string, entry: Installed['bundles'][string]): Promise<void> {
  const next: Installed = { format: 1, bundles: { ...installed.bundles, [id]: entry } }
  await mkdir(folder, { recursive: true })
  await writeInstalled(folder, next)
  await tidy(folder, next)
}

/** Removes version folders that nothing names any more, and copies of bundles that were overtaken. A file in use keeps its folder until the next time. */
async function tidy(folder: string, { bundles }: Installed): Promise<void> {
  const entries = Object.entries(bundles)
  const named = new Set(entries.flatMap(([, { active, previous }]) => [active.folder, ...(previous ? [previous.folder] : [])]))
  const ours = (name: string) => entries.some(([id]) => name.startsWith(`${id}-`) && /^\d+-[0-9a-f]{16}$/.test(name.slice(id.length + 1)))
  const old = (await readdir(folder)).filter((name) => ours(name) && !named.has(name)).map((name) => join(folder, name))
  const staged = (await readdir(join(folder, '.staging')).catch(() => [])).filter(ours).map((name) => join(folder, '.staging', name))
  for (const path of [...old, ...staged]) await rm(path, { recursive: true, force: true, maxRetries: 2 }).catch(() => undefined)
}

const folderOf = ({ manifest, signed }: BundleSource) =>
  `${manifest.id}-${manifest.version}-${createHash('sha256').update(signed).digest('hex').slice(0, 16)}`

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** By number, part by part. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.split(/[.-]/).slice(0, 3).map(Number)) as [number[], number[]]
  const at = [0, 1, 2].find((n) => a[n] !== b[n])
  return at !== undefined && a[at]! > b[at]!
}
