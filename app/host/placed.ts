// Owns a placement in execution as a value: the rungs in their order, which of them runs, and what a failure of one means for the others.
import type { PlanStatus } from '../contract/entities.ts'
import type { Code } from '../contract/errors.ts'
import type { PlanOverride } from '../contract/hardware.ts'
import type { ModelShape } from '../contract/shape.ts'
import { better } from '../deploy/balance.ts'
import type { Planning } from '../deploy/choose.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { ladder, type Rung } from '../deploy/ladder.ts'
import type { Plan } from '../deploy/plan.ts'
import { overridden } from '../deploy/selection/override.ts'
import { inOrder, knownWorse, type Experience } from '../deploy/selection/plans.ts'

export interface Placed {
  /** The file by name and size. */
  model: string
  contextSize: number
  shape: ModelShape
  /** As it was when the plan was made; its calibration is kept up to date. */
  profile: HardwareProfile
  planning: Planning
  rungs: readonly Rung[]
  at: number
  madeAt: string
}
/** Under which a failure is remembered. */
export const keyOf = ({ model }: Placed, key: string): string => `${model} | ${key}`.slice(0, 500)
export const nothing: PlanStatus = { doing: '', what: '', reasons: [], tried: [], adapted: '', predicted: null, measured: null }

/** What another plan may change; anything else is wrong with the file itself, and no plan helps. */
const CAN_HELP: ReadonlySet<Code> = new Set([
  ...(['GPU_MEMORY', 'GPU_UNAVAILABLE', 'MODEL_TOO_LARGE', 'MODEL_LOAD_FAILED'] as const),
  ...(['ENGINE_FAILED', 'ENGINE_LOST', 'ENGINE_TIMEOUT', 'INTERNAL'] as const),
])
/** On the processor a file that is refused is refused in any context, but for a context in 8 bits. */
export const canHelp = (code: Code, { gpuLayers, kvType }: Plan): boolean =>
  CAN_HELP.has(code) && (code !== 'MODEL_LOAD_FAILED' || gpuLayers > 0 || kvType === 'q8_0')
/** Memory that other programs have now they may give back: not remembered. */
export const PASSING: ReadonlySet<Code> = new Set(['GPU_MEMORY', 'MODEL_TOO_LARGE'])

/**
 * What is tried, in order: the user's own wish where it fits, then the backends as prediction and experience rank them, each with its way down.
 * `planning` must have a plan.
 */
export function rungsOf(
  profile: HardwareProfile,
  shape: ModelShape,
  planning: Planning,
  contextSize: number,
  wanted: PlanOverride | null,
  experience: Experience,
): Rung[] {
  const [plan, ...others] = inOrder(profile, shape, [planning.plan!, ...planning.others], experience)
  const all = ladder(profile, shape, { ...planning, plan: plan!, others }, { contextSize })
  const own = wanted && overridden(profile, shape, wanted, contextSize)
  return own ? [own, ...all.filter(({ key }) => key !== own.key)] : all
}

/**
 * The rung that is now worth a load, or null: a better plan by prediction, which experience does not deny; else another backend that experience puts
 * before the one in use. `now`: the facts with the model loaded. `refused`: keys of rungs that are not to be tried.
 */
export function worthLoading(
  { shape, contextSize, rungs, at, planning }: Placed,
  now: HardwareProfile,
  experience: Experience,
  refused: (key: string) => boolean,
): Rung | null {
  const rung = rungs[at]!
  const found = better(now, shape, rung.plan, { contextSize }, refused)
  if (found && found.key !== rung.key && !knownWorse(now, shape, found.plan, rung.plan, experience)) return found
  const there = ({ devices }: Plan) => devices.slice(1).every(({ id }) => now.devices.some((device) => device.id === id))
  // those that a load would weigh: what it would choose is what counts
  const plans = [planning.plan!, ...planning.others].filter(there)
  if (!there(rung.plan) || !plans.includes(rung.plan)) return null
  const [first] = inOrder(now, shape, [rung.plan, ...plans.filter((plan) => plan !== rung.plan)], experience)
  const next = first === rung.plan ? undefined : rungs.find(({ plan, key }) => plan === first && !refused(key))
  return next ?? null
}
