// Owns what a model family is: a base, its adapters by category and perhaps a merged form, tied together by hashes; and which of its files are refused.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { Category } from '../contract/entities.ts'
import { AppError, type Code } from '../contract/errors.ts'
import type { FamilyCard, Scores } from './family-card.ts'
import type { AdapterFile, BaseFile, MergedFile } from './family-files.ts'

/**
 * hash: a header names the other's weights or hash. card: only the family's card does. unproven: it belongs to these weights, but of which
 * adapter it was made nothing here says.
 */
export type Tie = 'hash' | 'card' | 'unproven'
interface Member {
  file: string
  path: string
  bytes: number
  /** Of validation; empty where no card states any. */
  scores: Scores
}
export interface FamilyAdapter extends Member {
  categories: readonly Category[]
  sha256: string
  scale: number
  rank: number
  /** Matrices of the model that it changes. */
  targets: number
  tie: Tie
}
export interface FamilyMerged extends Member {
  weightsId: string
  tie: Tie
}
/** A file that was meant to belong to the family and does not. */
export interface Refused {
  file: string
  /** What it was meant to be. */
  role: 'base' | 'adapter' | 'merged'
  code: Code
  message: string
}
export interface Family {
  /** Changes when any file of it is made anew: what was learned of one family says nothing of another. */
  id: string
  name: string
  base: Member & { weightsId: string }
  adapters: readonly FamilyAdapter[]
  merged: FamilyMerged | null
  refused: readonly Refused[]
}

/** Of whatever was thrown while the file was read. */
export function refusedAs(file: string, role: Refused['role'], error: unknown): Refused {
  const { code, message } = AppError.unwire(AppError.wire(error))
  return { file, role, code, message }
}

/** What was found in the folder: readable files, and those that cannot be read or do not fit. */
export interface Found {
  base: BaseFile
  adapters: readonly AdapterFile[]
  merged: readonly MergedFile[]
  refused: readonly Refused[]
}

/** Puts a family together. Pure. One bad file costs itself, never the family; each refusal has a code and says what to do. */
export function assembleFamily(found: Found, card: FamilyCard | null): Family {
  const { base } = found
  if (card && card.base.weightsId !== base.weightsId)
    return assembleFamily(
      {
        ...found,
        refused: [...found.refused, refusal('MANIFEST_MISMATCH', base.file, 'base', 'is not the base model that its family card describes', COPY)],
      },
      null,
    )
  const refused: Refused[] = [...found.refused]
  const taken = new Set<Category>()
  const adapters = found.adapters.flatMap((file): FamilyAdapter[] => {
    const judged = judgeAdapter(file, base, card, taken)
    if (isRefused(judged)) refused.push(judged)
    else judged.categories.forEach((category) => taken.add(category))
    return isRefused(judged) ? [] : [judged]
  })
  const judged = found.merged.map((file) => judgeMerged(file, found, card))
  refused.push(...judged.filter(isRefused))
  // of several forms of the same weights the smallest, being the one made for this computer's kind
  const merged = judged.filter((one): one is FamilyMerged => !isRefused(one)).sort((a, b) => a.bytes - b.bytes)[0] ?? null
  const named = new Set([...found.adapters, ...found.merged, ...refused].map(({ file }) => file))
  for (const { file } of [...(card?.adapters ?? []), ...(card?.merged ? [card.merged] : [])])
    if (!named.has(file))
      refused.push(
        refusal(
          'MODEL_MISSING',
          file,
          file === card?.merged?.file ? 'merged' : 'adapter',
          'belongs to this model and is not in its folder',
          'Put it there.',
        ),
      )
  const parts = [base.weightsId, ...adapters.map(({ sha256, scale }) => `${sha256} ${scale}`), merged?.weightsId ?? '']
  return {
    id: createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32),
    name: card?.name ?? (base.name || base.file),
    base: { file: base.file, path: base.path, bytes: base.bytes, weightsId: base.weightsId, scores: card?.base.scores ?? {} },
    ...{ adapters, merged, refused },
  }
}

const isRefused = (judged: FamilyAdapter | FamilyMerged | Refused): judged is Refused => 'code' in judged
const COPY = 'Copy both again from their source.'
const CATEGORY = /(?:^|[-_.])(emergency|medication|diagnosis|treatment|prevention|general)\.gguf$/i

/** "adapter-medication.gguf" → medication; null where the name says none. */
export const categoryInName = (file: string): Category | null => (CATEGORY.exec(file)?.[1]?.toLowerCase() as Category | undefined) ?? null

