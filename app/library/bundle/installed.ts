// Owns installed.json: which version of each bundle is in use, which came before it, and the highest that was ever installed.
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { refuseBundle } from './refusal.ts'

const Version = z.strictObject({
  version: z.number().int().min(1),
  label: z.string().max(100),
  /** Folder below bundles/, made from id, version and hash. */
  folder: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}-\d{1,10}-[0-9a-f]{16}$/),
  signer: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
})
export type InstalledVersion = z.infer<typeof Version>
const Entry = z.strictObject({ active: Version, previous: Version.nullable(), highest: z.number().int().min(1) })
export const Installed = z.strictObject({ format: z.literal(1), bundles: z.record(z.string().max(64), Entry) })
export type Installed = z.infer<typeof Installed>

/** Nothing installed yet where there is no file. Throws state for a damaged one: to forget it would let an old bundle in. */
export async function readInstalled(folder: string): Promise<Installed> {
  let text: string
  try {
    text = await readFile(join(folder, 'installed.json'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { format: 1, bundles: {} }
    throw refuseBundle('state', {}, error)
  }
  try {
    return Installed.parse(JSON.parse(text))
  } catch (error) {
    throw refuseBundle('state', {}, error)
  }
}

/** Whole or not at all: the moment of its new name is the moment of activation. */
export async function writeInstalled(folder: string, installed: Installed): Promise<void> {
  const partial = join(folder, 'installed.json.partial')
  const handle = await open(partial, 'w', 0o644)
  try {
    await handle.writeFile(JSON.stringify(installed, null, 1) + '\n')
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, join(folder, 'installed.json'))
}
