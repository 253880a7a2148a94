// Owns the search for the plan: over devices, context, KV type and step, each placed by the exact solver; and what to give up where nothing fits.
import type { LoadOptions } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import type { ModelShape } from '../contract/shape.ts'
import { TYPICAL, type Question } from './affinity.ts'
import { solve } from './dp.ts'
import type { HardwareProfile } from './hardware.ts'
import { predictPlacement } from './memory.ts'
import { predict } from './performance.ts'
import type { Placement, Plan, PlannedDevice } from './plan.ts'
import { build, modelOf, selections, SMALLEST_STEP, usable, type Built, type Configuration, type Model, type Selection } from './problem.ts'
import { threadsFor } from './processors.ts'

export interface Wish {
  /** Tokens that the context should hold; less only where this does not fit. */
  contextSize: number
  question: Question
  kvTypes: readonly LoadOptions['kvType'][]
  steps: readonly number[]
  /** Longest step of reading a prompt; the engine makes them no longer than half of the 150 ms that a stop may take. */
  stepSeconds: number
  /** Only these backends; null for any. */
  backends: readonly Backend[] | null
  adapterBytes: number
}
export const WISH: Wish = {
  contextSize: 4096,
  question: TYPICAL,
  kvTypes: ['f16', 'q8_0'],
  steps: [8, 16, 32, 64, 128, 256, 512],
  stepSeconds: 0.075,
  backends: null,
  adapterBytes: 0,
}

/** What was given up, in this order of preference. */
export type Concession = 'context' | 'margin'
export interface Planning {
  /** null: too large for this computer as it is now. */
  plan: Plan | null
  conceded: readonly Concession[]
  /** The best plan of every other backend, best first: the next rungs when this one fails. */
  others: readonly Plan[]
  /** Where there is no plan. */
  shortage: Shortage | null
}
/** In bytes. */
export interface Shortage {
  /** What the model needs at the least, with the smallest context. */
  needs: number
  /** What may be used, graphics memory included. */
  has: number
  /** It would fit if no other program took memory. */
  fitsWhenAlone: boolean
  /** The largest model file that would fit. */
  largestFile: number
}

/** Below the one asked for; a question and its answer must still have room. */
const SMALLER_CONTEXTS = [3072, 2048, 1536, 1024]
/** 8 bits are a little less exact: they have to be worth it. */
const KV_HANDICAP: Readonly<Record<LoadOptions['kvType'], number>> = { f16: 1, q8_0: 1.02 }
/** With everything on a GPU the CPU only looks up the embedding and chooses tokens. */
const THREADS_BESIDE = 2

/** What the search makes least: seconds of the question, times the handicap. */
export const scoreOf = ({ predicted, kvType }: Plan): number => predicted.questionSeconds * KV_HANDICAP[kvType]

/**
 * The plan for `shape` on this machine. Pure and quick (milliseconds). Without a plan that keeps everything asked for, a smaller context is
 * tried, then the safety margin is given up; then `shortage` says what is missing.
 */
export function choose(profile: HardwareProfile, shape: ModelShape, wish: Partial<Wish> = {}): Planning {
  const asked = { ...WISH, ...wish }
  const model = modelOf(shape, asked.adapterBytes)
  const context = Math.min(asked.contextSize, shape.trainContextSize || Infinity)
  const least = asked.question.promptTokens + asked.question.answerTokens
  const smaller = SMALLER_CONTEXTS.filter((size) => size < context && size >= least)
  const rungs: { contexts: readonly number[]; margin: boolean; conceded: readonly Concession[] }[] = [
    { contexts: [context], margin: true, conceded: [] },
    ...smaller.map((size) => ({ contexts: [size], margin: true, conceded: ['context'] as const })),
    { contexts: [context], margin: false, conceded: ['margin'] },
    ...smaller.map((size) => ({ contexts: [size], margin: false, conceded: ['context', 'margin'] as const })),
  ]
  for (const { contexts, margin, conceded } of rungs) {
    const plans = selections(profile)
      .filter(({ backend }) => !asked.backends || asked.backends.includes(backend))
      .flatMap((selection) => bestOf(profile, model, selection, contexts[0]!, margin, asked) ?? [])
      .sort((a, b) => scoreOf(a) - scoreOf(b))
    const [plan] = plans
    if (plan) return { plan, conceded, others: bestPerBackend(plans).filter(({ backend }) => backend !== plan.backend), shortage: null }
  }
  return { plan: null, conceded: [], others: [], shortage: shortageOf(profile, model, Math.min(context, ...smaller)) }
}

