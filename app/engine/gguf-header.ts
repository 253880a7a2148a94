// Owns the parsing of a GGUF header (versions 2 and 3): its keys, its tensor table and where the data begins. The file is hostile.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError, type Code } from '../contract/errors.ts'
import { Cursor, Ended } from './cursor.ts'
import { tensorTypes } from './ggml-types.ts'

export const SCALARS = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const
export type ValueType = (typeof SCALARS)[number]
/** A key's value with its type, so that a header can be written again unchanged. An array that was not asked for has only its length. */
export type GgufValue =
  | { type: 'string'; value: string }
  | { type: 'bool'; value: boolean }
  | { type: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64'; value: number }
  | { type: 'uint64' | 'int64'; value: bigint }
  | { type: 'array'; of: ValueType; count: number; value: readonly GgufElement[] | null }
export type GgufElement = string | number | bigint | boolean

export interface GgufTensor {
  name: string
  /** In ggml's order: the length of a row first. */
  dims: number[]
  /** ggml's number of the type, known or not. */
  type: number
  /** Of its data, from `dataAt`. */
  offset: number
  /** Of its data; 0 for a type this program does not know. */
  bytes: number
}
export interface GgufHeader {
  path: string
  /** Of the file, in bytes. */
  size: number
  version: number
  metadata: Map<string, GgufValue>
  tensors: GgufTensor[]
  alignment: number
  /** Where tensor data begins, in bytes. */
  dataAt: number
}

/** What no real model exceeds; a header that does is damaged or made to exhaust memory. */
export const LIMIT = {
  keys: 4096,
  keyLength: 1024,
  /** A longer text is refused when all values are asked for, and skipped when only facts are. */
  text: 16 * 1024 * 1024,
  /** What a fact can need; a chat template is longer. */
  fact: 4096,
  array: 16_000_000,
  tensors: 65_536,
  /** GGML_MAX_DIMS */
  dimensions: 4,
  /** Values along one dimension: keeps every product exact or visibly absurd. */
  dimension: 2 ** 40,
  header: 512 * 1024 * 1024,
} as const
const BYTES: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8]
const [STRING, ARRAY] = [8, 9]

type Refuse = (code: Code, what: string) => AppError

/**
 * Reads the header of the file at `path`. `values: 'facts'` skips arrays and long texts (milliseconds for any vocabulary), `'all'` keeps
 * every value. Throws MODEL_MISSING, MODEL_UNREADABLE, MODEL_NOT_GGUF or MODEL_TRUNCATED.
 */
export async function readGgufHeader(path: string, options: { values: 'facts' | 'all' }): Promise<GgufHeader> {
  const refuse = refusal(path)
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
    return { path, size, ...(await parse(new Cursor(handle, size, LIMIT.header), options.values === 'all', refuse)) }
  } catch (error) {
    if (error instanceof Ended) throw refuse('MODEL_TRUNCATED', 'ends in the middle of its header. Copy it again from its source.')
    throw error
  } finally {
    await handle.close()
  }
}

/** Errors that name the file and nothing of where it lies. */
export function refusal(path: string): Refuse {
  const file = basename(path)
  return (code, what) => new AppError(code, `${file} ${what}`, { file })
}

