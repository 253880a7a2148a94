// Owns the writing of GGUF version 3: header, tensor table and data, streamed in the order given.
import type { FileHandle } from 'node:fs/promises'
import { tensorTypes } from '../../../app/engine/ggml-types.ts'
import { SCALARS, type GgufElement, type GgufTensor, type GgufValue, type ValueType } from '../../../app/engine/gguf-header.ts'

/** A tensor to write; its offset follows from the order. */
export type NewTensor = Pick<GgufTensor, 'name' | 'dims' | 'type'>
export interface GgufContent<T extends NewTensor = NewTensor> {
  metadata: ReadonlyMap<string, GgufValue>
  tensors: readonly T[]
  /** The bytes of one tensor, in pieces of any length; asked for in the order of `tensors`. */
  data(tensor: T): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  signal?: AbortSignal
  /** Bytes of tensor data written so far, and the tensor at work. */
  onBytes?(written: number, tensor: T): void
}
export const ALIGNMENT = 32

export const str = (value: string): GgufValue => ({ type: 'string', value })
export const u32 = (value: number): GgufValue => ({ type: 'uint32', value })
export const f32 = (value: number): GgufValue => ({ type: 'float32', value })
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value })
const array = (of: ValueType, value: readonly GgufElement[]): GgufValue => ({ type: 'array', of, count: value.length, value })
export const strings = (value: readonly string[]): GgufValue => array('string', value)
export const i32s = (value: readonly number[]): GgufValue => array('int32', value)
export const f32s = (value: readonly number[]): GgufValue => array('float32', value)

/** Bytes of the tensor's data. Throws a RangeError for a row that is no whole number of blocks or a type not known: a caller's mistake. */
export function bytesOf({ name, dims, type }: NewTensor): number {
  const known = tensorTypes.get(type)
  const row = dims[0] ?? 0
  if (!known || row % known.block !== 0) throw new RangeError(`${name}: rows of ${row} values cannot be ${known?.name ?? `type ${type}`}`)
  return (dims.reduce((product, length) => product * length, 1) / known.block) * known.bytes
}

/** Bytes of the whole file, give or take its header's text: what must be free on the disk. */
export function fileBytes({ metadata, tensors }: Pick<GgufContent, 'metadata' | 'tensors'>): number {
  return headerOf({ metadata, tensors }).length + tensors.reduce((sum, tensor) => sum + aligned(bytesOf(tensor)), 0)
}

/** Writes the file from the handle's start and returns its length in bytes. Throws what `data` or the disk throws, or the signal's reason. */
export async function writeGguf<T extends NewTensor>(handle: FileHandle, content: GgufContent<T>): Promise<number> {
  const header = headerOf(content)
  await writeAll(handle, header, 0)
  let at = header.length
  let written = 0
  for (const tensor of content.tensors) {
    const expected = bytesOf(tensor)
    let bytes = 0
    for await (const piece of content.data(tensor)) {
      content.signal?.throwIfAborted()
      await writeAll(handle, piece, at + bytes)
      bytes += piece.length
      content.onBytes?.(written + bytes, tensor)
    }
    if (bytes !== expected) throw new RangeError(`${tensor.name}: ${bytes} bytes given, ${expected} needed`)
    const padding = aligned(bytes) - bytes
    if (padding > 0) await writeAll(handle, new Uint8Array(padding), at + bytes)
    at += bytes + padding
    written += bytes
  }
  return at
}

const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

function headerOf({ metadata, tensors }: Pick<GgufContent, 'metadata' | 'tensors'>): Buffer {
  // a source's own alignment does not hold for what is written here
  const keys = [...metadata].filter(([key]) => key !== 'general.alignment')
  const parts: Buffer[] = [Buffer.from('GGUF'), number('uint32', 3), number('uint64', BigInt(tensors.length)), number('uint64', BigInt(keys.length))]
  for (const [key, value] of keys) {
    parts.push(text(key), number('uint32', SCALARS.indexOf(value.type)))
    if (value.type !== 'array') parts.push(one(value.type, value.value))
    else {
      if (value.value === null) throw new RangeError(`${key} was not read, so it cannot be written`)
      parts.push(number('uint32', SCALARS.indexOf(value.of)), number('uint64', BigInt(value.count)))
      // one by one: a vocabulary has more words than a call may have arguments
      for (const item of value.value) parts.push(one(value.of, item))
    }
  }
  let offset = 0
  for (const tensor of tensors) {
    parts.push(text(tensor.name), number('uint32', tensor.dims.length), ...tensor.dims.map((length) => number('uint64', BigInt(length))))
    parts.push(number('uint32', tensor.type), number('uint64', BigInt(offset)))
    offset += aligned(bytesOf(tensor))
  }
  const header = Buffer.concat(parts)
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length)])
}

function one(type: ValueType, value: GgufElement): Buffer {
  if (type === 'string') return text(String(value))
  return number(type, typeof value === 'bigint' ? value : Number(value))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([number('uint64', BigInt(bytes.length)), bytes])
}

function number(type: ValueType, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  const whole = Number(value)
  if (type === 'uint64') view.setBigUint64(0, BigInt(value), true)
  else if (type === 'int64') view.setBigInt64(0, BigInt(value), true)
  else if (type === 'float64') view.setFloat64(0, whole, true)
  else if (type === 'float32') return (view.setFloat32(0, whole, true), bytes.subarray(0, 4))
  else if (type === 'uint32') return (view.setUint32(0, whole, true), bytes.subarray(0, 4))
  else if (type === 'int32') return (view.setInt32(0, whole, true), bytes.subarray(0, 4))
  else if (type === 'uint16') return (view.setUint16(0, whole, true), bytes.subarray(0, 2))
  else if (type === 'int16') return (view.setInt16(0, whole, true), bytes.subarray(0, 2))
  else if (type === 'int8') return (view.setInt8(0, whole), bytes.subarray(0, 1))
  else return (view.setUint8(0, whole), bytes.subarray(0, 1))
  return bytes
}
