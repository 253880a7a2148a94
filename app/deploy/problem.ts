// Owns the step from a machine and a model to a placement problem: limits, margins, and what each layer weighs and costs on each device.
import type { LoadOptions } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import type { ModelShape } from '../contract/shape.ts'
import { affinity, type Affinity, type Question } from './affinity.ts'
import type { Device, HardwareProfile } from './hardware.ts'
import { layersOf, type Layer } from './layers.ts'
import { deviceShare, layerShare, predictMemory, totalOf, type MemoryUse } from './memory.ts'
import { ofQuestion } from './performance.ts'
import type { PlacementProblem } from './plan.ts'
import { cpuProcessor, gpuProcessor, repacks } from './processors.ts'

/** The devices that one engine process sees. */
export interface Selection {
  backend: Backend
  /** In the order of the profile; none for the CPU alone. */
  devices: readonly Device[]
}
/** What the solver does not choose: the search tries each. */
export interface Configuration {
  contextSize: number
  kvType: LoadOptions['kvType']
  /** Prompt tokens read at once. */
  step: number
  /** Longest step, so that a stop takes effect in time; the shortest step is exempt. */
  stepSeconds: number
  threads: number
  /** false: uses all that is free. */
  margin: boolean
}
export interface Built {
  problem: PlacementProblem
  matrix: Affinity
  use: MemoryUse
}

/** A load accepts no smaller batch. */
const SMALLEST_BATCH = 32
/** The engine reads at least so many tokens at once, however slow the machine. */
export const SMALLEST_STEP = 8
/** Kept free for what programs do while a model is loaded: a tenth of what is free, at least this many bytes. */
const MARGIN = { share: 0.1, least: 300e6 }
/** Weights that stay in memory twice are put up with below this share of the file; above it the file is read instead of mapped. */
const TWICE = 0.05

/** Bytes of `free` that a plan may use. More free memory never gives less. */
export const usable = (free: number, margin = true): number => Math.max(0, margin ? free - Math.max(MARGIN.share * free, MARGIN.least) : free)

/**
 * The selections that llama.cpp can be started with: the CPU; of each backend every card alone (the engine process sees only those named to
 * its driver) and all cards together. Integrated devices take part only where a backend has no card, as llama.cpp has it.
 */
export function selections({ devices }: HardwareProfile): Selection[] {
  const found: Selection[] = [{ backend: 'cpu', devices: [] }]
  for (const backend of new Set(devices.map((device) => device.backend))) {
    const mine = devices.filter((device) => device.backend === backend)
    const cards = mine.filter(({ integrated }) => !integrated)
    const seen = cards.length > 0 ? cards : mine
    found.push(...seen.map((device) => ({ backend, devices: [device] })))
    if (seen.length > 1) found.push({ backend, devices: seen })
  }
  return found
}

export interface Model {
  shape: ModelShape
  layers: readonly Layer[]
  adapterBytes: number
}
export const modelOf = (shape: ModelShape, adapterBytes = 0): Model => ({ shape, layers: layersOf(shape), adapterBytes })

/** How memory is used under `configuration` on this machine, and whether the file is mapped. */
export function memoryUse(profile: HardwareProfile, { shape, adapterBytes }: Model, selection: Selection, configuration: Configuration): MemoryUse {
  const { contextSize, kvType, step } = configuration
  const use = {
    ...{ contextSize, kvType, adapterBytes, batchSize: Math.max(SMALLEST_BATCH, step), mmap: true },
    ...{ repacks: repacks(profile), unmaps: profile.os.platform !== 'win32' },
  }
  if (selection.backend !== 'cpu') return { ...use, mmap: use.unmaps }
  const { twice, weights } = predictMemory(shape, use)
  return { ...use, mmap: twice <= TWICE * weights }
}

/** `freely`: let cards be divided in any way, which only a runtime that takes a tensor split could do. */
export function build(
  profile: HardwareProfile,
  model: Model,
  selection: Selection,
  configuration: Configuration,
  question: Question,
  freely = false,
): Built {
  const { shape, layers } = model
  const { step, kvType, threads, margin, stepSeconds } = configuration
  const use = memoryUse(profile, model, selection, configuration)
  const backends: Backend[] = ['cpu', ...selection.devices.map(({ backend }) => backend)]
  const processors = [cpuProcessor(profile, threads, selection.backend), ...selection.devices.map((device) => gpuProcessor(profile, device))]
  const matrix = affinity(shape, layers, processors, { step, kvType, question })
  const fixed = backends.map((backend) => totalOf(deviceShare(layers, shape, use, backend, selection.backend)))
  const twice = selection.backend === 'cpu' ? predictMemory(shape, use).twice : 0
  const problem: PlacementProblem = {
    devices: [
      { id: 'cpu', capacity: usable(profile.cpu.memoryFree, margin), fixedBytes: fixed[0]! + twice, shared: false },
      ...selection.devices.map(({ id, memoryFree, unified }, d) => ({
        ...{ id, capacity: usable(memoryFree, margin), fixedBytes: fixed[d + 1]!, shared: unified },
      })),
    ],
    bytes: layers.map((layer) => backends.map((backend) => totalOf(layerShare(layer, shape, use, backend)))),
    seconds: ofQuestion(matrix.prefill, matrix.decode, question.answerTokens),
    step: matrix.step,
    crossing: {
      seconds: ofQuestion(matrix.crossing.prefill, matrix.crossing.decode, question.answerTokens),
      step: matrix.crossing.step,
    },
    stepLimit: step > SMALLEST_STEP ? stepSeconds : Infinity,
    split: selection.devices.length > 1 && !freely ? selection.devices.map(({ memoryFree }) => memoryFree) : null,
  }
  return { problem, matrix, use }
}
