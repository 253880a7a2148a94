// Owns the judgement whether a LoRA file fits a model, made on both headers before llama.cpp sees it: some of what it would meet there ends the process.
import { basename } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { KEYS } from './gguf-keys.ts'
import { factOf, readGgufHeader, type GgufHeader, type GgufTensor } from './gguf-header.ts'

export interface AdapterFacts {
  path: string
  name: string
  rank: number
  /** 0 when the file states none: llama.cpp then applies the matrices as they are, without alpha / rank. */
  alpha: number
  /** Matrices of the model that it changes. */
  targets: number
  /** Of the tensor data. */
  bytes: number
}
const HALF = /\.lora_([ab])$/

/**
 * Compares the adapter with the model. Throws ADAPTER_MISMATCH when it is no LoRA file, was made for another architecture, shape or base
 * (`rushlight.base_weights_id` against the model's `rushlight.weights_id`), or has half a pair; MODEL_* when one of the files cannot be read.
 */
export async function inspectAdapter(path: string, model: string | Pick<GgufHeader, 'metadata' | 'tensors' | 'path'>): Promise<AdapterFacts> {
  const header = await readGgufHeader(path, { values: 'facts' })
  const base = typeof model === 'string' ? await readGgufHeader(model, { values: 'facts' }) : model
  const file = basename(path)
  const refuse = (what: string) => new AppError('ADAPTER_MISMATCH', `${file} ${what}`, { file })
  const other = `Choose the base model that it was trained on (this one is ${basename(base.path)}).`
  const text = (key: string) => (header.metadata.get(key)?.type === 'string' ? String(factOf(header, key)) : '')

  if (text('general.type') !== 'adapter' || text('adapter.type') !== 'lora')
    throw refuse('is not a LoRA adapter. Choose the .gguf file that the adapter was exported to.')
  const [made, runs] = [text('general.architecture'), String(factOf(base, 'general.architecture') ?? '')]
  if (made !== runs) throw refuse(`is made for models of the kind “${made.slice(0, 40)}”, not “${runs.slice(0, 40)}”. ${other}`)
  const [wanted, given] = [factOf(header, KEYS.baseWeightsId), factOf(base, KEYS.weightsId)]
  if (wanted !== undefined && given !== undefined && wanted !== given) throw refuse(`was trained on other weights than those of this model. ${other}`)
  const alpha = header.metadata.get('adapter.lora.alpha')
  if (alpha !== undefined && (alpha.type !== 'float32' || !Number.isFinite(alpha.value)))
    throw refuse('states its alpha in a form that cannot be read. Export it again.')

  const end = header.dataAt + Math.max(0, ...header.tensors.map(({ offset, bytes }) => offset + bytes))
  if (header.size < end) throw new AppError('MODEL_TRUNCATED', `${file} is incomplete. Copy it again from its source.`, { file })
  const pairs = pairsOf(header.tensors, refuse)
  const shapes = new Map(base.tensors.map((tensor) => [tensor.name, tensor.dims]))
  let rank = 0
  for (const [name, halves] of pairs) {
    const [a, b] = [halves.a && matrix(halves.a), halves.b && matrix(halves.b)]
    const dims = shapes.get(name)
    if (!dims) throw refuse(`changes ${name}, which the model does not have. ${other}`)
    if (!a || !b) throw refuse(`has only one half of the pair for ${name}. Export it again.`)
    // ggml's order: A takes a row of the input to the rank, B takes the rank to the output; at the embedding the two change places
    const [input, output] = name === 'token_embd.weight' ? [b.dims[1], a.dims[1]] : [a.dims[0], b.dims[1]]
    const [from, to] = name === 'token_embd.weight' ? [a.dims[0], b.dims[0]] : [a.dims[1], b.dims[0]]
    if (a.dims.length !== 2 || b.dims.length !== 2 || from !== to || !from)
      throw refuse(`has matrices for ${name} that do not fit each other. Export it again.`)
    if (input !== dims[0] || output !== dims[1])
      throw refuse(`changes a ${name} of ${output} × ${input} values; that of the model has ${dims[1]} × ${dims[0]}. ${other}`)
    rank = Math.max(rank, Number(from))
  }
  return {
    path,
    name: text('general.name'),
    rank,
    alpha: alpha === undefined ? 0 : Number(alpha.value),
    targets: pairs.size,
    bytes: header.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
  }
}

/** ggml leaves out a last dimension of 1: an A of rank 1 comes as a vector. */
const matrix = ({ dims }: GgufTensor): Pick<GgufTensor, 'dims'> => ({ dims: dims.length === 1 ? [...dims, 1] : dims })

function pairsOf(tensors: readonly GgufTensor[], refuse: (what: string) => AppError): Map<string, { a?: GgufTensor; b?: GgufTensor }> {
  const pairs = new Map<string, { a?: GgufTensor; b?: GgufTensor }>()
  for (const tensor of tensors) {
    const half = HALF.exec(tensor.name)?.[1]
    // a trained norm is left out by llama.cpp too; the rest of the adapter holds without it
    if (half === undefined && tensor.name.endsWith('_norm.weight')) continue
    if (half === undefined) throw refuse(`holds ${tensor.name.slice(0, 80)}, which is no part of a LoRA adapter. Export it again.`)
    if (tensor.bytes === 0) throw refuse(`holds ${tensor.name.slice(0, 80)} in a type that this engine does not know. Export it again in F16.`)
    const name = tensor.name.replace(HALF, '')
    pairs.set(name, { ...pairs.get(name), [half]: tensor })
  }
  if (pairs.size === 0) throw refuse('changes nothing: it holds no matrices. Export it again.')
  return pairs
}
