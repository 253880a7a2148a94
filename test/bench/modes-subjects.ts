// Owns what the modes bench compares: for each subject a base, two adapters and a merged form, trained where there are trained ones, else random.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Category } from '../../app/contract/entities.ts'
import { inspectAdapter } from '../../app/engine/adapter.ts'
import { readGgufHeader, type GgufHeader } from '../../app/engine/gguf-header.ts'
import { KEYS } from '../../app/engine/gguf-keys.ts'
import { findFamily } from '../../app/library/family-files.ts'
import { hashFile } from '../../app/library/manifest.ts'
import { writeGguf } from '../../models/workshop/gguf/write.ts'
import { mergeModel } from '../../models/workshop/merge.ts'
import { twinAdapter } from '../../models/workshop/twin/content.ts'
import { isLinear } from '../../models/workshop/twin/shapes.ts'
import type { VerbContext } from '../../models/workshop/verb.ts'
import { twin, twinFolder } from './twins.ts'

export interface Subject {
  name: string
  base: string
  /** At least two, to change between. `category`: null for one that was not trained. */
  adapters: readonly { path: string; category: Category | null }[]
  merged: string
  /** Of each adapter, in both forms. */
  scale: number
  /** Adapters and merged form learned something, so that their accuracy means something. */
  trained: boolean
}
const RANK = 16
/** Random matrices are small: without it 8-bit rounding would hide what they do. */
const RANDOM_SCALE = 4
/** What is made here is made again when one of these changes. */
const sources = ['merge.ts', 'low-rank.ts', 'twin/content.ts', 'twin/random.ts', 'twin/weights.ts'].map((file) =>
  join(import.meta.dirname, '../../models/workshop', file),
)

/** The model at `base` with its own family beside it, or, while it has none, with random adapters of rank 16 on every matrix. */
export async function familySubject(name: string, base: string, context: VerbContext): Promise<Subject> {
  const hash = async (path: string) => (await hashFile(path, { chunkBytes: Infinity, signal: context.signal })).sha256
  const family = await findFamily<GgufHeader>(base, { readHeader: readGgufHeader, inspectAdapter, keys: KEYS, hash })
  if (family?.merged && family.adapters.length > 1) {
    const adapters = family.adapters.map(({ path, categories }) => ({ path, category: categories[0] ?? null }))
    return { name, base: family.base.path, adapters, merged: family.merged.path, scale: 1, trained: true }
  }
  const adapters = await Promise.all([1, 2].map((seed) => randomAdapter(base, seed)))
  return {
    name,
    base,
    adapters: adapters.map((path) => ({ path, category: null })),
    merged: await merged(base, adapters[0]!, context),
    scale: RANDOM_SCALE,
    trained: false,
  }
}

/** A twin at 8 bits with two random adapters of rank 16; `layers`: only so many of them. */
export async function twinSubject(name: string, { layers }: { layers: number | null }, context: VerbContext): Promise<Subject> {
  const part: Record<string, string> = layers === null ? {} : { layers: String(layers) }
  const base = await twin({ shape: name, recipe: 'q8', ...part }, context)
  const adapters: string[] = []
  for (const seed of ['1', '2']) adapters.push(await twin({ shape: name, 'adapter-rank': String(RANK), seed, ...part }, context))
  const title = `${name} twin${layers === null ? '' : `, ${layers} layers`}`
  return {
    name: title,
    base,
    adapters: adapters.map((path) => ({ path, category: null })),
    merged: await merged(base, adapters[0]!, context),
    scale: RANDOM_SCALE,
    trained: false,
  }
}

async function randomAdapter(base: string, seed: number): Promise<string> {
  const { metadata, tensors } = await readGgufHeader(base, { values: 'facts' })
  const path = made(`adapter-${seed}`, [base])
  if (existsSync(path)) return path
  const matrices = tensors.filter((tensor) => isLinear(tensor.name))
  const architecture = String(metadata.get('general.architecture')!.value)
  const content = twinAdapter({ architecture, name: 'random', matrices, rank: RANK, alpha: 2 * RANK, type: 'F32', seed })
  const handle = await open(path, 'w')
  await writeGguf(handle, content).finally(() => handle.close())
  return path
}

/** In the base's own types, so that only the place of the adapter's knowledge differs. */
async function merged(base: string, adapter: string, context: VerbContext): Promise<string> {
  const to = made('merged', [base, adapter])
  if (!existsSync(to)) await mergeModel({ base, adapter, to, type: 'same', scale: RANDOM_SCALE, force: true }, context)
  context.progress.end()
  return to
}

/** A name among the twins that holds for these files as they are now; what was made of earlier ones goes. */
function made(kind: string, from: readonly string[]): string {
  mkdirSync(twinFolder, { recursive: true, mode: 0o700 })
  const hash = createHash('sha256').update(String(RANDOM_SCALE))
  for (const path of from) hash.update(dirname(path) === twinFolder ? basename(path) : readFileSync(path))
  for (const path of sources) hash.update(readFileSync(path))
  const stem = `${kind}-${basename(from[0]!, '.gguf').replace(/-[0-9a-f]{12}$/, '')}`
  const name = `${stem}-${hash.digest('hex').slice(0, 12)}.gguf`
  for (const file of readdirSync(twinFolder))
    if (file !== name && file.startsWith(`${stem}-`) && /^[0-9a-f]{12}\.gguf$/.test(file.slice(stem.length + 1))) rmSync(join(twinFolder, file))
  return join(twinFolder, name)
}

/** The starter's base: the file of its folder that is neither adapter nor merged form. */
export async function starterBase(folder: string): Promise<string> {
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.gguf'))
    .sort()) {
    const { metadata } = await readGgufHeader(join(folder, file), { values: 'facts' })
    if (metadata.get('general.type')?.value !== 'adapter' && !metadata.has(KEYS.mergedFrom)) return join(folder, file)
  }
  throw new Error(`no base model in ${basename(folder)}`)
}
