// Owns what a plan that is already made costs under other facts: another question, another load, or what the machine has shown of its speed.
import type { ModelShape } from '../contract/shape.ts'
import { TYPICAL, type Question } from './affinity.ts'
import { WISH } from './choose.ts'
import type { HardwareProfile } from './hardware.ts'
import { predict, type Prediction } from './performance.ts'
import type { Plan } from './plan.ts'
import { build, modelOf, type Configuration, type Selection } from './problem.ts'
import { cpuProcessor, gpuProcessor } from './processors.ts'

/** What the search had chosen when it made `plan`, and the device of each layer. */
export function readPlan(profile: HardwareProfile, plan: Plan): { selection: Selection; configuration: Configuration; device: number[] } {
  const devices = plan.devices.slice(1).map(({ id }) => profile.devices.find((device) => device.id === id)!)
  const { contextSize, kvType, step, threads } = plan
  return {
    selection: { backend: plan.backend, devices },
    configuration: { contextSize, kvType, step, threads, stepSeconds: WISH.stepSeconds, margin: true },
    device: plan.devices.flatMap(({ embedding, blocks, output }, d) => Array<number>(Number(embedding) + blocks.count + Number(output)).fill(d)),
  }
}

/** The speed of `plan` on `profile` for `question`. The profile must still have the plan's devices. */
export function forecast(profile: HardwareProfile, shape: ModelShape, plan: Plan, question: Question = TYPICAL): Prediction {
  const { selection, configuration, device } = readPlan(profile, plan)
  return predict(build(profile, modelOf(shape), selection, configuration, question).matrix, device)
}

/** Of one answer, as the engine saw it. */
export interface Observed {
  /** Tokens of the prompt that were read, those kept from before left out, and the seconds until the first token of the answer. */
  readTokens: number
  readSeconds: number
  /** null when fewer than ENOUGH tokens were written. */
  tokensPerSecond: number | null
}
/** Fewer are over before the clock can tell. */
export const ENOUGH = 16
/** A model with less is all overhead: its speed says nothing of another model's. */
export const TELLING_BYTES = 100e6
/** Beyond this the model of the machine is wrong, not its numbers. */
const MOST = 16
const HALVINGS = 20
const ROUNDS = 3
type Calibration = NonNullable<HardwareProfile['calibration']>

/**
 * The calibration under which `plan` would have taken what it took: matrix rates scaled until the reading agrees, bandwidth until
 * the tokens a second do, in turn. `weight` 1 takes it as it is, less moves only so far (exponentially weighted, on a logarithmic scale). null where the
 * answer cannot tell: model too small, too few tokens, or layers on several devices.
 */
export function calibrate(profile: HardwareProfile, shape: ModelShape, plan: Plan, observed: Observed, weight: number): Calibration | null {
  const bytes = shape.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
  const { device } = readPlan(profile, plan)
  const on = device.at(-1)!
  if (bytes < TELLING_BYTES || device.slice(1).some((d) => d !== on)) return null
  const types = [...new Set(shape.tensors.map(({ type }) => type).filter((type) => type !== 'F32'))]
  const before = ratesNow(profile, plan, on, types)
  const under = (scale: { bandwidth: number; rate: number }): HardwareProfile => ({
    ...profile,
    calibration: scaled(profile, plan, on, before, scale),
  })
  let [bandwidth, rate] = [1, 1]
  const { tokensPerSecond, readTokens, readSeconds } = observed
  const question = { ...TYPICAL, promptTokens: readTokens }
  const read = readTokens >= ENOUGH && readSeconds > 0
  if (!read && tokensPerSecond === null) return null
  // either shows in both: a slow product holds up writing, a slow memory reading
  for (let round = 0; round < ROUNDS; round++) {
    if (read) rate = scaleFor((scale) => 1 / forecast(under({ bandwidth, rate: scale }), shape, plan, question).firstTokenSeconds, 1 / readSeconds)
    if (tokensPerSecond !== null)
      bandwidth = scaleFor((scale) => forecast(under({ bandwidth: scale, rate }), shape, plan).tokensPerSecond, tokensPerSecond)
  }
  return scaled(profile, plan, on, before, { bandwidth: bandwidth ** weight, rate: rate ** weight })
}

/** The scale at which the rising `speed` reaches `wanted`, between 1 / MOST and MOST. */
function scaleFor(speed: (scale: number) => number, wanted: number): number {
  let [low, high] = [-Math.log(MOST), Math.log(MOST)]
  for (let n = 0; n < HALVINGS; n++) {
    const middle = (low + high) / 2
    if (speed(Math.exp(middle)) < wanted) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}

interface Now {
  /** Of one thread of the CPU, or of the device. */
  rates: Record<string, number>
  bandwidth: { oneThread: number; all: number; device: number }
}

function ratesNow(profile: HardwareProfile, plan: Plan, on: number, types: readonly string[]): Now {
  const idle = { ...profile, load: { busyCores: 0 } }
  const processor =
    on === 0
      ? cpuProcessor(idle, 1, 'cpu')
      : gpuProcessor(
          idle,
          profile.devices.find(({ id }) => id === plan.devices[on]!.id)!,
        )
  const { bandwidthOneThread: oneThread = profile.cpu.bandwidth.oneThread, bandwidthAll: all = profile.cpu.bandwidth.all } = profile.calibration ?? {}
  return { rates: Object.fromEntries(types.map((type) => [type, processor.rate(type)])), bandwidth: { oneThread, all, device: processor.bandwidth } }
}

function scaled(profile: HardwareProfile, plan: Plan, on: number, { rates, bandwidth }: Now, by: { bandwidth: number; rate: number }): Calibration {
  const before = profile.calibration ?? { rates: {}, devices: {} }
  const faster = Object.fromEntries(Object.entries(rates).map(([type, rate]) => [type, rate * by.rate]))
  const cpu = on === 0 ? by.bandwidth : 1
  const devices =
    on === 0 ? before.devices : { ...before.devices, [plan.devices[on]!.id]: { bandwidth: bandwidth.device * by.bandwidth, rates: faster } }
  return {
    ...{ bandwidthOneThread: bandwidth.oneThread * cpu, bandwidthAll: bandwidth.all * cpu, devices },
    rates: on === 0 ? { ...before.rates, ...faster } : before.rates,
  }
}
