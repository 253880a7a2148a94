// Owns the prediction of how much memory a model takes when it runs on the CPU: weights, KV cache, compute buffer and the process around them.
import type { LoadOptions } from '../contract/engine.ts'
import type { ModelShape } from '../contract/shape.ts'

type KvType = LoadOptions['kvType']
export interface MemoryUse {
  contextSize: number
  /** Tokens evaluated at once; the logits of a whole batch have room. */
  batchSize: number
  kvType: KvType
  mmap: boolean
  /** Of adapter files beside the model. */
  adapterBytes?: number
}
/** All in bytes. `total` is what the engine process has resident, clean pages of a mapped file included. */
export interface MemoryPrediction {
  weights: number
  /** Weights that are resident twice: repacked for this processor, and still mapped from the file. */
  twice: number
  kv: number
  compute: number
  adapters: number
  process: number
  total: number
}
/** A head's row in bytes a value: F16, or blocks of 32 with a 2-byte scale. */
const KV_BYTES: Readonly<Record<KvType, number>> = { f16: 2, q8_0: 34 / 32 }
/** What llama.cpp rearranges on x86 with AVX2 (ggml-cpu/repack.cpp, v0.4.0); the embedding is only looked up and is left as it is. */
const REPACKED = new Set(['Q4_0', 'Q4_K', 'IQ4_NL'])
/** Measured: Node, its heap and llama.cpp's code take this much, the vocabulary of 152,000 tokens included. */
const PROCESS = 200e6
/** Beside the logits: activations of a batch, in units of its widest row. */
const ACTIVATION_ROWS = 4

/** KV cache of one token over all layers, in bytes: the sum of K and V of every KV head. */
export function kvBytesPerToken(shape: ModelShape, kvType: KvType): number {
  return shape.layers * shape.kvHeads * (shape.keyLength + shape.valueLength) * KV_BYTES[kvType]
}

export function predictMemory(shape: ModelShape, use: MemoryUse): MemoryPrediction {
  const weights = shape.tensors.reduce((sum, { bytes }) => sum + bytes, 0)
  const kv = kvBytesPerToken(shape, use.kvType) * use.contextSize
  const widest = Math.max(shape.feedForward, shape.embedding)
  const compute = use.batchSize * (shape.vocabulary + ACTIVATION_ROWS * widest) * 4
  const twice = use.mmap ? mappedTwice(shape) : 0
  const adapters = use.adapterBytes ?? 0
  return { weights, twice, kv, compute, adapters, process: PROCESS, total: weights + twice + kv + compute + adapters + PROCESS }
}

/**
 * llama.cpp unmaps the head and the tail of the file that it no longer needs. What it has repacked stays mapped as well where a tensor that
 * is used from the file lies behind it.
 */
function mappedTwice({ tensors }: ModelShape): number {
  const repacked = ({ type, name }: ModelShape['tensors'][number]) => REPACKED.has(type) && !name.startsWith('token_embd.')
  const last = tensors.findLastIndex((tensor) => !repacked(tensor))
  const first = tensors.findIndex((tensor) => !repacked(tensor))
  return tensors.slice(Math.max(0, first), Math.max(0, last)).reduce((sum, tensor) => sum + (repacked(tensor) ? tensor.bytes : 0), 0)
}
