// Owns copies of the starter for tests of the workshop: with other keys, other types, a tensor less; and small adapters for it.
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { typeIdOf } from '../../../app/engine/ggml-types.ts'
import { readGgufHeader, type GgufValue } from '../../../app/engine/gguf-header.ts'
import { convert, rowsOf, TensorFile, type Conversion } from '../../../models/workshop/convert.ts'
import { dequantise, quantise } from '../../../models/workshop/ffi/rows.ts'
import { f32, str, writeGguf } from '../../../models/workshop/gguf/write.ts'
import { starter } from '../models.ts'

const id = (name: string) => typeIdOf(name)!
export const ids = { F32: id('F32'), F16: id('F16'), Q8_0: id('Q8_0'), IQ4_NL: id('IQ4_NL'), Q4_K: id('Q4_K') }
const { F32, F16, Q8_0 } = ids
/** Of the starter. */
export const header = await readGgufHeader(starter, { values: 'all' })
export const question = '<|im_start|>user\nWhat is the maximum dose of paracetamol?<|im_end|>\n<|im_start|>assistant\n'

export interface Copies {
  at(name: string): string
  written(name: string, change?: Change): Promise<string>
  adapter(name: string, b: number, columns?: number): Promise<string>
  remove(): void
}
interface Change {
  keys?: Record<string, GgufValue>
  /** Of every matrix. */
  type?: number
  /** The matrices' values are rounded through this type on the way to F16. */
  through?: number
  /** The name of a tensor that is left out. */
  drop?: string
}

/** A folder of its own for the copies of one test file. */
export function copies(): Copies {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-copies-'))
  const at = (name: string) => join(folder, name)
  return {
    at,
    written: (name, change = {}) => written(at(name), change),
    adapter: (name, b, columns = 256) => adapter(at(name), b, columns),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function written(path: string, change: Change): Promise<string> {
  const file = await TensorFile.open(header)
  const handle = await open(path, 'w')
  const matrix = ({ dims }: { dims: number[] }) => dims.length > 1
  try {
    const tensors = header.tensors
      .filter((tensor) => tensor.name !== change.drop)
      .map((source): Conversion => ({ ...source, type: matrix(source) ? (change.type ?? source.type) : source.type, source }))
    const data = async function* (tensor: Conversion) {
      const { through } = change
      if (through === undefined || !matrix(tensor)) return yield* convert(file, tensor, { threads: 1 })
      // the F16 copy of the value, as a model in F16 has it, rounded and stored as F16 again
      const half = await quantise(F16, await file.floats(tensor.source, 0, rowsOf(tensor)), tensor.dims[0]!)
      const values = await dequantise(F16, half, rowsOf(tensor) * tensor.dims[0]!)
      const type = tensor.dims[0]! % 256 === 0 ? through : Q8_0
      yield await quantise(F16, await dequantise(type, await quantise(type, values, tensor.dims[0]!), values.length), tensor.dims[0]!)
    }
    await writeGguf(handle, { metadata: new Map([...header.metadata, ...Object.entries(change.keys ?? {})]), tensors, data })
  } finally {
    await handle.close()
    await file.close()
  }
  return path
}

/** The keys of the starter's architecture again, under another name. */
export const asArchitecture = (name: string): Record<string, GgufValue> => ({
  ...Object.fromEntries([...header.metadata].map(([key, value]) => [key.replace(/^qwen2\./, `${name}.`), value])),
  'general.architecture': str(name),
})

/** A rank-2 adapter on one matrix; `b` fills the second factor. */
async function adapter(path: string, b: number, columns: number): Promise<string> {
  const tensors = [
    { name: 'blk.1.attn_q.weight.lora_a', dims: [columns, 2], type: F32 },
    { name: 'blk.1.attn_q.weight.lora_b', dims: [2, 256], type: F32 },
  ]
  const keys = { 'general.architecture': str('qwen2'), 'general.type': str('adapter'), 'adapter.type': str('lora'), 'adapter.lora.alpha': f32(2) }
  const handle = await open(path, 'w')
  const data = (tensor: (typeof tensors)[number]) => [
    new Uint8Array(new Float32Array(tensor.dims[0]! * tensor.dims[1]!).fill(tensor.name.endsWith('a') ? 0.05 : b).buffer),
  ]
  await writeGguf(handle, { metadata: new Map<string, GgufValue>(Object.entries(keys)), tensors, data })
  await handle.close()
  return path
}
