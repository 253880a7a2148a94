// Owns the values of placement: the problem that both solvers get, the placement they give, and the plan that the engine executes.
import type { LoadOptions } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import type { MemoryPrediction } from './memory.ts'
import type { Prediction } from './performance.ts'

/**
 * Layers in a row (0 the embedding, the last the output) onto devices in a row (0 the CPU), so that the seconds of a question are least.
 * Executable means what llama.cpp can do: the embedding on the CPU, then never back to an earlier device, which gives each GPU a run of the
 * last layers.
 */
export interface PlacementProblem {
  devices: readonly {
    id: string
    /** Bytes it may hold; the safety margin is already taken off. */
    capacity: number
    /** Bytes as soon as it holds any layer; of the CPU always. */
    fixedBytes: number
    /** Its memory is RAM: what it holds also counts against the CPU's capacity. */
    shared: boolean
  }[]
  /** layer × device: bytes, seconds of the whole question, seconds of one step of the prompt. */
  bytes: readonly (readonly number[])[]
  seconds: readonly (readonly number[])[]
  step: readonly (readonly number[])[]
  /** device × device, each time that the next layer is on another one. */
  crossing: { seconds: readonly (readonly number[])[]; step: readonly (readonly number[])[] }
  /** Most seconds of a step, so that a stop is honoured in time; Infinity where it cannot be shorter. */
  stepLimit: number
  /**
   * Several GPUs in one engine: free bytes of each. llama.cpp divides the last n layers in proportion to them and node-llama-cpp 3.21.1
   * passes only n on, so n is all that can be chosen. null: any division (one GPU, or a runtime that takes a tensor split).
   */
  split: readonly number[] | null
}

/** `device[layer]`; bytes by device, with what it takes itself, and of the CPU with what shared devices take. */
export interface Placement {
  device: readonly number[]
  seconds: number
  step: number
  bytes: readonly number[]
}

/** Sums taken in another order differ in their last digits; a limit that is met exactly must not break on them. */
const ROUNDING = 1 + 1e-9

/** What a placement costs, or null when it breaks a limit of `problem`. Every solver's answer can be checked with it. */
export function evaluate(problem: PlacementProblem, device: readonly number[]): Placement | null {
  const { devices, crossing } = problem
  const bytes = devices.map(({ fixedBytes }, d) => (d === 0 || device.includes(d) ? fixedBytes : 0))
  let [seconds, step] = [0, 0]
  for (const [layer, d] of device.entries()) {
    bytes[d]! += problem.bytes[layer]![d]!
    seconds += problem.seconds[layer]![d]!
    step += problem.step[layer]![d]!
    const before = layer === 0 ? d : device[layer - 1]!
    seconds += crossing.seconds[before]![d]!
    step += crossing.step[before]![d]!
  }
  for (const [d, { shared }] of devices.entries()) if (shared) bytes[0]! += bytes[d]!
  if (step > problem.stepLimit * ROUNDING || devices.some(({ capacity }, d) => bytes[d]! > capacity * ROUNDING)) return null
  return { device, seconds, step, bytes }
}

/**
 * Where llama.cpp puts `layers` layers (embedding and output included) when told to offload `count`, the output being one of them, to GPUs
 * with so much free memory: 32-bit floats and upper bound as in load_tensors() of llama-model.cpp, v0.4.0.
 */
export function divided(layers: number, count: number, free: readonly number[]): number[] {
  let sum = 0
  const sums = free.map((bytes) => (sum = Math.fround(sum + Math.fround(bytes))))
  const ends = sums.map((upTo) => Math.fround(upTo / sum))
  const first = layers - count
  return Array.from({ length: layers }, (_, layer) => {
    if (layer < first || layer === 0) return 0
    const at = Math.fround((layer - first) / count)
    return 1 + Math.min(ends.filter((end) => end <= at).length, free.length - 1)
  })
}

export interface PlannedDevice {
  id: string
  name: string
  backend: Backend
  embedding: boolean
  /** First block and number of blocks. */
  blocks: { first: number; count: number }
  output: boolean
  memory: MemoryPrediction
  /** Bytes free before loading, and how many of them a plan may use. */
  free: number
  usable: number
  /** Its memory is a part of RAM, whose own figures stand with the CPU. */
  shared: boolean
}
/** Everything that the engine needs to load a model, and what comes of it. */
export interface Plan {
  backend: Backend
  /** The CPU first, then those that the engine may see, in order. */
  devices: readonly PlannedDevice[]
  /** As llama.cpp counts: the output and the blocks before it. 0: all on the CPU. */
  gpuLayers: number
  contextSize: number
  kvType: LoadOptions['kvType']
  /** Prompt tokens read at once. */
  batchSize: number
  step: number
  threads: number
  mmap: boolean
  predicted: Prediction
}
