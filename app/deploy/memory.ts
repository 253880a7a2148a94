// Owns the prediction of how much memory a model takes, on the CPU or spread over devices: weights, KV cache, compute buffer and what surrounds them.
import type { LoadOptions } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import type { ModelShape } from '../contract/shape.ts'
import type { Layer } from './layers.ts'

type KvType = LoadOptions['kvType']
export interface MemoryUse {
  contextSize: number
  /** Tokens evaluated at once. */
  batchSize: number
  kvType: KvType
  mmap: boolean
  /** Of adapter files beside the model. */
  adapterBytes?: number
  /** llama.cpp rearranges weights for this processor: x86 with AVX2, ARM with dot products. Without a value it does. */
  repacks?: boolean
  /** The system gives back the parts of a mapped file that are no longer used; Windows keeps them. Without a value it does. */
  unmaps?: boolean
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
const REPACKED = new Set(['Q4_0', 'Q4_K', 'IQ4_NL'])
/** What llama.cpp rearranges on x86 with AVX2 (ggml-cpu/repack.cpp, v0.4.0); the embedding is only looked up and is left as it is. */
export const isRepacked = ({ name, type }: { name: string; type: string }): boolean => REPACKED.has(type) && !name.startsWith('token_embd.')
/** Measured (`npm run bench -- memory`): Node, its heap and llama.cpp's code, the vocabulary of 152,000 tokens included. */
const PROCESS = 188e6
/** Activations of a batch, in units of its widest row. */
const ACTIVATION_ROWS = 4

/**
 * Beside the model, bytes on the device: kernels, streams, work space. An allowance: none of these could be measured here, and each driver
 * takes its own.
 */
const ON_DEVICE: Readonly<Record<Backend, number>> = { cpu: 0, cuda: 250e6, vulkan: 100e6, metal: 50e6 }
/** The same in RAM: the libraries of the backend. An allowance as well. */
const IN_RAM: Readonly<Record<Backend, number>> = { cpu: 0, cuda: 200e6, vulkan: 100e6, metal: 0 }
/** llama.cpp has weights of the CPU multiplied on the GPU from so many tokens on (op_offload; ggml-cuda, ggml-vulkan and ggml-metal agree). */
export const STREAMED_FROM = 32

/** KV cache of one token over all layers, in bytes: the sum of K and V of every KV head. */
export function kvBytesPerToken(shape: ModelShape, kvType: KvType): number {
  return shape.layers * shape.kvHeads * (shape.keyLength + shape.valueLength) * KV_BYTES[kvType]
}
/** The same of one layer. */
export const kvBytesOf = (layer: Layer, kvType: KvType): number => layer.kvValues * KV_BYTES[kvType]

export function predictMemory(shape: ModelShape, use: MemoryUse): MemoryPrediction {
  const weights = shape.tensors.reduce((sum, { bytes }) => sum + bytes, 0)
  const kv = kvBytesPerToken(shape, use.kvType) * use.contextSize
  const compute = activations(shape, use)
  const twice = use.mmap ? mappedTwice(shape, use) : 0
  const adapters = use.adapterBytes ?? 0
  return { weights, twice, kv, compute, adapters, process: PROCESS, total: weights + twice + kv + compute + adapters + PROCESS }
}

/**
 * llama.cpp has room for the logits of every token of a batch, and fills those of the last one. On the CPU what is never touched is never
 * resident; a GPU's memory is taken when it is asked for.
 */
const logits = (shape: ModelShape, { batchSize }: MemoryUse, backend: Backend) => (backend === 'cpu' ? 1 : batchSize) * shape.vocabulary * 4
const activations = (shape: ModelShape, { batchSize }: MemoryUse) => batchSize * ACTIVATION_ROWS * Math.max(shape.feedForward, shape.embedding) * 4

export type Share = Omit<MemoryPrediction, 'twice' | 'total'>
/** What `layer` adds to the device that holds it, in bytes. The sum over a device's layers and deviceShare() is what the device needs. */
export function layerShare(layer: Layer, shape: ModelShape, use: MemoryUse, backend: Backend): Share {
  return {
    weights: layer.bytes + (backend === 'cpu' ? 0 : layer.copyOfEmbedding),
    kv: kvBytesOf(layer, use.kvType) * use.contextSize,
    compute: layer.name === 'output' ? logits(shape, use, backend) : 0,
    adapters: layer.kvValues > 0 ? (use.adapterBytes ?? 0) / shape.layers : 0,
    process: 0,
  }
}

/**
 * What a device needs as soon as it holds any layer; the CPU always needs it. `beside`: the backend that the engine process has loaded,
 * cpu for none. A GPU also gets room for the largest matrix of the CPU's blocks, which passes through it while a prompt is read.
 */
export function deviceShare(layers: readonly Layer[], shape: ModelShape, use: MemoryUse, backend: Backend, beside: Backend): Share {
  const largest = layers.reduce((most, layer) => (layer.kvValues > 0 ? Math.max(most, layer.largest) : most), 0)
  const passing = backend !== 'cpu' && use.batchSize >= STREAMED_FROM ? largest : 0
  const process = backend === 'cpu' ? PROCESS + IN_RAM[beside] : ON_DEVICE[backend]
  return { weights: 0, kv: 0, compute: activations(shape, use) + passing, adapters: 0, process }
}

export const totalOf = ({ weights, kv, compute, adapters, process }: Share): number => weights + kv + compute + adapters + process

/**
 * Memory of each device of a placement: `holds[i]` are the layers on device i, which `backends[i]` drives; the first is the CPU. Beside a
 * GPU the CPU's weights are not repacked (their buffers are the GPU's host buffers or the mapped file), so nothing is there twice; what lies
 * between the CPU's weights in a mapped file may stay resident, but as clean pages that the system drops for whoever needs the room.
 */
export function predictPlacement(
  shape: ModelShape,
  use: MemoryUse,
  holds: readonly (readonly Layer[])[],
  backends: readonly Backend[],
): MemoryPrediction[] {
  const all = holds.flat()
  const beside = backends.find((backend) => backend !== 'cpu') ?? 'cpu'
  return holds.map((layers, device) => {
    const backend = backends[device]!
    const empty = layers.length === 0 && backend !== 'cpu'
    const shares = empty ? [] : [deviceShare(all, shape, use, backend, beside), ...layers.map((layer) => layerShare(layer, shape, use, backend))]
    const sum = (key: keyof Share) => shares.reduce((total, share) => total + share[key], 0)
    const twice = beside === 'cpu' && use.mmap ? mappedTwice(shape, use) : 0
    const parts = { weights: sum('weights'), kv: sum('kv'), compute: sum('compute'), adapters: sum('adapters'), process: sum('process') }
    return { ...parts, twice, total: totalOf(parts) + twice }
  })
}

/**
 * llama.cpp unmaps the head and the tail of the file that it no longer needs. What it has repacked stays mapped as well where a tensor that
 * is used from the file lies behind it.
 */
function mappedTwice({ tensors }: ModelShape, { repacks = true, unmaps = true }: MemoryUse): number {
  if (!repacks) return 0
  const last = tensors.findLastIndex((tensor) => !isRepacked(tensor))
  const first = tensors.findIndex((tensor) => !isRepacked(tensor))
  const mapped = unmaps ? tensors.slice(Math.max(0, first), Math.max(0, last)) : tensors
  return mapped.reduce((sum, tensor) => sum + (isRepacked(tensor) ? tensor.bytes : 0), 0)
}
