// Owns the import of a PEFT adapter: its pairs matched with the base's weights, scaled as llama.cpp will scale them, written as a LoRA file.
import { basename, join, resolve } from 'node:path'
import { AppError } from '../../../app/contract/errors.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { typeIdOf } from '../../../app/engine/ggml-types.ts'
import { factOf, readGgufHeader, type GgufHeader, type GgufValue } from '../../../app/engine/gguf-header.ts'
import { bytesOf, f32, fileBytes, str, u32, writeGguf } from '../gguf/write.ts'
import { toFloats } from '../hf/halves.ts'
import { moduleName } from '../hf/architecture.ts'
import { SafetensorsFile, type SourceTensor } from '../hf/safetensors.ts'
import { invalid, shown, unsupported } from '../hf/source.ts'
import { interleaved } from '../hf/weights.ts'
import { finite } from '../ffi/rows.ts'
import { writeWhole } from '../output.ts'
import type { VerbContext } from '../verb.ts'
import { ADAPTER_CONFIG, readAdapterConfig, type AdapterConfig } from './config.ts'

export interface AdapterRequest {
  folder: string
  to: string
  /** The GGUF model that the adapter will be used with. */
  base: string
  /** `general.name`; null: the folder's. */
  name: string | null
  force: boolean
}
/** One changed weight of the base. */
export interface Pair {
  /** Of the weight in the base. */
  name: string
  rank: number
  /** By which B is multiplied so that alpha/rank, as llama.cpp scales, comes out as the scale that PEFT applied. */
  fold: number
  /** alpha/rank or alpha/√rank: the scale of B·A as trained. */
  scale: number
  a: SourceTensor
  b: SourceTensor
  /** Heads of a Llama's queries or keys, whose rows change their order; 0: none. */
  heads: number
}
export interface ImportedAdapter {
  pairs: readonly Pair[]
  /** Written as adapter.lora.alpha. */
  alpha: number
  rankStabilised: boolean
  baseWeightsId: string | null
  bytes: number
}

export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
const PREFIX = 'base_model.model.'
const HALF = /^(.+)\.lora_([AB])\.weight$/
const F32 = typeIdOf('F32')!

/**
 * Writes the LoRA file `to`. Throws SOURCE_INVALID or SOURCE_UNSUPPORTED for the folder, ADAPTER_MISMATCH when it was not trained on a model of
 * the base's shape, WEIGHTS_NOT_FINITE, MODEL_* for the base, and the OUTPUT_* codes and DISK_FULL of writeWhole.
 */
export async function importAdapter(request: AdapterRequest, { signal, progress }: VerbContext): Promise<ImportedAdapter> {
  const { folder, to, force } = request
  const config = await readAdapterConfig(folder)
  const base = await readGgufHeader(request.base, { values: 'facts' })
  const architecture = String(factOf(base, 'general.architecture') ?? '')
  if (factOf(base, 'general.type') === 'adapter') throw unsupported(basename(base.path), 'is itself an adapter. Name the base model.')
  if (architecture !== 'qwen2' && architecture !== 'llama')
    throw unsupported(basename(base.path), `is of the architecture ${shown(architecture)}; adapters of qwen2 and llama can be imported.`)
  const file = await SafetensorsFile.open(folder, ADAPTER_WEIGHTS)
  try {
    // llama.cpp divides by each pair's own rank; the chief rank's square root is put in here
    const alpha = config.rankStabilised ? config.alpha * Math.sqrt(config.rank) : config.alpha
    const pairs = pairsOf(file, config, base)
    const id = factOf(base, KEYS.weightsId)
    const metadata = new Map<string, GgufValue>([
      ['general.architecture', str(architecture)],
      ['general.type', str('adapter')],
      ['adapter.type', str('lora')],
      ['adapter.lora.alpha', f32(alpha)],
      ['general.name', str(request.name ?? basename(resolve(folder)))],
      ['general.file_type', u32(F32)],
    ])
    if (typeof id === 'string') metadata.set(KEYS.baseWeightsId, str(id))
    const tensors = pairs.flatMap((pair) => [
      { name: `${pair.name}.lora_a`, dims: [...pair.a.shape].reverse(), type: F32, pair, half: 'a' as const },
      { name: `${pair.name}.lora_b`, dims: [...pair.b.shape].reverse(), type: F32, pair, half: 'b' as const },
    ])
    const bytes = fileBytes({ metadata, tensors })
    const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
    await writeWhole(
      to,
      { bytes, inputs: [join(folder, ADAPTER_WEIGHTS), join(folder, ADAPTER_CONFIG), request.base], force, signal },
      async (handle) => {
        progress.stage('importing', total)
        await writeGguf(handle, {
          ...{ metadata, tensors, signal },
          data: ({ pair, half }) => halfBytes(pair, half),
          onBytes: (done, { name }) => progress.at(done, name),
        })
      },
    )
    return { pairs, alpha, rankStabilised: config.rankStabilised, baseWeightsId: typeof id === 'string' ? id : null, bytes }
  } finally {
    await file.close()
  }
}

