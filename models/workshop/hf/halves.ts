// Owns the 16-bit float formats bit by bit: F16 and BF16 into each other and into F32, and the search for values that are no numbers.
/// <reference lib="esnext.float16" />

export type Float = 'F32' | 'F16' | 'BF16'
/** All ones in these bits: infinity or NaN. */
export const EXPONENT = { F16: 0x7c00, BF16: 0x7f80 } as const
const MAGNITUDE = 0x7fff

let tables: { f16: Float32Array; f16ToBf16: Uint16Array; bf16ToF16: Uint16Array } | undefined

/** 65,536 answers each: a look-up is exact and the fastest that there is without SIMD. */
function table() {
  if (tables) return tables
  const view = new DataView(new ArrayBuffer(4))
  const f16 = new Float32Array(65_536)
  const f16ToBf16 = new Uint16Array(65_536)
  const bf16ToF16 = new Uint16Array(65_536)
  for (let bits = 0; bits < 65_536; bits++) {
    view.setUint16(0, bits)
    f16[bits] = view.getFloat16(0)
    view.setFloat32(0, f16[bits]!)
    f16ToBf16[bits] = roundToBf16(view.getUint32(0))
    view.setUint32(0, bits * 65_536)
    view.setFloat16(0, view.getFloat32(0))
    bf16ToF16[bits] = view.getUint16(0)
  }
  return (tables = { f16, f16ToBf16, bf16ToF16 })
}

/** The upper half of an F32's bits, rounded to nearest, ties to even, as ggml rounds. Not for NaN. */
const roundToBf16 = (bits: number) => ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff

/** Whether a value of `bits` is infinite or NaN. */
export function finiteHalves(bits: Uint16Array, type: 'F16' | 'BF16'): boolean {
  const exponent = EXPONENT[type]
  for (let n = 0; n < bits.length; n++) if ((bits[n]! & exponent) === exponent) return false
  return true
}

/** Exact in both cases. */
export function toFloats(bits: Uint16Array, type: 'F16' | 'BF16'): Float32Array {
  const out = new Float32Array(bits.length)
  if (type === 'F16') {
    const { f16 } = table()
    for (let n = 0; n < bits.length; n++) out[n] = f16[bits[n]!]!
    return out
  }
  const words = new Uint32Array(out.buffer)
  for (let n = 0; n < bits.length; n++) words[n] = bits[n]! << 16
  return out
}

/** Rounded to nearest, ties to even; what is too large becomes infinity. */
export function fromFloats(values: Float32Array, type: 'F16' | 'BF16'): Uint16Array {
  const out = new Uint16Array(values.length)
  if (type === 'F16') new Float16Array(out.buffer).set(values)
  else {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
    for (let n = 0; n < words.length; n++) out[n] = roundToBf16(words[n]!)
  }
  return out
}

/** One half format into the other, rounded to nearest, ties to even. */
export function exchange(bits: Uint16Array, from: 'F16' | 'BF16'): Uint16Array {
  const answers = from === 'F16' ? table().f16ToBf16 : table().bf16ToF16
  const out = new Uint16Array(bits.length)
  for (let n = 0; n < bits.length; n++) out[n] = answers[bits[n]!]!
  return out
}

/** Values that are zero in `out` and were not in `before`: too small for the new format. */
export function vanished(before: Uint16Array | Float32Array, out: Uint16Array): number {
  let count = 0
  if (before instanceof Float32Array) {
    for (let n = 0; n < out.length; n++) if ((out[n]! & MAGNITUDE) === 0 && before[n] !== 0) count++
  } else for (let n = 0; n < out.length; n++) if ((out[n]! & MAGNITUDE) === 0 && (before[n]! & MAGNITUDE) !== 0) count++
  return count
}
