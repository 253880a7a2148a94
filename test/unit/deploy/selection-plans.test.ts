// Owns the tests of equation 9 among the backends of one computer: prediction first, experience where it clearly says otherwise.
import { describe, expect, it } from 'vitest'
import { choose } from '../../../app/deploy/choose.ts'
import type { HardwareProfile } from '../../../app/deploy/hardware.ts'
import { wattsOf } from '../../../app/deploy/selection/energy.ts'
import { blame, learn, nothingLearned, type Learned } from '../../../app/deploy/selection/learned.ts'
import { engineKey, inOrder, scorePlan, slowedBy } from '../../../app/deploy/selection/plans.ts'
import { rungsOf, worthLoading, type Placed } from '../../../app/host/placed.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const at = (name: string): HardwareProfile => profiles().find((one) => one.name === name)!.profile
const shape = exportedShape('qwen2-7b')
const now = new Date('2026-03-02T09:00:00Z')
const experience = (known: Record<string, Learned> = {}) => ({ model: 'm.gguf 1', learned: (key: string) => known[key] ?? null, now })
const profile = at('rtx-4060-8gb')
const { plan, others } = choose(profile, shape)
const plans = [plan!, ...others]
const cpu = plans.find(({ backend }) => backend === 'cpu')!

describe('the order of backends', () => {
  it('is that of the prediction without experience, on every machine of the test profiles', () => {
    for (const { profile: one } of profiles()) {
      const planning = choose(one, shape)
      if (!planning.plan) continue
      const all = [planning.plan, ...planning.others]
      expect(inOrder(one, shape, all, experience()).map(({ backend }) => backend)).toEqual(all.map(({ backend }) => backend))
    }
  })

  it('changes where a card was far slower than predicted, or kept failing', () => {
    expect(plan!.backend).toBe('cuda')
    const key = engineKey('m.gguf 1', plan!)
    let slow = nothingLearned(now)
    for (let n = 0; n < 6; n++) slow = learn(slow, { promptTokens: 400, firstMs: 60_000, tokensPerSecond: 0.5, slowedBy: 1 }, now)
    expect(inOrder(profile, shape, plans, experience({ [key]: slow }))[0]!.backend).not.toBe('cuda')
    let broken = nothingLearned(now)
    for (let n = 0; n < 4; n++) broken = blame(broken, now)
    const scored = scorePlan(profile, shape, plan!, experience({ [key]: broken }))
    expect(scored.score).toBeLessThan(scorePlan(profile, shape, plan!, experience()).score - 0.2)
    expect(inOrder(profile, shape, [plan!], experience())).toEqual([plan])
  })
})

describe('what is expected of a plan', () => {
  it('is slower while other programs compute, and its experience is kept by what decides it', () => {
    const busy = { ...profile, load: { busyCores: profile.cpu.physicalCores - 1 } }
    expect(slowedBy(profile, shape, cpu)).toBe(1)
    expect(slowedBy(busy, shape, cpu)).toBeGreaterThan(1)
    const [idle, loaded] = [scorePlan(profile, shape, cpu, experience()), scorePlan(busy, shape, cpu, experience())]
    expect(loaded.expected.firstMs).toBeGreaterThan(idle.expected.firstMs)
    expect(loaded.score).toBeLessThan(idle.score)
    expect(engineKey('m.gguf 1', plan!)).not.toBe(engineKey('m.gguf 1', cpu))
    expect(engineKey('other.gguf 1', plan!)).not.toBe(engineKey('m.gguf 1', plan!))
  })

  it('draws what such parts draw', () => {
    expect(wattsOf(profile, cpu)).toBe(cpu.threads * 9)
    const watts = wattsOf(profile, plan!)
    expect(watts).toBeGreaterThan(90)
    expect(watts).toBeLessThan(260)
  })
})

describe('in a quiet time', () => {
  const planning = choose(profile, shape)
  const rungs = rungsOf(profile, shape, planning, 4096, null, experience())
  const placed: Placed = { ...{ model: 'm.gguf 1', contextSize: 4096, shape, profile, planning, rungs, at: 0 }, madeAt: now.toISOString() }
  const none = () => false

  it('nothing is loaded while the plan is the best, and another backend once experience says so, if it has not failed', () => {
    expect(worthLoading(placed, profile, experience(), none)).toBe(null)
    const key = engineKey('m.gguf 1', rungs[0]!.plan)
    let slow = nothingLearned(now)
    for (let n = 0; n < 8; n++) slow = learn(slow, { promptTokens: 400, firstMs: 60_000, tokensPerSecond: 0.5, slowedBy: 1 }, now)
    const next = worthLoading(placed, profile, experience({ [key]: slow }), none)
    expect(next!.plan.backend).not.toBe(rungs[0]!.plan.backend)
    expect(worthLoading(placed, profile, experience({ [key]: slow }), (one) => one === next!.key)).toBe(null)
  })

  it('a better plan by prediction is left alone where experience denies it', () => {
    const cpuAt = rungs.findIndex(({ plan: one }) => one.backend === 'cpu')
    const onCpu = { ...placed, at: cpuAt }
    expect(worthLoading(onCpu, profile, experience(), none)!.plan.backend).toBe('cuda')
    let broken = nothingLearned(now)
    for (let n = 0; n < 8; n++) broken = learn(broken, { promptTokens: 400, firstMs: 60_000, tokensPerSecond: 0.5, slowedBy: 1 }, now)
    for (let n = 0; n < 4; n++) broken = blame(broken, now)
    const known = Object.fromEntries(plans.filter(({ backend }) => backend !== 'cpu').map((one) => [engineKey('m.gguf 1', one), broken]))
    expect(worthLoading(onCpu, profile, experience(known), none)).toBe(null)
  })
})