async function parse(cursor: Cursor, all: boolean, refuse: Refuse): Promise<Omit<GgufHeader, 'path' | 'size'>> {
  const damaged = (what = 'has a damaged GGUF header') => refuse('MODEL_NOT_GGUF', `${what}. Copy it again from its source.`)
  if (cursor.size < 4 || (await cursor.text(4)) !== 'GGUF') throw refuse('MODEL_NOT_GGUF', 'is not a GGUF model. Choose a file that ends in .gguf.')
  const version = await cursor.u32()
  if (version >= 1 << 16) throw refuse('MODEL_NOT_GGUF', 'is written for another kind of processor (big-endian). Convert the model again.')
  if (version < 2 || version > 3) throw refuse('MODEL_NOT_GGUF', `is GGUF version ${version}; this engine reads 2 and 3. Convert the model again.`)
  const [tensorCount, keyCount] = [await cursor.u64(), await cursor.u64()]
  if (tensorCount > LIMIT.tensors || keyCount > LIMIT.keys) throw damaged()

  const texts = async (count: number): Promise<string[]> => {
    const values: string[] = []
    for (let n = 0; n < count; n++) {
      const length = await cursor.u64()
      if (length > LIMIT.text) throw damaged()
      values.push(cursor.textNow(length) ?? (await cursor.text(length)))
    }
    return values
  }
  const array = async (): Promise<GgufValue> => {
    const [inner, count] = [await cursor.u32(), await cursor.u64()]
    const of = SCALARS[inner]
    const bytes = BYTES[inner]
    if (count > LIMIT.array || of === undefined || inner === ARRAY) throw damaged()
    if (bytes === undefined) {
      if (all) return { type: 'array', of, count, value: await texts(count) }
      await cursor.skipTexts(count)
    } else if (all) {
      const value: GgufElement[] = []
      // a full array is refused before it is read, not after
      cursor.expect(bytes * count)
      for (let n = 0; n < count; n++) value.push(await scalar(inner, bytes))
      return { type: 'array', of, count, value }
    } else cursor.skip(bytes * count)
    return { type: 'array', of, count, value: null }
  }
  const scalar = async (type: number, bytes: number): Promise<GgufElement> => {
    if (type === 10 || type === 11) return cursor.big(type === 11)
    const value = await cursor.number(type, bytes)
    return SCALARS[type] === 'bool' ? value !== 0 : value
  }
  const value = async (type: number): Promise<GgufValue> => {
    if (type === ARRAY) return array()
    if (type === STRING) {
      const length = await cursor.u64()
      if (all && length > LIMIT.text) throw damaged()
      if (all || length <= LIMIT.fact) return { type: 'string', value: await cursor.text(length) }
      cursor.skip(length)
      return { type: 'string', value: '' }
    }
    const bytes = BYTES[type]
    if (bytes === undefined) throw damaged()
    return { type: SCALARS[type], value: await scalar(type, bytes) } as GgufValue
  }

  const metadata = new Map<string, GgufValue>()
  for (let n = 0; n < keyCount; n++) {
    const key = await name(cursor, damaged)
    if (metadata.has(key)) throw damaged(`has the key ${key} twice`)
    metadata.set(key, await value(await cursor.u32()))
  }
  const tensors: GgufTensor[] = []
  const names = new Set<string>()
  for (let n = 0; n < tensorCount; n++) {
    const tensor = await tensorOf(cursor, damaged)
    if (names.has(tensor.name)) throw damaged(`has the tensor ${tensor.name} twice`)
    names.add(tensor.name)
    tensors.push(tensor)
  }
  const stated = metadata.get('general.alignment')
  const alignment = stated === undefined ? 32 : Number(stated.value)
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 65_536) throw damaged()
  return { version, metadata, tensors, alignment, dataAt: Math.ceil(cursor.at / alignment) * alignment }
}

async function name(cursor: Cursor, damaged: () => AppError): Promise<string> {
  const length = await cursor.u64()
  if (length > LIMIT.keyLength) throw damaged()
  return cursor.text(length)
}

async function tensorOf(cursor: Cursor, damaged: (what?: string) => AppError): Promise<GgufTensor> {
  const title = await name(cursor, damaged)
  const dimensions = await cursor.u32()
  if (dimensions > LIMIT.dimensions) throw damaged()
  const dims: number[] = []
  for (let d = 0; d < dimensions; d++) {
    const length = await cursor.u64()
    if (length > LIMIT.dimension) throw damaged()
    dims.push(length)
  }
  const [type, offset] = [await cursor.u32(), await cursor.u64()]
  const known = tensorTypes.get(type)
  const values = dims.reduce((product, length) => product * length, 1)
  return { name: title, dims, type, offset, bytes: known ? Math.ceil(values / known.block) * known.bytes : 0 }
}

/** A number or text of the header under `key`, or undefined. Bigints become numbers. */
export function factOf(header: Pick<GgufHeader, 'metadata'>, key: string): string | number | boolean | undefined {
  const found = header.metadata.get(key)
  if (!found || found.type === 'array') return undefined
  return typeof found.value === 'bigint' ? Number(found.value) : found.value
}
