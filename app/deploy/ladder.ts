// Owns the ladder: what is tried, in which order, when a plan that should have worked does not. Finite, and it ends with the processor alone.
import type { ModelShape } from '../contract/shape.ts'
import { choose, planOf, WISH, type Planning, type Wish } from './choose.ts'
import { readPlan } from './forecast.ts'
import type { HardwareProfile } from './hardware.ts'
import { divided, evaluate, type Plan } from './plan.ts'
import { build, modelOf } from './problem.ts'
import { threadsFor } from './processors.ts'

export interface Rung {
  plan: Plan
  /** For a person: "25 of 29 layers on RTX 3060 (CUDA)". */
  what: string
  /** What decides whether it works on this machine, model apart: cards and drivers, layers, context. */
  key: string
}

/** Of the layers that the plan puts on cards. */
const FEWER = [0.75, 0.5, 0.25]
/** Of the context, once half of the layers have failed too. */
const SMALLEST_CONTEXT = 1024
const NAMES = { cpu: 'processor', cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' } as const

/**
 * The plan first, then of the same backend: a context of 16 bits where it had 8, fewer layers, fewer layers with a smaller context; then each
 * other backend in the same way; at last the processor, with smaller and smaller contexts. No two are the same.
 */
export function ladder(profile: HardwareProfile, shape: ModelShape, planning: Planning, asked: Partial<Wish> = {}): Rung[] {
  const { plan, others } = planning
  if (!plan) return []
  const wish = { ...WISH, ...asked }
  const cards = [plan, ...others].filter(({ gpuLayers }) => gpuLayers > 0)
  const cpu = [plan, ...others].find(({ gpuLayers }) => gpuLayers === 0) ?? choose(profile, shape, { ...wish, backends: ['cpu'] }).plan
  const plans = [...cards.flatMap((first) => cardRungs(profile, shape, first, wish)), ...(cpu ? cpuRungs(profile, shape, cpu, wish) : [])]
  const rungs = (plan.gpuLayers === 0 ? plans.filter(({ gpuLayers }) => gpuLayers === 0) : plans).map((one) => rungOf(profile, one))
  return rungs.filter(({ key }, n) => rungs.findIndex((other) => other.key === key) === n)
}

function cardRungs(profile: HardwareProfile, shape: ModelShape, first: Plan, wish: Wish): Plan[] {
  const exact = first.kvType === 'q8_0' ? [choose(profile, shape, { ...wish, kvTypes: ['f16'], backends: [first.backend] }).plan] : []
  const fewer = FEWER.map((share) => changed(profile, shape, first, { gpuLayers: Math.max(1, Math.floor(first.gpuLayers * share)) }))
  const half = { gpuLayers: Math.max(1, Math.floor(first.gpuLayers / 2)), contextSize: Math.max(SMALLEST_CONTEXT, Math.floor(first.contextSize / 2)) }
  const smaller = half.contextSize < first.contextSize ? [changed(profile, shape, first, half)] : []
  return [first, ...exact, ...fewer, ...smaller].filter((one) => one !== null)
}

function cpuRungs(profile: HardwareProfile, shape: ModelShape, first: Plan, wish: Wish): Plan[] {
  const exact = first.kvType === 'q8_0' ? [choose(profile, shape, { ...wish, kvTypes: ['f16'], backends: ['cpu'] }).plan] : []
  const contexts: number[] = []
  for (let size = Math.floor(first.contextSize / 2); size >= SMALLEST_CONTEXT; size = Math.floor(size / 2)) contexts.push(size)
  const smaller = contexts.map((contextSize) => changed(profile, shape, first, { contextSize }))
  return [first, ...exact, ...smaller].filter((one) => one !== null)
}

/** `plan` with fewer layers on its cards or a smaller context; null where the rest does not fit into RAM. */
export function changed(profile: HardwareProfile, shape: ModelShape, plan: Plan, change: { gpuLayers?: number; contextSize?: number }): Plan | null {
  const model = modelOf(shape)
  const { selection, configuration } = readPlan(profile, plan)
  const other = { ...configuration, threads: threadsFor(profile), contextSize: change.contextSize ?? plan.contextSize, margin: false }
  const free = selection.devices.map(({ memoryFree }) => memoryFree)
  const layers = model.layers.length
  const gpuLayers = change.gpuLayers ?? plan.gpuLayers
  const device = gpuLayers === 0 ? Array<number>(layers).fill(0) : divided(layers, gpuLayers, free)
  const built = build(profile, model, selection, other, WISH.question)
  const placed = evaluate({ ...built.problem, stepLimit: Infinity }, device)
  return placed && planOf(profile, model, selection, other, built, placed)
}

export function rungOf(profile: HardwareProfile, plan: Plan): Rung {
  const { backend, gpuLayers, contextSize, kvType, devices } = plan
  const used = devices.slice(1).filter(({ blocks, output }) => blocks.count > 0 || output)
  const layers = devices.reduce((sum, { blocks }) => sum + blocks.count, 0) + 1
  const drivers = devices.slice(1).map(({ id, name }) => `${id} ${name} ${profile.devices.find((device) => device.id === id)?.driver ?? ''}`.trim())
  const where =
    gpuLayers === 0 ? 'the processor alone' : `${gpuLayers} of ${layers} layers on ${used.map(({ name }) => name).join(' and ')} (${NAMES[backend]})`
  return {
    plan,
    what: `${where}, context of ${contextSize} tokens${kvType === 'q8_0' ? ' in 8 bits' : ''}`,
    key: [backend, ...drivers, `layers ${gpuLayers}`, `context ${contextSize}`, kvType].join(' | '),
  }
}