function judgeAdapter(file: AdapterFile, base: BaseFile, card: FamilyCard | null, taken: ReadonlySet<Category>): FamilyAdapter | Refused {
  const { sha256, rank, targets, path, bytes } = file
  const entry = card?.adapters.find((one) => one.file === file.file)
  if (entry && entry.sha256 !== sha256)
    return refusal('MANIFEST_MISMATCH', file.file, 'adapter', 'is not the adapter that the family card describes: its content differs', COPY)
  const proven = file.baseWeightsId !== null && file.baseWeightsId === base.weightsId
  if (!proven && !entry)
    return refusal(
      'ADAPTER_MISMATCH',
      file.file,
      'adapter',
      file.baseWeightsId === null ? 'does not say which base model it was trained on' : 'was trained on other weights than those of this model',
      file.baseWeightsId === null ? 'Import it again with that base, or name it in the family card.' : 'Use the base model that it was trained on.',
    )
  const inName = categoryInName(file.file)
  const categories = entry?.categories ?? (inName ? [inName] : [])
  if (categories.length === 0)
    return refusal('ADAPTER_MISMATCH', file.file, 'adapter', 'says no category', 'Name it after one, such as adapter-medication.gguf.')
  const twice = categories.find((category) => taken.has(category))
  if (twice !== undefined)
    return refusal('ADAPTER_MISMATCH', file.file, 'adapter', `is a second adapter for ${twice}`, 'Leave one of them in the folder.')
  const scale = entry?.scale ?? 1
  return { file: file.file, scores: entry?.scores ?? {}, tie: proven ? 'hash' : 'card', ...{ path, bytes, categories, sha256, scale, rank, targets } }
}

function judgeMerged(file: MergedFile, { base, adapters }: Found, card: FamilyCard | null): FamilyMerged | Refused {
  const entry = card?.merged?.weightsId === file.weightsId ? card.merged : null
  const { path, bytes, made, mergedFrom, weightsId } = file
  if (mergedFrom.base !== base.weightsId)
    return refusal(
      'ADAPTER_MISMATCH',
      file.file,
      'merged',
      'was merged from other weights than those of this base model',
      'Merge it again from this one.',
    )
  const stale = (adapter: string) =>
    refusal('ADAPTER_MISMATCH', file.file, 'merged', `is older than ${adapter}, which was trained again since`, 'Merge it again, or remove it.')
  if (entry && entry.adapterSha256 !== mergedFrom.adapter) return stale('the adapter in its family card')
  const tied = adapters.some(({ sha256 }) => sha256 === mergedFrom.adapter)
  // without a proof the dates count, and only where they leave no doubt: a run may end with the merged model before its last adapter
  if (!entry && !tied && adapters.length > 0 && adapters.every((adapter) => adapter.made > made))
    return stale(adapters.length === 1 ? adapters[0]!.file : 'every adapter beside it')
  return { file: file.file, path, bytes, weightsId, scores: entry?.scores ?? {}, tie: tied ? 'hash' : entry ? 'card' : 'unproven' }
}

function refusal(code: Code, file: string, role: Refused['role'], what: string, next: string): Refused {
  return { file, role, code, message: `${basename(file)} ${what}. ${next}` }
}

/**
 * Which adapters fit into `room` bytes beside the loaded base: all stay in memory at once, so that one follows another within a request. In
 * the order of the family; an adapter that does not fit is refused with the highest rank that would.
 */
export function fitAdapters(adapters: readonly FamilyAdapter[], room: number): { fit: FamilyAdapter[]; refused: Refused[] } {
  const fit: FamilyAdapter[] = []
  const refused: Refused[] = []
  let left = Math.max(0, room)
  for (const adapter of adapters) {
    if (adapter.bytes <= left) {
      left -= adapter.bytes
      fit.push(adapter)
      continue
    }
    const rank = Math.floor((adapter.rank * left) / adapter.bytes)
    const what = `is of rank ${adapter.rank} and needs ${mb(adapter.bytes)} beside the model, where ${mb(left)} are left`
    const next = rank > 0 ? `Train it with a rank of ${rank} or less, or use the merged model.` : 'Use the merged model, or close other programs.'
    refused.push(refusal('MODEL_TOO_LARGE', adapter.file, 'adapter', what, next))
  }
  return { fit, refused }
}
const mb = (bytes: number) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`)
