// Owns what a GGUF header says about a model, and the first judgement whether it is one at all, without loading it.
import { basename } from 'node:path'
import { mixture, tensorTypes } from './ggml-types.ts'
import { factOf, readGgufHeader, refusal, type GgufHeader } from './gguf-header.ts'

export interface ModelFacts {
  path: string
  /** Of the file. */
  bytes: number
  architecture: string
  name: string
  quantisation: string
  layers: number
  trainContextSize: number
  parameters: number
}

/** Characters of a name that is shown. */
const SHOWN = 120
/** They read a text and give a vector; none of them writes. Names that hold `bert` are the rest of the family. */
const ENCODERS = new Set(['t5encoder', 'gemma-embedding', 'wavtokenizer-dec'])

/** Reads the header. Throws MODEL_MISSING, MODEL_UNREADABLE, MODEL_NOT_GGUF, MODEL_TRUNCATED, MODEL_VOCAB_ONLY or MODEL_NOT_A_MODEL. */
export async function inspectModel(path: string): Promise<ModelFacts> {
  return judgeModel(await readGgufHeader(path, { values: 'facts' }))
}

/** The facts of a header that is already read. Throws MODEL_TRUNCATED, MODEL_VOCAB_ONLY or MODEL_NOT_A_MODEL. */
export function judgeModel(header: GgufHeader): ModelFacts {
  const refuse = refusal(header.path)
  const { path, size, metadata, tensors, dataAt } = header
  // a name goes into sentences and onto the page
  const text = (key: string) =>
    String(factOf(header, key) ?? '')
      .replace(/[\p{Cc}\p{Cf}]/gu, '')
      .slice(0, SHOWN)
  const architecture = text('general.architecture')
  const number = (key: string) => Number(factOf(header, `${architecture}.${key}`) ?? 0)
  const kind = text('general.type')
  if (kind === 'adapter') throw refuse('MODEL_NOT_A_MODEL', 'is an adapter, not a model. Choose the model that it belongs to.')
  if (kind === 'mmproj' || architecture === 'clip')
    throw refuse('MODEL_NOT_A_MODEL', 'reads pictures for another model and writes no text. Choose a language model.')
  if (Number(factOf(header, 'split.no') ?? 0) > 0)
    throw refuse('MODEL_NOT_A_MODEL', 'is a later part of a model in several files. Choose the first part, with the others beside it.')
  if (architecture === '') throw refuse('MODEL_NOT_A_MODEL', 'names no architecture. Choose a language model.')
  if (tensors.length === 0) throw refuse('MODEL_VOCAB_ONLY', 'holds only a vocabulary, no model. Choose the full model file.')
  if (/bert/.test(architecture) || ENCODERS.has(architecture) || number('block_count') === 0)
    throw refuse('MODEL_NOT_A_MODEL', 'is not a model that writes text. Choose a language model.')
  const tokens = metadata.get('tokenizer.ggml.tokens')
  if (tokens?.type !== 'array' || tokens.of !== 'string' || tokens.count === 0)
    throw refuse('MODEL_NOT_A_MODEL', 'has no vocabulary. Choose a complete language model.')

  const bytesByType = new Map<string, number>()
  let end = dataAt
  let parameters = 0
  for (const { dims, type, offset, bytes } of tensors) {
    const name = tensorTypes.get(type)?.name ?? `type ${type}`
    parameters += dims.reduce((product, length) => product * length, 1)
    end = Math.max(end, dataAt + offset + bytes)
    bytesByType.set(name, (bytesByType.get(name) ?? 0) + bytes)
  }
  if (size < end) {
    const share = Math.floor((size / end) * 100)
    throw refuse('MODEL_TRUNCATED', `is incomplete: ${share} % of it is there. Copy it again from its source.`)
  }
  return {
    path,
    bytes: size,
    architecture,
    parameters,
    name: text('general.name') || basename(path).replace(/\.gguf$/i, ''),
    quantisation: mixture(bytesByType),
    layers: number('block_count'),
    trainContextSize: number('context_length'),
  }
}
