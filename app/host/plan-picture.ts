// Owns the plan as the page draws it: strip, memory, alternatives and what each would cost. Pure: values in, a value out.
import type { PlanStatus } from '../contract/entities.ts'
import type { PlanOption, PlanOverride, PlanPicture } from '../contract/hardware.ts'
import type { ModelShape } from '../contract/shape.ts'
import { TYPICAL } from '../deploy/affinity.ts'
import { readPlan } from '../deploy/forecast.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { rungOf } from '../deploy/ladder.ts'
import type { Plan } from '../deploy/plan.ts'
import { build, modelOf } from '../deploy/problem.ts'
import { overridden } from '../deploy/selection/override.ts'
import { scorePlan, type Experience } from '../deploy/selection/plans.ts'
import { keyOf, type Placed } from './placed.ts'

interface Parts {
  name: string
  placed: Placed
  plan: Plan
  shape: ModelShape
  profile: HardwareProfile
  tried: PlanStatus['tried']
  override: PlanOverride | null
  experience: Experience
  /** By the key of a rung together with its model. */
  failed: (key: string) => boolean
}

export function pictureOf(parts: Parts): PlanPicture {
  const { name, placed, plan, shape, profile, override, experience } = parts
  const { expected, wattHours } = scorePlan(profile, shape, plan, experience)
  return {
    ...{ model: name, layers: shape.layers, gpuLayers: plan.gpuLayers, contextSize: plan.contextSize, kvType: plan.kvType, threads: plan.threads },
    madeAt: placed.madeAt,
    devices: devicesOf(parts),
    predicted: { firstTokenMs: expected.firstMs, tokensPerSecond: expected.tokensPerSecond, wattHours },
    options: optionsOf(parts),
    override,
  }
}

function devicesOf({ plan, shape, profile }: Parts): PlanPicture['devices'] {
  const { selection, configuration, device } = readPlan(profile, plan)
  const { decode } = build(profile, modelOf(shape), selection, configuration, TYPICAL).matrix
  return plan.devices.flatMap(({ id, name, backend, embedding, output, blocks, memory, free, usable, shared }, d) => {
    const holds = embedding || output || blocks.count > 0
    if (!holds && d > 0) return []
    const tokenMs = device.reduce((sum, on, layer) => sum + (on === d ? decode[layer]![d]! : 0), 0) * 1000
    const capacity = d === 0 ? profile.cpu.memoryTotal : (profile.devices.find((one) => one.id === id)?.memoryTotal ?? free)
    const { weights, twice, adapters, kv, compute, process } = memory
    return [
      {
        ...{ id, name, backend, embedding, output, tokenMs, capacity, free, usable, shared },
        blocks: { first: blocks.first + 1, count: blocks.count },
        memory: { weights: weights + twice + adapters, kv, compute, process },
      },
    ]
  })
}

const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
const seconds = (time: number) => `${time.toFixed(time < 10 ? 1 : 0)} s`

/** The plan in use, all layers on its cards where they are not, the best of each other backend, and what was tried and left. */
function optionsOf({ plan, shape, profile, placed, tried, experience, failed }: Parts): PlanOption[] {
  const current = scorePlan(profile, shape, plan, experience)
  const option = (one: Plan, state: PlanOption['state'], why: string): PlanOption => {
    const { expected, score } = one === plan ? current : scorePlan(profile, shape, one, experience)
    const { backend, gpuLayers, contextSize } = one
    return {
      ...{ what: rungOf(profile, one).what, backend, gpuLayers, contextSize, state, why },
      ...{ firstTokenMs: expected.firstMs, tokensPerSecond: expected.tokensPerSecond, score: state === 'impossible' ? null : score },
    }
  }
  const others = [placed.planning.plan!, ...placed.planning.others].filter(
    ({ backend, gpuLayers }) => backend !== plan.backend || gpuLayers !== plan.gpuLayers,
  )
  const possible = others.map((one) => {
    const { what, key } = rungOf(placed.profile, one)
    const left = tried.find((rung) => rung.what === what)
    if (left || failed(keyOf(placed, key))) return option(one, 'failed', left?.why ?? 'It has failed on this computer before.')
    const longer = questionSeconds(scorePlan(profile, shape, one, experience).expected) - questionSeconds(current.expected)
    return option(one, 'possible', longer > 0 ? `A typical question takes ${seconds(longer)} longer.` : 'About as fast; it scores less.')
  })
  const whole = wholeOf(placed, plan)
  const rest = tried.filter(({ what }) => !possible.some((one) => one.what === what) && !what.startsWith('the processor'))
  const { backend, contextSize } = plan
  return [
    option(plan, 'in use', ''),
    ...(whole ? [option(whole.plan, 'impossible', whole.why)] : []),
    ...possible,
    // what is known of these is that they were left
    ...rest.map(({ what, why }): PlanOption => ({
      ...{ what, why, backend, contextSize },
      ...{ gpuLayers: 0, firstTokenMs: null, tokensPerSecond: null, score: null, state: 'failed' },
    })),
  ]
}

const questionSeconds = ({ firstMs, tokensPerSecond }: { firstMs: number; tokensPerSecond: number }) =>
  firstMs / 1000 + TYPICAL.answerTokens / tokensPerSecond

/** All layers on the cards of `plan`, as if they had room for them, and what that would need; null where all are there. */
function wholeOf({ profile, shape, contextSize }: Placed, plan: Plan): { plan: Plan; why: string } | null {
  const layers = shape.layers + 1
  const cards = profile.devices.filter(({ backend }) => backend === plan.backend)
  if (plan.gpuLayers === 0 || plan.gpuLayers >= layers || cards.length === 0) return null
  const roomy = { ...profile, devices: profile.devices.map((device) => ({ ...device, memoryTotal: 1e13, memoryFree: 1e13 })) }
  const made = overridden(roomy, shape, { backend: plan.backend, gpuLayers: layers, contextSize }, contextSize)?.plan
  if (!made) return null
  const needs = made.devices.slice(1).reduce((sum, { memory }) => sum + memory.total, 0)
  const has = plan.devices.slice(1).reduce((sum, { usable }) => sum + usable, 0)
  return needs > has ? { plan: made, why: `It needs ${gb(needs)} on the card; ${gb(has)} may be used.` } : null
}
