// Owns GGUF files for tests that may lie: every count, length, type and offset can be given a false value.

const bytes = (length: number, fill: (view: DataView) => void): Buffer => {
  const buffer = Buffer.alloc(length)
  fill(new DataView(buffer.buffer, buffer.byteOffset, length))
  return buffer
}
export const u32 = (value: number): Buffer => bytes(4, (view) => view.setUint32(0, value, true))
export const u64 = (value: number | bigint): Buffer => bytes(8, (view) => view.setBigUint64(0, BigInt(value), true))
export const f32 = (value: number): Buffer => bytes(4, (view) => view.setFloat32(0, value, true))
export const text = (value: string, length?: number | bigint): Buffer => Buffer.concat([u64(length ?? Buffer.byteLength(value)), Buffer.from(value)])
/** A key with its value, type number first. */
export const key = (name: string, type: number, ...value: Buffer[]): Buffer => Buffer.concat([text(name), u32(type), ...value])
export const keyText = (name: string, value: string): Buffer => key(name, 8, text(value))
export const keyNumber = (name: string, value: number): Buffer => key(name, 4, u32(value))
export const keyTexts = (name: string, values: string[]): Buffer => key(name, 9, u32(8), u64(values.length), ...values.map((value) => text(value)))

export interface RawTensor {
  name: string
  dims: (number | bigint)[]
  type: number
  offset: number | bigint
  /** How many dimensions the header says there are. */
  count?: number
}
export interface RawFile {
  magic?: string
  version?: number
  tensorCount?: number | bigint
  keyCount?: number | bigint
  keys?: Buffer[]
  tensors?: RawTensor[]
  data?: Buffer
}

/** The keys of a one-layer Qwen2 model of width 32. */
export const modelKeys = (): Buffer[] => [
  keyText('general.architecture', 'qwen2'),
  keyNumber('qwen2.block_count', 1),
  keyNumber('qwen2.context_length', 64),
  keyNumber('qwen2.embedding_length', 32),
  keyNumber('qwen2.attention.head_count', 2),
  keyNumber('qwen2.attention.head_count_kv', 1),
  keyNumber('qwen2.feed_forward_length', 32),
  keyTexts('tokenizer.ggml.tokens', ['a', 'b', 'c', 'd']),
]
export const tensor = (name: string, dims: (number | bigint)[], type: number, offset: number | bigint, more: Partial<RawTensor> = {}): RawTensor => ({
  ...{ name, dims, type, offset },
  ...more,
})

/** Written as told; what is not told is right. */
export function rawGguf({ magic = 'GGUF', version = 3, keys = modelKeys(), tensors = sound(), data = soundData(), ...counts }: RawFile = {}): Buffer {
  const header = Buffer.concat([
    ...[Buffer.from(magic, 'latin1'), u32(version), u64(counts.tensorCount ?? tensors.length), u64(counts.keyCount ?? keys.length), ...keys],
    ...tensors.map(({ name, dims, type, offset, count }) =>
      Buffer.concat([text(name), u32(count ?? dims.length), ...dims.map(u64), u32(type), u64(offset)]),
    ),
  ])
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), data])
}

/** One matrix in F32 (32 × 4), one vector in F32 (32), one matrix in Q8_0 (32 × 4), in this order without gaps. */
export const sound = (): RawTensor[] => [
  tensor('token_embd.weight', [32, 4], 0, 0),
  tensor('output_norm.weight', [32], 0, 512),
  tensor('blk.0.attn_q.weight', [32, 4], 8, 640),
]
/** Data for `sound()`: small numbers, and scales of one. */
export function soundData(change: (data: Buffer) => void = () => undefined): Buffer {
  const data = Buffer.alloc(640 + 160)
  for (let at = 0; at < 640; at += 4) data.writeFloatLE((at % 64) / 64, at)
  for (let block = 0; block < 4; block++) data.writeUInt16LE(0x3c00, 640 + block * 34)
  change(data)
  return data
}
