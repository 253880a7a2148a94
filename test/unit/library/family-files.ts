// Owns the model family that tests are made on: the starter with named weights, small adapters of its shape, and a merged form, all real files.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { inspectAdapter } from '../../../app/engine/adapter.ts'
import { readGgufHeader, type GgufHeader } from '../../../app/engine/gguf-header.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { familyCardPath, type FamilyCard } from '../../../app/library/family-card.ts'
import type { GgufTools } from '../../../app/library/family-files.ts'
import { str, writeGguf } from '../../../models/workshop/gguf/write.ts'
import { mergeModel } from '../../../models/workshop/merge.ts'
import { Progress } from '../../../models/workshop/progress.ts'
import { rekey } from '../../../models/workshop/train/rekey.ts'
import { twinAdapter } from '../../../models/workshop/twin/content.ts'
import { starter } from '../models.ts'

export const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
export const tools: GgufTools<GgufHeader> = { readHeader: readGgufHeader, inspectAdapter, keys: KEYS, hash: (path) => Promise.resolve(hashOf(path)) }
export const WEIGHTS = 'ab'.repeat(32)
export const context = () => ({ signal: new AbortController().signal, progress: new Progress(null) })

/** The starter under `name`, its weights named `id`. */
export async function makeBase(folder: string, name = 'base.gguf', id = WEIGHTS): Promise<string> {
  const path = join(folder, name)
  await rekey(starter, path, { keys: new Map([[KEYS.weightsId, str(id)]]), newWeights: false })
  return path
}

/** Random, for the query matrices of the starter; `base`: the weights it says it was trained on, null for none. */
export async function makeAdapter(folder: string, name: string, { base = WEIGHTS as string | null, rank = 2, seed = 1 } = {}): Promise<string> {
  const { tensors } = await readGgufHeader(starter, { values: 'facts' })
  const matrices = tensors.filter((tensor) => /attn_q\.weight$/.test(tensor.name))
  const content = twinAdapter({ architecture: 'qwen2', name, matrices, rank, alpha: 2 * rank, type: 'F32', seed })
  const path = join(folder, name)
  const handle = await open(path, 'w')
  const metadata = new Map([...content.metadata, ...(base === null ? [] : [[KEYS.baseWeightsId, str(base)] as const])])
  await writeGguf(handle, { ...content, metadata }).finally(() => handle.close())
  return path
}

export async function makeMerged(base: string, adapter: string, to: string, scale = 1): Promise<string> {
  await mergeModel({ base, adapter, to, type: 'f16', scale, force: true }, context())
  return to
}

export async function weightsIdOf(path: string): Promise<string> {
  const { metadata } = await readGgufHeader(path, { values: 'facts' })
  return metadata.get(KEYS.weightsId)!.value as string
}

export function writeCard(base: string, card: Partial<FamilyCard>): void {
  const whole: FamilyCard = {
    ...{ format: 1, name: 'Test family', validation: '100 questions', base: { weightsId: WEIGHTS, scores: {} }, adapters: [], merged: null },
    ...card,
  }
  writeFileSync(familyCardPath(base), JSON.stringify(whole))
}
