// Owns the smallest GGUF writer that the tests need: keys of text, number or list of text, and tensors of zeros.

type Value = string | number | string[]
const u32 = (n: number) => {
  const b = Buffer.alloc(4)
  b.writeUInt32LE(n)
  return b
}
const u64 = (n: number) => {
  const b = Buffer.alloc(8)
  b.writeBigUInt64LE(BigInt(n))
  return b
}
const text = (s: string) => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)])
const BYTES: Record<number, [block: number, bytes: number]> = { 0: [1, 4], 8: [32, 34], 20: [32, 18] }

/** A version 3 file whose tensors have one dimension each. Types: 0 F32, 8 Q8_0, 20 IQ4_NL. */
export function gguf(keys: Record<string, Value>, tensors: { name: string; values: number; type: number }[]): Buffer {
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(Object.keys(keys).length)]
  for (const [key, value] of Object.entries(keys)) {
    parts.push(text(key))
    if (typeof value === 'string') parts.push(u32(8), text(value))
    else if (typeof value === 'number') parts.push(u32(4), u32(value))
    else parts.push(u32(9), u32(8), u64(value.length), ...value.map(text))
  }
  let offset = 0
  for (const { name, values, type } of tensors) {
    parts.push(text(name), u32(1), u64(values), u32(type), u64(offset))
    const [block, bytes] = BYTES[type]!
    offset += Math.ceil(((values / block) * bytes) / 32) * 32
  }
  const header = Buffer.concat(parts)
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), Buffer.alloc(offset)])
}