/** Every pair with its place in the base, in the base's order. */
function pairsOf(file: SafetensorsFile, config: AdapterConfig, base: GgufHeader): Pair[] {
  const halves = new Map<string, { A?: SourceTensor; B?: SourceTensor }>()
  for (const tensor of file.tensors.values()) {
    const [, path = '', half] = HALF.exec(tensor.name) ?? []
    if (half === undefined || !path.startsWith(PREFIX)) throw strangeTensor(tensor)
    const module = path.slice(PREFIX.length)
    halves.set(module, { ...halves.get(module), [half]: tensor })
  }
  if (halves.size === 0) throw invalid(file.name, 'holds no matrices. Copy the folder again.')
  const place = new Map(base.tensors.map(({ name }, at) => [name, at]))
  const pairs = [...halves].map(([module, { A: a, B: b }]) => {
    if (!a || !b) throw invalid(file.name, `${shown(module)} has only one half of its pair. Copy the folder again.`)
    return pairOf(module, a, b, config, base)
  })
  return pairs.sort((one, other) => place.get(one.name)! - place.get(other.name)!)
}

function pairOf(module: string, a: SourceTensor, b: SourceTensor, config: AdapterConfig, base: GgufHeader): Pair {
  const [file, model] = [a.file.name, basename(base.path)]
  const mismatch = (what: string) => new AppError('ADAPTER_MISMATCH', `${file}: ${what}. Name the base that it was trained on.`, { file, module })
  const name = moduleName(module)
  if (name === undefined || name === 'token_embd' || name.endsWith('_norm'))
    throw unsupported(file, `${shown(module)} is no linear layer of this family; only those can be adapted. Train it on those.`)
  const weight = `${name}.weight`
  const there = base.tensors.find((tensor) => tensor.name === weight)
  if (!there && name === 'output')
    throw unsupported(file, `lm_head is adapted, and ${model} has no output matrix of its own (it is the embedding). Train it without lm_head.`)
  if (!there) throw mismatch(`it changes ${shown(module)}, and ${model} has no ${weight}`)
  const [rank, [rows, other]] = [config.rankOf(module), b.shape]
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== other)
    throw invalid(
      file,
      `the pair of ${shown(module)} (${a.shape.join(' × ')} and ${b.shape.join(' × ')}) does not fit together. Copy the folder again.`,
    )
  if (a.shape[0] !== rank)
    throw invalid(file, `${shown(module)} has rank ${a.shape[0]}, and adapter_config.json says ${rank}. Copy the folder again.`)
  if (there.dims[0] !== a.shape[1] || there.dims[1] !== rows)
    throw mismatch(`${shown(module)} is for a weight of ${rows} × ${a.shape[1]}, and that of ${model} is ${there.dims[1]} × ${there.dims[0]}`)
  const alpha = config.alphaOf(module)
  const scale = alpha / (config.rankStabilised ? Math.sqrt(rank) : rank)
  // exactly 1 for a module without a pattern of its own
  const fold = (alpha / config.alpha) * (config.rankStabilised ? Math.sqrt(rank / config.rank) : 1)
  return { name: weight, rank, scale, fold, a, b, heads: headsOf(base, name) }
}

function headsOf(base: GgufHeader, name: string): number {
  if (factOf(base, 'general.architecture') !== 'llama') return 0
  const queries = Number(factOf(base, 'llama.attention.head_count') ?? 0)
  const heads = name.endsWith('.attn_q') ? queries : name.endsWith('.attn_k') ? Number(factOf(base, 'llama.attention.head_count_kv') ?? queries) : 0
  const rows = base.tensors.find((tensor) => tensor.name === `${name}.weight`)!.dims[1]!
  if (/\.attn_[qk]$/.test(name) && !(heads > 0 && rows % (2 * heads) === 0))
    throw unsupported(basename(base.path), `does not say into how many heads the ${rows} rows of ${name} are parted.`)
  return heads
}

function strangeTensor({ name, file }: SourceTensor): AppError {
  const kind = /lora_magnitude_vector/.test(name)
    ? 'DoRA'
    : /lora_embedding_[AB]/.test(name)
      ? 'an adapted embedding'
      : /\.bias$/.test(name)
        ? 'a trained bias'
        : 'a whole module or something unknown'
  return unsupported(file.name, `holds ${shown(name)}: ${kind}, which a LoRA file cannot state. Train it as plain LoRA.`, { tensor: name })
}

/** A as it is; B times the fold, rows in the base's order. */
async function* halfBytes({ a, b, fold, heads, rank }: Pair, half: 'a' | 'b'): AsyncGenerator<Uint8Array> {
  const tensor = half === 'a' ? a : b
  const bytes = await tensor.file.read(tensor, 0, tensor.bytes)
  const values = floats(bytes, tensor)
  if (half === 'b') for (let n = 0; n < values.length; n++) values[n]! *= fold
  if (!finite(values))
    throw new AppError('WEIGHTS_NOT_FINITE', `${tensor.file.name}: ${shown(tensor.name)} holds values that are not numbers. Train it again.`, {
      tensor: tensor.name,
    })
  const out = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  yield half === 'b' && heads > 0 ? interleaved(out, rank * 4, b.shape[0]! / heads) : out
}

function floats(bytes: Buffer, { dtype, name, file }: SourceTensor): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  if (dtype === 'F16' || dtype === 'BF16') return toFloats(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), dtype)
  throw unsupported(file.name, `${shown(name)} is ${dtype}; BF16, F16 and F32 can be imported. Save the adapter in one of them.`, { tensor: name })
}
