// Owns merging: an adapter added into its base's weights, W + scale·(alpha/rank)·B·A, streamed into a new model file.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { AppError } from '../../app/contract/errors.ts'
import { inspectAdapter } from '../../app/engine/adapter.ts'
import { fileTypeOf, tensorTypes, typeIdOf } from '../../app/engine/ggml-types.ts'
import { KEYS } from '../../app/engine/gguf-keys.ts'
import { factOf, readGgufHeader, type GgufHeader, type GgufTensor, type GgufValue } from '../../app/engine/gguf-header.ts'
import { inspectModel } from '../../app/engine/gguf.ts'
import { hashFile } from '../../app/library/manifest.ts'
import { checkTensors, convert, rowsOf, rowsOfPiece, TensorFile, type Conversion } from './convert.ts'
import { finite, needsImportance, quantise } from './ffi/rows.ts'
import { bytesOf, f32, fileBytes, str, strings, u32, writeGguf } from './gguf/write.ts'
import { finiteHalves } from './hf/halves.ts'
import { addLowRank, lowRank, type LowRank } from './low-rank.ts'
import { writeWhole } from './output.ts'
import type { VerbContext } from './verb.ts'

/** Of the matrices: F16, F32, or each its own. */
export type MergedType = 'f16' | 'f32' | 'same'
export interface MergeRequest {
  base: string
  adapter: string
  to: string
  /** null: a base in floats keeps its types, a quantised one becomes F16. */
  type: MergedType | null
  /** On top of the adapter's own alpha/rank. */
  scale: number
  force: boolean
}
export interface Merged {
  tensors: readonly Conversion[]
  /** Names of the weights that were changed. */
  changed: ReadonlySet<string>
  rank: number
  weightsId: string
  mergedFrom: [base: string, adapter: string]
  /** Whether a quantised base became F16. */
  widened: boolean
  bytes: number
  /** Of adding alone, without reading, rounding and writing. */
  flops: number
  addMs: number
}

const [F32, F16, BF16] = [typeIdOf('F32')!, typeIdOf('F16')!, typeIdOf('BF16')!]
const isQuantised = (type: number) => tensorTypes.get(type)!.block > 1
const isMatrix = ({ name, dims }: GgufTensor) => dims.length > 1 && name.endsWith('.weight') && !name.endsWith('_norm.weight')

/**
 * Writes `to`. Throws ADAPTER_MISMATCH when the adapter was made for other weights or shapes, SOURCE_UNSUPPORTED for what cannot be merged,
 * WEIGHTS_NOT_FINITE, MODEL_* for either file, and the OUTPUT_* codes and DISK_FULL of writeWhole; both files are only read.
 */
export async function mergeModel(request: MergeRequest, context: VerbContext): Promise<Merged> {
  const { signal, progress } = context
  await inspectModel(request.base)
  const base = await readGgufHeader(request.base, { values: 'all' })
  checkTensors(base)
  const facts = await inspectAdapter(request.adapter, base)
  const adapter = await readGgufHeader(request.adapter, { values: 'facts' })
  checkTensors(adapter)
  const pairs = pairsOf(adapter)
  refuseOther(base, adapter, pairs)
  const { tensors, widened } = planOf(base, pairs, request.type)

  progress.stage('reading the base', base.size)
  const stated = factOf(base, KEYS.weightsId)
  const baseId = typeof stated === 'string' ? stated : (await hashFile(base.path, { signal, onBytes: (done) => progress.at(done) })).sha256
  const { sha256 } = await hashFile(adapter.path, { signal })
  const weightsId = createHash('sha256').update(`rushlight merge\n${baseId}\n${sha256}\n${request.scale}\n`).digest('hex')
  const metadata = metadataOf(base, request, tensors, { weightsId, mergedFrom: [baseId, sha256], widened })
  const work: Work = { flops: 0, addMs: 0, scale: request.scale, alpha: facts.alpha }
  const bytes = fileBytes({ metadata, tensors })
  await writeWhole(request.to, { bytes, inputs: [base.path, adapter.path], force: request.force, signal }, async (handle) => {
    const [file, other] = [await TensorFile.open(base), await TensorFile.open(adapter)]
    try {
      progress.stage(
        'merging',
        tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
      )
      await writeGguf(handle, {
        ...{ metadata, tensors, signal },
        data: (tensor) => {
          const pair = pairs.get(tensor.name)
          return pair ? mergedRows(file, other, tensor, pair, work) : convert(file, tensor, { signal })
        },
        onBytes: (done, { name }) => progress.at(done, name),
      })
    } finally {
      await Promise.all([file.close(), other.close()])
    }
  })
  const { flops, addMs } = work
  return { tensors, changed: new Set(pairs.keys()), rank: facts.rank, weightsId, mergedFrom: [baseId, sha256], widened, bytes, flops, addMs }
}

interface Work {
  flops: number
  addMs: number
  readonly scale: number
  readonly alpha: number
}
interface Halves {
  a: GgufTensor
  b: GgufTensor
}

