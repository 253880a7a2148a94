// Owns the header of a GGUF file: its facts, read without loading it, and the first judgement whether it is a model at all. The file is hostile.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError, type Code } from '../contract/errors.ts'
import { Cursor, Ended } from './cursor.ts'
import { mixture, tensorTypes } from './ggml-types.ts'

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

/** What no real model exceeds; a header that does is damaged or made to exhaust memory. */
const LIMIT = {
  keys: 4096,
  keyLength: 1024,
  /** A longer text, such as a chat template, is skipped: no fact read here is one. */
  text: 4096,
  array: 16_000_000,
  tensors: 65_536,
  /** GGML_MAX_DIMS */
  dimensions: 4,
  header: 512 * 1024 * 1024,
  /** Of a name that is shown. */
  shown: 120,
} as const
/** They read a text and give a vector; none of them writes. Names that hold `bert` are the rest of the family. */
const ENCODERS = new Set(['t5encoder', 'gemma-embedding', 'wavtokenizer-dec'])
const SCALAR_BYTES: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8]
const [STRING, ARRAY] = [8, 9]

/** Reads the header. Throws MODEL_MISSING, MODEL_UNREADABLE, MODEL_NOT_GGUF, MODEL_TRUNCATED, MODEL_VOCAB_ONLY or MODEL_NOT_A_MODEL. */
export async function inspectModel(path: string): Promise<ModelFacts> {
  const file = basename(path)
  const refuse = (code: Code, what: string) => new AppError(code, `${file} ${what}`, { file })
  let handle: FileHandle
  try {
    if (!(await stat(path)).isFile()) throw refuse('MODEL_UNREADABLE', 'is a folder, not a model file. Choose the .gguf file inside it.')
    handle = await open(path, 'r')
  } catch (error) {
    if (error instanceof AppError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refuse('MODEL_MISSING', 'is not where it should be. Put it back or choose another model.')
    throw refuse('MODEL_UNREADABLE', 'cannot be read. Check its permissions or copy it again.')
  }
  try {
    const { size } = await handle.stat()
    const header = await readHeader(new Cursor(handle, size, LIMIT.header), refuse)
    return judge({ path, size, file }, header, refuse)
  } catch (error) {
    if (error instanceof Ended) throw refuse('MODEL_TRUNCATED', 'ends in the middle of its header. Copy it again from its source.')
    throw error
  } finally {
    await handle.close()
  }
}

type Refuse = (code: Code, what: string) => AppError
interface Header {
  keys: Map<string, string | number>
  tensors: { name: string; values: number; type: number; offset: number }[]
  dataAt: number
}

async function readHeader(cursor: Cursor, refuse: Refuse): Promise<Header> {
  const damaged = () => refuse('MODEL_NOT_GGUF', 'has a damaged GGUF header. Copy it again from its source.')
  if (cursor.size < 4 || (await cursor.text(4)) !== 'GGUF') throw refuse('MODEL_NOT_GGUF', 'is not a GGUF model. Choose a file that ends in .gguf.')
  const version = await cursor.u32()
  if (version >= 1 << 16) throw refuse('MODEL_NOT_GGUF', 'is written for another kind of processor (big-endian). Convert the model again.')
  if (version < 2 || version > 3) throw refuse('MODEL_NOT_GGUF', `is GGUF version ${version}; this engine reads 2 and 3. Convert the model again.`)
  const [tensorCount, keyCount] = [await cursor.u64(), await cursor.u64()]
  if (tensorCount > LIMIT.tensors || keyCount > LIMIT.keys) throw damaged()

  const value = async (type: number): Promise<string | number> => {
    if (type === STRING) {
      const length = await cursor.u64()
      if (length <= LIMIT.text) return cursor.text(length)
      cursor.skip(length)
      return ''
    }
    if (type === ARRAY) {
      const [inner, count] = [await cursor.u32(), await cursor.u64()]
      if (count > LIMIT.array) throw damaged()
      const bytes = SCALAR_BYTES[inner]
      if (bytes !== undefined) cursor.skip(bytes * count)
      else if (inner === STRING) await cursor.skipTexts(count)
      else throw damaged()
      return count
    }
    const bytes = SCALAR_BYTES[type]
    if (bytes === undefined) throw damaged()
    return cursor.number(type, bytes)
  }

  const keys: Header['keys'] = new Map()
  for (let n = 0; n < keyCount; n++) {
    const length = await cursor.u64()
    if (length > LIMIT.keyLength) throw damaged()
    const key = await cursor.text(length)
    keys.set(key, await value(await cursor.u32()))
  }
  const tensors: Header['tensors'] = []
  for (let n = 0; n < tensorCount; n++) {
    const length = await cursor.u64()
    if (length > LIMIT.keyLength) throw damaged()
    const name = await cursor.text(length)
    const dimensions = await cursor.u32()
    if (dimensions > LIMIT.dimensions) throw damaged()
    let values = 1
    for (let d = 0; d < dimensions; d++) values *= await cursor.u64()
    tensors.push({ name, values, type: await cursor.u32(), offset: await cursor.u64() })
  }
  const alignment = Number(keys.get('general.alignment') ?? 32)
  if (!Number.isInteger(alignment) || alignment < 1) throw damaged()
  return { keys, tensors, dataAt: Math.ceil(cursor.at / alignment) * alignment }
}

function judge({ path, size, file }: { path: string; size: number; file: string }, { keys, tensors, dataAt }: Header, refuse: Refuse): ModelFacts {
  // a name goes into sentences and onto the page
  const text = (key: string) =>
    String(keys.get(key) ?? '')
      .replace(/[\p{Cc}\p{Cf}]/gu, '')
      .slice(0, LIMIT.shown)
  const architecture = text('general.architecture')
  const number = (key: string) => Number(keys.get(`${architecture}.${key}`) ?? 0)
  const kind = text('general.type')
  if (kind === 'adapter') throw refuse('MODEL_NOT_A_MODEL', 'is an adapter, not a model. Choose the model that it belongs to.')
  if (kind === 'mmproj' || architecture === 'clip')
    throw refuse('MODEL_NOT_A_MODEL', 'reads pictures for another model and writes no text. Choose a language model.')
  if (Number(keys.get('split.no') ?? 0) > 0)
    throw refuse('MODEL_NOT_A_MODEL', 'is a later part of a model in several files. Choose the first part, with the others beside it.')
  if (architecture === '') throw refuse('MODEL_NOT_A_MODEL', 'names no architecture. Choose a language model.')
  if (tensors.length === 0) throw refuse('MODEL_VOCAB_ONLY', 'holds only a vocabulary, no model. Choose the full model file.')
  if (/bert/.test(architecture) || ENCODERS.has(architecture) || number('block_count') === 0)
    throw refuse('MODEL_NOT_A_MODEL', 'is not a model that writes text. Choose a language model.')
  if (!keys.has('tokenizer.ggml.tokens')) throw refuse('MODEL_NOT_A_MODEL', 'has no vocabulary. Choose a complete language model.')

  const bytesByType = new Map<string, number>()
  let end = dataAt
  let parameters = 0
  for (const { values, type, offset } of tensors) {
    const known = tensorTypes.get(type)
    parameters += values
    const bytes = known ? (values / known.block) * known.bytes : 0
    end = Math.max(end, dataAt + offset + bytes)
    const name = known?.name ?? `type ${type}`
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
    name: text('general.name') || file.replace(/\.gguf$/i, ''),
    quantisation: mixture(bytesByType),
    layers: number('block_count'),
    trainContextSize: number('context_length'),
  }
}
