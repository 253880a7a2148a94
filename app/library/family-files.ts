// Owns finding a family's files in a folder: what each header says of its descent, and which file cannot be used and why.
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { readFamilyCard } from './family-card.ts'
import { assembleFamily, refusedAs, type Family, type Found, type Refused } from './family.ts'
import { modelFiles } from './files.ts'

/** Of a header; lists have their values only when all were asked for. */
export interface HeaderFacts {
  path: string
  size: number
  metadata: ReadonlyMap<string, { type: string; value: unknown }>
}
/** How GGUF files are read: the engine's, handed in by whoever may import it. All throw coded errors in words. */
export interface GgufTools<H extends HeaderFacts> {
  readHeader(path: string, options: { values: 'facts' | 'all' }): Promise<H>
  /** Throws ADAPTER_MISMATCH for an adapter that does not fit `base`, MODEL_* for a file that cannot be read. */
  inspectAdapter(path: string, base: H): Promise<{ rank: number; targets: number; bytes: number }>
  keys: Readonly<Record<'weightsId' | 'baseWeightsId' | 'mergedFrom', string>>
  /** SHA-256 of a file in hex; asked for adapters, and for a base that names no weights. */
  hash(path: string): Promise<string>
}

interface Read {
  file: string
  path: string
  bytes: number
  /** Milliseconds since 1970: when the file was last written. */
  made: number
}
export interface BaseFile extends Read {
  name: string
  weightsId: string
}
export interface AdapterFile extends Read {
  sha256: string
  baseWeightsId: string | null
  rank: number
  targets: number
}
export interface MergedFile extends Read {
  weightsId: string
  mergedFrom: { base: string; adapter: string }
}

/**
 * The family of the model at path `active`, which is its base or its merged form, from the GGUF files beside it and the base's card. null
 * where there is nothing to choose: no adapter, no merged form, and no file that was meant to be one. Throws MODEL_* when `active` itself
 * cannot be used, MANIFEST_INVALID for a damaged card.
 */
export async function findFamily<H extends HeaderFacts>(active: string, tools: GgufTools<H>): Promise<Family | null> {
  const header = await tools.readHeader(active, { values: 'facts' })
  if (isAdapter(header)) throw new AppError('MODEL_NOT_A_MODEL', `${basename(active)} is an adapter. Choose the base model that it belongs to.`)
  const others: H[] = []
  const unread: { file: string; error: unknown }[] = []
  for (const { path, name } of modelFiles(dirname(active))) {
    // however the path was written
    if (name === basename(active)) continue
    await tools.readHeader(path, { values: 'facts' }).then(
      (read) => others.push(read),
      (error: unknown) => unread.push({ file: name, error }),
    )
  }
  const base = await baseOf(header, others, tools)
  if (!base) return null
  const card = readFamilyCard(base.path)
  const named = new Set([...(card?.adapters ?? []).map(({ file }) => file), card?.merged?.file ?? ''])
  // a damaged file that no card names may belong to any model: it is the library's to complain of
  const refused: Refused[] = unread
    .filter(({ file }) => named.has(file))
    .map(({ file, error }) => refusedAs(file, file === card?.merged?.file ? 'merged' : 'adapter', error))
  const found: Found = { base: base.facts, adapters: [], merged: [], refused }
  const family = assembleFamily(await addAll(found, [header, ...others], base.header, named, tools), card)
  return family.adapters.length + family.refused.length > 0 || family.merged ? family : null
}

/** `header` itself, or for a merged model the file that it was merged from; of several forms of those weights the one nearest in size. */
async function baseOf<H extends HeaderFacts>(header: H, others: readonly H[], tools: GgufTools<H>) {
  const from = await mergedFromOf(header, tools)
  if (!from) return { header, path: header.path, facts: await baseFile(header, tools) }
  const forms = others.filter((other) => !isAdapter(other) && !isMerged(other, tools) && textOf(other, tools.keys.weightsId) === from.base)
  const nearest = forms.sort((a, b) => Math.abs(a.size - header.size) - Math.abs(b.size - header.size))[0]
  return nearest ? { header: nearest, path: nearest.path, facts: await baseFile(nearest, tools) } : null
}

async function addAll<H extends HeaderFacts>(found: Found, headers: readonly H[], base: H, named: ReadonlySet<string>, tools: GgufTools<H>) {
  const all = { ...found, adapters: [...found.adapters], merged: [...found.merged], refused: [...found.refused] }
  for (const header of headers) {
    if (header.path === base.path) continue
    const file = basename(header.path)
    try {
      if (isAdapter(header)) {
        const stated = textOf(header, tools.keys.baseWeightsId)
        // adapters of another model in the same folder are nobody's fault
        if (stated !== found.base.weightsId && !named.has(file)) continue
        all.adapters.push(await adapterFile(header, base, tools))
      } else if (isMerged(header, tools)) {
        const from = await mergedFromOf(header, tools)
        if (from?.base !== found.base.weightsId && !named.has(file)) continue
        if (from) all.merged.push({ ...readOf(header), weightsId: textOf(header, tools.keys.weightsId) ?? '', mergedFrom: from })
      } else if (named.has(file))
        throw new AppError('ADAPTER_MISMATCH', `${file} does not say what it was merged from. Merge it again, or copy it again from its source.`)
    } catch (error) {
      all.refused.push(refusedAs(file, isAdapter(header) ? 'adapter' : 'merged', error))
    }
  }
  return all
}

async function adapterFile<H extends HeaderFacts>(header: H, base: H, tools: GgufTools<H>) {
  const { rank, targets, bytes } = await tools.inspectAdapter(header.path, base)
  const baseWeightsId = textOf(header, tools.keys.baseWeightsId)
  return { ...readOf(header), bytes, rank, targets, baseWeightsId, sha256: await tools.hash(header.path) }
}

async function baseFile<H extends HeaderFacts>(header: H, tools: GgufTools<H>): Promise<BaseFile> {
  // what `merge` names it by
  const weightsId = textOf(header, tools.keys.weightsId) ?? (await tools.hash(header.path))
  return { ...readOf(header), name: textOf(header, 'general.name') ?? '', weightsId }
}

function readOf({ path, size }: HeaderFacts): Read {
  return { file: basename(path), path, bytes: size, made: statSync(path).mtimeMs }
}

const isAdapter = (header: HeaderFacts) => textOf(header, 'general.type') === 'adapter'
const isMerged = ({ metadata }: HeaderFacts, { keys }: Pick<GgufTools<HeaderFacts>, 'keys'>) => metadata.has(keys.mergedFrom)

/** The id of the base's weights and the hash of the adapter; null for a model that was not merged. */
async function mergedFromOf<H extends HeaderFacts>(header: H, tools: GgufTools<H>): Promise<MergedFile['mergedFrom'] | null> {
  if (!header.metadata.has(tools.keys.mergedFrom)) return null
  const { metadata } = await tools.readHeader(header.path, { values: 'all' })
  const value = metadata.get(tools.keys.mergedFrom)?.value
  const [base, adapter] = Array.isArray(value) ? (value as unknown[]) : []
  return typeof base === 'string' && typeof adapter === 'string' ? { base, adapter } : null
}

function textOf({ metadata }: HeaderFacts, key: string): string | null {
  const value = metadata.get(key)
  return value?.type === 'string' && typeof value.value === 'string' ? value.value : null
}