const bestPerBackend = (sorted: readonly Plan[]) => sorted.filter(({ backend }, n) => sorted.findIndex((other) => other.backend === backend) === n)

function bestOf(profile: HardwareProfile, model: Model, selection: Selection, contextSize: number, margin: boolean, wish: Wish): Plan | null {
  const threads = threadsFor(profile)
  let best: { built: Built; placement: Placement; configuration: Configuration } | null = null
  let least = Infinity
  for (const kvType of wish.kvTypes)
    for (const step of wish.steps) {
      const configuration = { contextSize, kvType, step, threads, margin, stepSeconds: wish.stepSeconds }
      const built = build(profile, model, selection, configuration, wish.question)
      const placement = solve(built.problem)
      // the same on a GPU that is not used is the CPU's plan with a worse CPU
      if (!placement || (selection.backend !== 'cpu' && !placement.device.some((d) => d > 0))) continue
      if (placement.seconds * KV_HANDICAP[kvType] >= least) continue
      least = placement.seconds * KV_HANDICAP[kvType]
      best = { built, placement, configuration }
    }
  return best && planOf(profile, model, selection, best.configuration, best.built, best.placement)
}

/** The placement as the engine executes it. */
export function planOf(
  profile: HardwareProfile,
  { shape, layers }: Model,
  selection: Selection,
  configuration: Configuration,
  { matrix, use }: Built,
  { device }: Placement,
): Plan {
  const { kvType, contextSize, step } = configuration
  const count = layers.length
  const holds = [null, ...selection.devices].map((_, d) => layers.filter((_, layer) => device[layer] === d))
  const memory = predictPlacement(shape, use, holds, ['cpu', ...selection.devices.map(({ backend }) => backend)])
  const facts = [
    { id: 'cpu', name: profile.cpu.model, backend: 'cpu' as const, memoryFree: profile.cpu.memoryFree, unified: false },
    ...selection.devices,
  ]
  const devices = facts.map(({ id, name, backend, memoryFree, unified }, d): PlannedDevice => {
    const first = device.findIndex((on, layer) => on === d && layer > 0 && layer < count - 1)
    return {
      ...{ id, name, backend, memory: memory[d]!, free: memoryFree, usable: usable(memoryFree, configuration.margin), shared: unified },
      ...{ embedding: device[0] === d, output: device[count - 1] === d },
      blocks: { first: Math.max(0, first - 1), count: device.slice(1, -1).filter((on) => on === d).length },
    }
  })
  const gpuLayers = device.filter((d) => d > 0).length
  return {
    ...{ backend: selection.backend, devices, gpuLayers, contextSize, kvType, step, batchSize: use.batchSize, mmap: use.mmap },
    threads: gpuLayers === count - 1 ? Math.min(THREADS_BESIDE, configuration.threads) : configuration.threads,
    predicted: predict(matrix, device),
  }
}

/** Measured against the selection with the most room, with the smallest context and the shortest step. */
function shortageOf(profile: HardwareProfile, model: Model, contextSize: number): Shortage {
  const problems = (on: HardwareProfile) =>
    selections(on).map((selection) => {
      const configuration: Configuration = { contextSize, kvType: 'q8_0', step: SMALLEST_STEP, stepSeconds: Infinity, threads: 1, margin: true }
      return build(on, model, selection, configuration, TYPICAL).problem
    })
  const rooms = problems(profile).map(({ devices, bytes }) => ({
    needs: bytes.reduce((sum, row) => sum + row[0]!, 0) + devices.reduce((sum, { fixedBytes }) => sum + fixedBytes, 0),
    has: devices.reduce((sum, { capacity, shared }) => sum + (shared ? 0 : capacity), 0),
  }))
  const { needs, has } = rooms.reduce((a, b) => (b.has - b.needs > a.has - a.needs ? b : a))
  const alone: HardwareProfile = {
    ...profile,
    cpu: { ...profile.cpu, memoryFree: profile.cpu.memoryTotal },
    devices: profile.devices.map((device) => ({ ...device, memoryFree: device.memoryTotal })),
  }
  const file = model.shape.tensors.reduce((sum, { bytes }) => sum + bytes, 0)
  return { needs, has, fitsWhenAlone: problems(alone).some((problem) => solve(problem)), largestFile: Math.max(0, has - (needs - file)) }
}
