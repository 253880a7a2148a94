// Owns the way of a tensor from one GGUF file into another: rows read, made F32, checked, rounded to the new type, in order and a few at a time.
import { open, type FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { AppError } from '../../app/contract/errors.ts'
import { tensorTypes } from '../../app/engine/ggml-types.ts'
import type { GgufHeader, GgufTensor } from '../../app/engine/gguf-header.ts'
import { dequantise, finite, quantise, valid } from './ffi/rows.ts'

/** F32 values of a piece: 16 MiB, so that a model of any size passes through a few pieces' memory. */
const PIECE_VALUES = 4 * 1024 * 1024

/** A tensor as it will be written: `source` is where its values come from. */
export interface Conversion {
  name: string
  dims: number[]
  type: number
  source: GgufTensor
}
export interface ConvertOptions {
  /** Pieces at work at once; each takes a thread of its own. */
  threads?: number
  /** One weight per column of the tensor, or null. */
  importance?: (tensor: string) => Float32Array | null
  signal?: AbortSignal
}

/** An open model file whose tensors can be read row by row. */
export class TensorFile {
  readonly header: GgufHeader
  readonly #handle: FileHandle

  private constructor(header: GgufHeader, handle: FileHandle) {
    this.header = header
    this.#handle = handle
  }

  static async open(header: GgufHeader): Promise<TensorFile> {
    return new TensorFile(header, await open(header.path, 'r'))
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** `rows` rows of `tensor` from row `from`, as they lie in the file. Throws MODEL_TRUNCATED. */
  async rows(tensor: GgufTensor, from: number, rows: number): Promise<Buffer> {
    const { bytes: blockBytes, block } = tensorTypes.get(tensor.type)!
    const rowBytes = (tensor.dims[0]! / block) * blockBytes
    const bytes = Buffer.allocUnsafeSlow(rows * rowBytes)
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, this.header.dataAt + tensor.offset + from * rowBytes)
    if (bytesRead < bytes.length)
      throw new AppError('MODEL_TRUNCATED', `${basename(this.header.path)} ends in the middle of ${tensor.name}. Copy it again from its source.`)
    return bytes
  }

  /** The same rows as F32. Throws MODEL_TRUNCATED, SOURCE_UNSUPPORTED or WEIGHTS_NOT_FINITE. */
  async floats(tensor: GgufTensor, from: number, rows: number): Promise<Float32Array> {
    const values = await dequantise(tensor.type, await this.rows(tensor, from, rows), rows * tensor.dims[0]!)
    if (!finite(values)) throw notFinite(this.header.path, tensor.name)
    return values
  }
}

export const rowsOf = (tensor: Pick<GgufTensor, 'dims'>): number => tensor.dims.slice(1).reduce((product, length) => product * length, 1)
/** Rows of a piece: at least one, however long a row is. */
export const rowsOfPiece = (rowLength: number): number => Math.max(1, Math.floor(PIECE_VALUES / rowLength))

/** The tensor's bytes in its new type, piece by piece. Same type: the bytes as they are, once they have been found sound. */
export async function* convert(file: TensorFile, tensor: Conversion, options: ConvertOptions = {}): AsyncGenerator<Uint8Array> {
  const { source, type, dims } = tensor
  const rowLength = dims[0]!
  const importance = options.importance?.(tensor.name) ?? null
  const one = async (from: number, rows: number): Promise<Uint8Array> => {
    if (type === source.type && isQuantised(type)) {
      const bytes = await file.rows(source, from, rows)
      if (!(await valid(type, bytes))) throw notFinite(file.header.path, source.name)
      return bytes
    }
    const values = await file.floats(source, from, rows)
    const bytes = await quantise(type, values, rowLength, importance)
    // 65,520 and more have no F16: rounding gives infinity, and the model would answer nonsense
    if (!isQuantised(type) && !finite(await dequantise(type, bytes, values.length)))
      throw new AppError('WEIGHTS_NOT_FINITE', `${source.name} holds values too large for ${tensorTypes.get(type)!.name}. Use BF16 or F32 for it.`)
    return bytes
  }
  const rows = rowsOf(source)
  const step = rowsOfPiece(rowLength)
  const pieces = Array.from({ length: Math.ceil(rows / step) }, (_, n) => ({ from: n * step, rows: Math.min(step, rows - n * step) }))
  yield* inOrder(pieces, options.threads ?? availableParallelism(), ({ from, rows }) => one(from, rows), options.signal)
}

const isQuantised = (type: number) => tensorTypes.get(type)!.block > 1

/** Results in the order of `items`, at most `width` at work at once. A failure waits for those at work, so that no file is closed under them. */
async function* inOrder<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>, signal?: AbortSignal): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  try {
    for (const item of items) {
      signal?.throwIfAborted()
      if (running.length >= width) yield await running.shift()!
      running.push(work(item))
    }
    while (running.length > 0) yield await running.shift()!
  } finally {
    await Promise.allSettled(running)
  }
}

const notFinite = (path: string, tensor: string) =>
  new AppError('WEIGHTS_NOT_FINITE', `${tensor} in ${basename(path)} holds values that are not numbers. Make or copy the file again.`, { tensor })

/**
 * What a source must be before its tensors are read: every type known, every tensor inside the file, on its alignment and apart from the
 * others. Throws MODEL_NOT_GGUF, MODEL_TRUNCATED or SOURCE_UNSUPPORTED.
 */
export function checkTensors({ path, size, tensors, dataAt, alignment }: GgufHeader): void {
  const file = basename(path)
  const refuse = (code: 'MODEL_NOT_GGUF' | 'MODEL_TRUNCATED' | 'SOURCE_UNSUPPORTED', what: string) => new AppError(code, `${file}: ${what}`, { file })
  let end = 0
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset)) {
    const { name, dims, type, offset, bytes } = tensor
    const known = tensorTypes.get(type)
    if (!known) throw refuse('SOURCE_UNSUPPORTED', `${name} is of type ${type}, which this version does not know. Convert the model again.`)
    const values = dims.reduce((product, length) => product * length, 1)
    if (dims.length === 0 || !(values > 0) || !Number.isSafeInteger(values) || dims[0]! % known.block !== 0)
      throw refuse('MODEL_NOT_GGUF', `${name} has an impossible shape (${dims.join(' × ')}). Copy the file again from its source.`)
    if (offset % alignment !== 0) throw refuse('MODEL_NOT_GGUF', `${name} does not begin where it may. Copy the file again from its source.`)
    if (offset < end) throw refuse('MODEL_NOT_GGUF', `${name} lies on top of another tensor. Copy the file again from its source.`)
    end = offset + bytes
    if (dataAt + end > size) throw refuse('MODEL_TRUNCATED', `${name} ends behind the end of the file. Copy it again from its source.`)
  }
}