/** inspectAdapter has seen to it that each is whole and fits. */
function pairsOf({ tensors }: GgufHeader): Map<string, Halves> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const pairs = new Map<string, Halves>()
  for (const { name } of tensors) {
    if (!name.endsWith('.lora_a')) continue
    const weight = name.slice(0, -'.lora_a'.length)
    pairs.set(weight, { a: byName.get(name)!, b: byName.get(`${weight}.lora_b`)! })
  }
  return pairs
}

function refuseOther(base: GgufHeader, adapter: GgufHeader, pairs: ReadonlyMap<string, Halves>): void {
  const refuse = (header: GgufHeader, what: string) =>
    new AppError('SOURCE_UNSUPPORTED', `${basename(header.path)} ${what}`, { file: basename(header.path) })
  if (Number(factOf(base, 'split.count') ?? 0) > 1) throw refuse(base, "is one of several parts. Join them with llama.cpp's gguf-split first.")
  if (adapter.metadata.has('adapter.alora.invocation_tokens'))
    throw refuse(adapter, 'acts only after certain tokens; merged, it would always act. Use it as an adapter.')
  if (pairs.has('token_embd.weight')) throw refuse(adapter, 'changes the embedding, which is not merged here. Use it as an adapter.')
  const deep = base.tensors.find(({ name, dims }) => pairs.has(name) && dims.length !== 2)
  if (deep) throw refuse(base, `has ${deep.name} in ${deep.dims.length} dimensions; only matrices are merged.`)
}

/** What each tensor becomes, in the base's order. */
function planOf(base: GgufHeader, pairs: ReadonlyMap<string, Halves>, asked: MergedType | null): { tensors: Conversion[]; widened: boolean } {
  const widened = asked === null && base.tensors.some(({ type }) => isQuantised(type))
  const all = asked === 'f32' ? F32 : asked === 'f16' || widened ? F16 : null
  const tensors = base.tensors.map((source): Conversion => {
    const type = all !== null && isMatrix(source) ? all : source.type
    if (pairs.has(source.name) && needsImportance(type)) {
      const name = tensorTypes.get(type)!.name
      throw new AppError(
        'SOURCE_UNSUPPORTED',
        `${source.name} cannot be rounded to ${name} again without an importance matrix. Merge with --type f16.`,
      )
    }
    return { name: source.name, dims: source.dims, type, source }
  })
  return { tensors, widened }
}

function metadataOf(
  base: GgufHeader,
  { type, scale }: MergeRequest,
  tensors: readonly Conversion[],
  { weightsId, mergedFrom, widened }: Pick<Merged, 'weightsId' | 'mergedFrom' | 'widened'>,
): Map<string, GgufValue> {
  const metadata = new Map(base.metadata)
  if (tensors.some((tensor) => tensor.type !== tensor.source.type)) {
    metadata.set('general.file_type', u32(fileTypeOf(type === 'f32' && !widened ? 'F32' : 'F16')))
    // the types are no longer those of the recipe
    for (const key of [KEYS.recipe, KEYS.recipeSha256]) metadata.delete(key)
  }
  metadata.set(KEYS.weightsId, str(weightsId))
  metadata.set(KEYS.mergedFrom, strings(mergedFrom))
  metadata.set(KEYS.mergedScale, f32(scale))
  return metadata
}

/** The changed weight in its new type, piece by piece. */
async function* mergedRows(base: TensorFile, adapter: TensorFile, tensor: Conversion, pair: Halves, work: Work): AsyncGenerator<Uint8Array> {
  const { source, type, name } = tensor
  const change = await changeOf(adapter, pair, work)
  const refuse = (what: string) => new AppError('WEIGHTS_NOT_FINITE', `${name} ${what}`, { tensor: name })
  const columns = source.dims[0]!
  const [rows, step] = [rowsOf(source), Math.max(4, rowsOfPiece(columns) & ~3)]
  for (let from = 0; from < rows; from += step) {
    const values = await base.floats(source, from, Math.min(step, rows - from))
    const startedAt = performance.now()
    addLowRank(values, from, change)
    work.addMs += performance.now() - startedAt
    work.flops += 2 * values.length * pair.a.dims[1]!
    if (!finite(values)) throw refuse('becomes infinite when the adapter is added. Check the adapter and --scale.')
    const bytes = await quantise(type, values, columns)
    const half = type === F16 ? 'F16' : type === BF16 ? 'BF16' : null
    if (half && !finiteHalves(new Uint16Array(bytes.buffer, bytes.byteOffset, values.length), half))
      throw refuse(`holds values too large for ${tensorTypes.get(type)!.name} when the adapter is added. Merge with --type f32.`)
    yield bytes
  }
}

/** llama.cpp's rule: alpha divided by the pair's own rank; without an alpha the matrices as they are. */
async function changeOf(file: TensorFile, { a, b }: Halves, { alpha, scale }: Work): Promise<LowRank> {
  const rank = a.dims[1]!
  const [down, up] = [await file.floats(a, 0, rowsOf(a)), await file.floats(b, 0, rowsOf(b))]
  return lowRank(down, up, rank, alpha === 0 ? scale : (scale * alpha) / rank)
}
