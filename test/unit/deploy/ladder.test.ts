// Owns the tests of the ladder and of learning from answers, over every profile: finite, different, within memory, and speeds that are met.
import { describe, expect, it } from 'vitest'
import { TYPICAL } from '../../../app/deploy/affinity.ts'
import { choose } from '../../../app/deploy/choose.ts'
import { calibrate, forecast } from '../../../app/deploy/forecast.ts'
import { ladder } from '../../../app/deploy/ladder.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const shapes = (['qwen2-7b', 'qwen2-0.5b'] as const).map((name) => ({ name, shape: exportedShape(name) }))
const cases = profiles().flatMap(({ name, profile }) => shapes.map((model) => ({ title: `${model.name} on ${name}`, profile, shape: model.shape })))

describe('the ladder', () => {
  it.each(cases)('of $title is short, never repeats a rung, fits memory and ends with the processor', ({ profile, shape }) => {
    const planning = choose(profile, shape)
    const rungs = ladder(profile, shape, planning)
    if (!planning.plan) return expect(rungs).toEqual([])
    expect(rungs[0]!.plan).toEqual(planning.plan)
    expect(rungs.length).toBeLessThanOrEqual(24)
    expect(new Set(rungs.map(({ key }) => key)).size).toBe(rungs.length)
    for (const { plan, what } of rungs) {
      for (const { memory, free } of plan.devices) expect(memory.total).toBeLessThanOrEqual(free * (1 + 1e-9))
      expect(what).toMatch(/^(the processor alone|\d+ of \d+ layers on .+ \((CUDA|Vulkan|Metal)\)), context of \d+ tokens( in 8 bits)?$/)
      expect(plan.threads).toBeGreaterThanOrEqual(1)
    }
    const alone = choose(profile, shape, { backends: ['cpu'] }).plan
    if (alone) expect(rungs.at(-1)!.plan.gpuLayers).toBe(0)
    // once the processor is reached there is no way back to a card
    const first = rungs.findIndex(({ plan }) => plan.gpuLayers === 0)
    if (first >= 0) expect(rungs.slice(first).every(({ plan }) => plan.gpuLayers === 0)).toBe(true)
  })
})

describe('what an answer teaches', () => {
  const at = (name: string) => profiles().find((one) => one.name === name)!.profile
  const shape = exportedShape('qwen2-7b')

  it.each([
    ['epyc-2-cores-measured', 0.6, 1.7],
    ['xeon-no-gpu', 2, 0.5],
    ['rtx-3060-12gb', 0.7, 1.4],
    ['apple-m2-16gb', 1.3, 0.8],
  ])('on %s is met by the next prediction', (name, bandwidth, rate) => {
    const idle = { ...at(name), load: { busyCores: 0 } }
    const { plan } = choose(idle, shape)
    // a machine whose real speed is another one than its profile says
    const now = forecast(idle, shape, plan!)
    const card = { bandwidth: 240e9 * bandwidth, rates: { Q8_0: 15e12 * rate } }
    const processor = { bandwidthOneThread: 15e9 * bandwidth, bandwidthAll: 40e9 * bandwidth, rates: { Q8_0: 60e9 * rate } }
    const truth = { ...processor, devices: Object.fromEntries(idle.devices.map(({ id }) => [id, card])) }
    const { tokensPerSecond, firstTokenSeconds: readSeconds } = forecast({ ...idle, calibration: truth }, shape, plan!)
    const real = { tokensPerSecond, readSeconds }
    const calibration = calibrate(idle, shape, plan!, { readTokens: TYPICAL.promptTokens, ...real }, 1)
    const then = forecast({ ...idle, calibration }, shape, plan!)
    expect(then.tokensPerSecond / real.tokensPerSecond).toBeCloseTo(1, 2)
    expect(then.firstTokenSeconds / real.readSeconds).toBeCloseTo(1, 2)
    // a part of the way in both directions, so that one disturbed answer does not count for all
    const part = forecast({ ...idle, calibration: calibrate(idle, shape, plan!, { readTokens: TYPICAL.promptTokens, ...real }, 0.3) }, shape, plan!)
    expect(part.tokensPerSecond).toBeGreaterThan(Math.min(now.tokensPerSecond, real.tokensPerSecond))
    expect(part.tokensPerSecond).toBeLessThan(Math.max(now.tokensPerSecond, real.tokensPerSecond))
  })

  it('is nothing where an answer cannot tell', () => {
    const profile = at('epyc-2-cores-measured')
    const { plan } = choose(profile, shape)
    expect(calibrate(profile, shape, plan!, { readTokens: 3, readSeconds: 1, tokensPerSecond: null }, 1)).toBeNull()
    const tiny = { ...shape, tensors: shape.tensors.map((tensor) => ({ ...tensor, bytes: tensor.bytes / 1000 })) }
    expect(calibrate(profile, tiny, plan!, { readTokens: 400, readSeconds: 1, tokensPerSecond: 5 }, 1)).toBeNull()
  })
})
