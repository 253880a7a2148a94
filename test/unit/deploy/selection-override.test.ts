// Owns the tests of a plan that a person chooses instead of Rushlight's own, and of the picture of every plan.
import { describe, expect, it } from 'vitest'
import { PlanPicture, type PlanOverride } from '../../../app/contract/hardware.ts'
import { choose } from '../../../app/deploy/choose.ts'
import type { HardwareProfile } from '../../../app/deploy/hardware.ts'
import { overridden } from '../../../app/deploy/selection/override.ts'
import { nothing, rungsOf, type Placed } from '../../../app/host/placed.ts'
import { pictureOf } from '../../../app/host/plan-picture.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const at = (name: string): HardwareProfile => profiles().find((one) => one.name === name)!.profile
const shape = exportedShape('qwen2-7b')
const experience = { model: 'm.gguf 1', learned: () => null, now: new Date('2026-03-02T09:00:00Z') }
const context = 4096

function placed(profile: HardwareProfile, wanted: PlanOverride | null = null): Placed | null {
  const planning = choose(profile, shape, { contextSize: context })
  if (!planning.plan) return null
  const rungs = rungsOf(profile, shape, planning, context, wanted, experience)
  return { model: 'm.gguf 1', contextSize: context, shape, profile, planning, rungs, at: 0, madeAt: experience.now.toISOString() }
}
function picture(one: Placed, override: PlanOverride | null = null, tried = nothing.tried, failed = (_: string) => false) {
  const { shape: own, profile, rungs } = one
  return PlanPicture.parse(pictureOf({ name: 'Model', placed: one, plan: rungs[0]!.plan, shape: own, profile, tried, override, experience, failed }))
}

describe('a plan of one’s own', () => {
  const card = at('rtx-3060-12gb')
  it('is made with the layers, the backend and the context that are wanted', () => {
    const rung = overridden(card, shape, { backend: 'cuda', gpuLayers: 10, contextSize: 2048 }, context)!
    expect(rung.plan).toMatchObject({ backend: 'cuda', gpuLayers: 10, contextSize: 2048 })
    expect(rung.what).toContain('10 of 29 layers on')
    expect(overridden(card, shape, { backend: 'cpu', gpuLayers: null, contextSize: null }, context)!.plan).toMatchObject({
      backend: 'cpu',
      gpuLayers: 0,
    })
    // more than there are is all of them, none is one: a card without a layer is the processor's plan
    expect(overridden(card, shape, { backend: 'cuda', gpuLayers: 9999, contextSize: null }, context)!.plan.gpuLayers).toBe(29)
    expect(overridden(card, shape, { backend: 'cuda', gpuLayers: 0, contextSize: null }, context)!.plan.gpuLayers).toBe(1)
  })

  it('is refused where it does not fit or there is no such device', () => {
    expect(overridden(at('gtx-1650-4gb'), shape, { backend: 'cuda', gpuLayers: 29, contextSize: null }, context)).toBe(null)
    expect(overridden(at('xeon-no-gpu'), shape, { backend: 'cuda', gpuLayers: null, contextSize: null }, context)).toBe(null)
  })

  it('is tried first, and Rushlight’s own follows it', () => {
    const wanted = { backend: 'cuda', gpuLayers: 12, contextSize: null } as const
    const own = placed(card)!.rungs
    const rungs = placed(card, wanted)!.rungs
    expect(rungs[0]!.plan.gpuLayers).toBe(12)
    expect(rungs[1]!.key).toBe(own[0]!.key)
    expect(new Set(rungs.map(({ key }) => key)).size).toBe(rungs.length)
    // what no longer fits is left out
    expect(placed(at('xeon-no-gpu'), wanted)!.rungs[0]!.plan.backend).toBe('cpu')
  })
})

describe('the picture', () => {
  it('shows every layer once and no device beyond its memory, on every machine of the test profiles', () => {
    for (const { name, profile } of profiles()) {
      const one = placed(profile)
      if (!one) continue
      const { devices, gpuLayers, layers, options, predicted } = picture(one)
      expect(
        devices.filter(({ embedding }) => embedding).map(({ id }) => id),
        name,
      ).toEqual(['cpu'])
      expect(devices.filter(({ output }) => output).length, name).toBe(1)
      expect(
        devices.reduce((sum, { blocks }) => sum + blocks.count, 0),
        name,
      ).toBe(layers)
      let next = 1
      for (const { blocks } of devices.filter(({ blocks: { count } }) => count > 0)) {
        expect(blocks.first, name).toBe(next)
        next += blocks.count
      }
      for (const { memory, usable, free, capacity, shared } of devices) {
        expect(free, name).toBeLessThanOrEqual(capacity)
        expect(usable, name).toBeLessThanOrEqual(free)
        const taken = memory.weights + memory.kv + memory.compute + memory.process
        if (!shared) expect(taken, name).toBeLessThanOrEqual(free * 1.001)
      }
      expect(options[0], name).toMatchObject({ state: 'in use', gpuLayers })
      expect(options.filter(({ state }) => state === 'in use').length, name).toBe(1)
      expect(predicted.wattHours, name).toBeGreaterThan(0)
    }
  })

  it('says what all layers on the card would need, what the others cost, and what was tried', () => {
    const full = picture(placed(at('rtx-4060-8gb-nearly-full'))!)
    expect(full.options.find(({ state }) => state === 'impossible')).toMatchObject({
      score: null,
      why: expect.stringMatching(/^It needs \d\.\d GB on the card; \d\.\d GB may be used\.$/) as string,
    })
    expect(full.options.find(({ backend, state }) => backend === 'cpu' && state === 'possible')!.why).toMatch(
      /^A typical question takes [\d.]+ s longer\.$/,
    )
    const one = placed(at('rtx-3060-12gb'))!
    const vulkan = one.planning.others.find(({ backend }) => backend !== 'cpu')
    const why = 'The graphics card cannot be used in this way here.'
    const left = picture({ ...one, rungs: one.rungs.slice(-1) }, null, [{ what: one.rungs[0]!.what, why }])
    expect(left.options).toContainEqual(expect.objectContaining({ state: 'failed', why, what: one.rungs[0]!.what }))
    if (vulkan)
      expect(picture(one, null, [], (key) => key.includes('vulkan')).options.find(({ backend }) => backend === 'vulkan')!.state).toBe('failed')
    const override = { backend: 'cpu', gpuLayers: null, contextSize: null } as const
    expect(picture(placed(at('rtx-3060-12gb'), override)!, override)).toMatchObject({ override, gpuLayers: 0 })
  })
})
