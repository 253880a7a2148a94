// Owns the way of a weight from the source's bytes into GGUF's: rows in pieces, Llama's heads reordered, rounded to the new type, refused when not finite.
import { AppError } from '../../../app/contract/errors.ts'
import { typeIdOf } from '../../../app/engine/ggml-types.ts'
import { finite, quantise } from '../ffi/rows.ts'
import type { PlacedTensor } from './architecture.ts'
import { exchange, finiteHalves, fromFloats, toFloats, vanished, type Float } from './halves.ts'
import type { SourceTensor } from './safetensors.ts'
import { shown, unsupported } from './source.ts'
import type { WeightsHash } from './weights-id.ts'

/** Bytes of the source read at once; a single head's rows may be more. */
const PIECE_BYTES = 16 * 1024 * 1024

/** A tensor to write, with its source. */
export interface NewWeight {
  name: string
  dims: number[]
  type: number
  to: Float
  place: PlacedTensor
}

/** The type in which most values of the matrices lie. Throws SOURCE_UNSUPPORTED for any that is no float of 16 or 32 bits. */
export function sourceType(placed: readonly PlacedTensor[]): Float {
  const values = new Map<Float, number>()
  for (const { from, vector } of placed) {
    const dtype = floatOf(from)
    if (!vector) values.set(dtype, (values.get(dtype) ?? 0) + from.bytes / (dtype === 'F32' ? 4 : 2))
  }
  return [...values].sort((a, b) => b[1] - a[1])[0]![0]
}

/** The tensors of the new file: matrices as `to`, norms and biases F32. */
export function newWeights(placed: readonly PlacedTensor[], to: Float): NewWeight[] {
  return placed.map((place) => {
    const type: Float = place.vector ? 'F32' : to
    return { name: place.name, dims: [...place.shape].reverse(), type: typeIdOf(type)!, to: type, place }
  })
}

export interface Rounding {
  /** Values that were not zero and are now: too small for the new type. */
  vanished: number
}

/** The tensor's new bytes, piece by piece; `hash` sees the old ones. Throws WEIGHTS_NOT_FINITE for NaN, infinity or a value too large for the new type. */
export async function* weightBytes({ name, dims, place, to }: NewWeight, rounding: Rounding, hash: WeightsHash): AsyncGenerator<Uint8Array> {
  const { from, shape, permutedHeads } = place
  hash.begin(name, dims, from.dtype)
  const rowBytes = from.bytes / shape[0]!
  const unit = permutedHeads > 0 ? shape[0]! / permutedHeads : 1
  const step = Math.max(1, Math.floor(PIECE_BYTES / (rowBytes * unit))) * unit
  for (let row = 0; row < shape[0]!; row += step) {
    const rows = Math.min(step, shape[0]! - row)
    const bytes = await from.file.read(from, row * rowBytes, rows * rowBytes)
    hash.update(bytes)
    yield await convert(permutedHeads > 0 ? interleaved(bytes, rowBytes, unit) : bytes, from, to, rounding)
  }
}

/**
 * Hugging Face turns value j of a head with value j + half; llama.cpp's Llama turns neighbours. So within each head of `headRows` rows
 * the first half and the second half are interleaved: rows 0, half, 1, half + 1, … `bytes` holds whole heads.
 */
export function interleaved(bytes: Buffer, rowBytes: number, headRows: number): Buffer {
  const out = Buffer.allocUnsafeSlow(bytes.length)
  const half = headRows / 2
  for (let head = 0; head < bytes.length; head += headRows * rowBytes)
    for (let n = 0; n < headRows; n++) {
      const source = head + ((n & 1) * half + (n >> 1)) * rowBytes
      bytes.copy(out, head + n * rowBytes, source, source + rowBytes)
    }
  return out
}

async function convert(bytes: Buffer, from: SourceTensor, to: Float, rounding: Rounding): Promise<Uint8Array> {
  const dtype = floatOf(from)
  const refuse = (what: string) =>
    new AppError('WEIGHTS_NOT_FINITE', `${from.file.name}: ${shown(from.name)} ${what}`, { file: from.file.name, tensor: from.name })
  const strange = () => refuse('holds values that are not numbers. Make or copy the model again.')
  const large = () => refuse(`holds values too large for ${to}. Import it with --type ${to === 'F16' ? 'bf16' : 'f32'}.`)
  if (dtype === 'F32') {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    if (!finite(values)) throw strange()
    if (to === 'F32') return bytes
    // ggml's own rounding of a run of F32 is vectorised; that of BF16 is not, and no faster than this
    const bits = to === 'F16' ? halves(await quantise(typeIdOf('F16')!, values, values.length)) : fromFloats(values, to)
    if (!finiteHalves(bits, to)) throw large()
    rounding.vanished += vanished(values, bits)
    return bytesOf(bits)
  }
  const bits = halves(bytes)
  if (!finiteHalves(bits, dtype)) throw strange()
  if (to === dtype) return bytes
  if (to === 'F32') return bytesOf(toFloats(bits, dtype))
  const other = exchange(bits, dtype)
  if (!finiteHalves(other, to)) throw large()
  rounding.vanished += vanished(bits, other)
  return bytesOf(other)
}

const halves = (bytes: Uint8Array) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
const bytesOf = (values: Uint16Array | Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

function floatOf({ dtype, name, file }: SourceTensor): Float {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype
  throw unsupported(file.name, `${shown(name)} is ${dtype}; BF16, F16 and F32 can be imported. Use the model in one of them.`, { tensor: name })
}
