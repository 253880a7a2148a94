// Owns the import of a Hugging Face folder: config, tokenizer and weights checked together, then streamed into one GGUF file.
import { basename, resolve } from 'node:path'
import type { GgufValue } from '../../../app/engine/gguf-header.ts'
import { KEYS } from '../../../app/engine/gguf-keys.ts'
import { fileTypeOf, typeIdOf } from '../../../app/engine/ggml-types.ts'
import { bytesOf, fileBytes, str, u32, writeGguf, type NewTensor } from '../gguf/write.ts'
import { writeWhole } from '../output.ts'
import type { VerbContext } from '../verb.ts'
import { placeTensors, shapeKeys, type PlacedTensor } from './architecture.ts'
import { byteFallback } from './byte-fallback.ts'
import { byteLevel } from './byte-level.ts'
import { readConfig, ropeDivisors, type SourceModel } from './config.ts'
import type { Float } from './halves.ts'
import { Weights } from './shards.ts'
import { invalid, shown } from './source.ts'
import { readSpecials, type Specials } from './specials.ts'
import { readTokenizer } from './tokenizer-json.ts'
import { patchWeightsId, PENDING, WeightsHash } from './weights-id.ts'
import { newWeights, sourceType, weightBytes, type NewWeight, type Rounding } from './weights.ts'

export interface ImportRequest {
  folder: string
  to: string
  /** Of the matrices; null: the source's own, F16 for F32. */
  type: Float | null
  /** `general.name`; null: the folder's. */
  name: string | null
  force: boolean
}
export interface Imported {
  model: SourceModel
  type: Float
  sourceType: Float
  tensors: readonly NewTensor[]
  specials: Specials
  composes: boolean
  rounding: Rounding
  weightsId: string
  bytes: number
}

const F32 = typeIdOf('F32')!
/** Beside the weights: none of them may be the output. */
const READ = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'model.safetensors.index.json',
]
/** llama.cpp strips space around special tokens in models whose name holds one of these, and fails on some. */
const TROUBLESOME_NAME = /phi-?3|modern-bert/i

/**
 * Writes `to`. Throws SOURCE_INVALID or SOURCE_UNSUPPORTED for the folder, WEIGHTS_NOT_FINITE for its weights, and the OUTPUT_* codes and
 * DISK_FULL of writeWhole; the folder is only read.
 */
export async function importFolder(request: ImportRequest, context: VerbContext): Promise<Imported> {
  const { folder } = request
  const model = await readConfig(folder)
  const weights = await Weights.open(folder)
  try {
    const { placed, copies } = placeTensors(model, weights.tensors)
    for (const { tensor, of } of copies) await refuseDifferent(tensor, of)
    const json = await readTokenizer(folder)
    const vocabulary = json.model.byte_fallback ? byteFallback(json, model.vocabulary) : byteLevel(json, model.vocabulary)
    const specials = await readSpecials(folder, json, vocabulary.tokens, model)
    const own = sourceType(placed)
    const type = request.type ?? (own === 'F32' ? 'F16' : own)
    const name = nameOf(request)
    const metadata = new Map<string, GgufValue>([
      ['general.architecture', str(model.architecture)],
      // before any text of the source: it is found and filled in at the end
      [KEYS.weightsId, str(PENDING)],
      ['general.type', str('model')],
      ['general.name', str(name)],
      ['general.file_type', u32(fileTypeOf(type))],
      ['general.quantization_version', u32(2)],
      ...shapeKeys(model),
      ...vocabulary.keys,
      ...specials.keys,
    ])
    const written = await write(request, context, { model, metadata, placed, type })
    return { model, type, sourceType: own, specials, composes: vocabulary.composes, ...written }
  } finally {
    await weights.close()
  }
}

interface Content {
  model: SourceModel
  metadata: ReadonlyMap<string, GgufValue>
  placed: readonly PlacedTensor[]
  type: Float
}

async function write({ folder, to, force }: ImportRequest, { signal, progress }: VerbContext, { model, metadata, placed, type }: Content) {
  const divisors = model.llama3Rope ? ropeDivisors(model, model.llama3Rope) : null
  const tensors: (NewWeight | NewTensor)[] = newWeights(placed, type)
  if (divisors) tensors.push({ name: 'rope_freqs.weight', dims: [divisors.length], type: F32 })
  const rounding: Rounding = { vanished: 0 }
  const hash = new WeightsHash()
  const inputs = [...new Set([...placed.map(({ from }) => from.file.name), ...READ])].map((file) => resolve(folder, file))
  const bytes = fileBytes({ metadata, tensors })
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  const weightsId = await writeWhole(to, { bytes, inputs, force, signal }, async (handle) => {
    progress.stage('importing', total)
    await writeGguf(handle, {
      metadata,
      tensors,
      signal,
      data: (tensor) => ('place' in tensor ? weightBytes(tensor, rounding, hash) : [derived(tensor, divisors!, hash)]),
      onBytes: (done, { name }) => progress.at(done, name),
    })
    const id = hash.digest()
    await patchWeightsId(handle, id)
    return id
  })
  return { tensors, rounding, weightsId, bytes }
}

/** A tensor that follows from config.json; it counts as one of the weights, for the model is another without it. */
function derived({ name, dims }: NewTensor, values: Float32Array, hash: WeightsHash): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  hash.begin(name, dims, 'F32')
  hash.update(bytes)
  return bytes
}

function nameOf({ folder, name }: ImportRequest): string {
  const chosen = name ?? basename(resolve(folder))
  if (TROUBLESOME_NAME.test(chosen))
    throw invalid(shown(chosen), 'as a name makes llama.cpp treat the special tokens in another way. Choose another with --name.')
  return chosen
}

/** A tied model's own output matrix must be the embedding: config.json and the weights would contradict each other. */
async function refuseDifferent(tensor: PlacedTensor['from'], of: PlacedTensor['from']): Promise<void> {
  const PIECE = 16 * 1024 * 1024
  let same = tensor.dtype === of.dtype && tensor.bytes === of.bytes
  for (let at = 0; same && at < of.bytes; at += PIECE) {
    const length = Math.min(PIECE, of.bytes - at)
    same = (await tensor.file.read(tensor, at, length)).equals(await of.file.read(of, at, length))
  }
  if (!same)
    throw invalid(
      tensor.file.name,
      `${tensor.name} differs from the embedding, and config.json says that they are one. Correct tie_word_embeddings.`,
      {
        tensor: tensor.name,
      },
    )
}
