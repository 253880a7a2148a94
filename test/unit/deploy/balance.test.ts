// Owns the tests of what changes between answers: threads by load and battery, and a new plan only where it is worth a load.
import { describe, expect, it } from 'vitest'
import { better, mostThreads, threadsNow } from '../../../app/deploy/balance.ts'
import { choose } from '../../../app/deploy/choose.ts'
import type { HardwareProfile } from '../../../app/deploy/hardware.ts'
import { ladder } from '../../../app/deploy/ladder.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const at = (name: string): HardwareProfile => profiles().find((one) => one.name === name)!.profile
const shape = exportedShape('qwen2-7b')
const none = () => false

describe('threads', () => {
  const idle: HardwareProfile = { ...at('xeon-no-gpu'), load: { busyCores: 0 }, power: { battery: false, percent: null } }
  it('are those of an idle computer on mains, without a word', () => {
    const most = mostThreads(idle)
    expect(most).toBe(idle.cpu.physicalCores - 1)
    expect(threadsNow(idle, most)).toEqual({ threads: most, why: '' })
    // never more than were loaded
    expect(threadsNow(idle, 2)).toEqual({ threads: 2, why: '' })
  })

  it('give way to other programs, down to one, and say so', () => {
    const most = mostThreads(idle)
    const busy = { ...idle, load: { busyCores: 3.2 } }
    expect(mostThreads(busy)).toBe(most)
    const { threads, why } = threadsNow(busy, most)
    expect(threads).toBe(Math.floor(idle.cpu.physicalCores - 3.2))
    expect(why).toBe(`The next answer uses ${threads} of ${most} threads: other programs keep 3.2 cores busy.`)
    expect(threadsNow({ ...idle, load: { busyCores: 99 } }, most).threads).toBe(1)
  })

  it('are half on battery', () => {
    const most = mostThreads(idle)
    const { threads, why } = threadsNow({ ...idle, power: { battery: true, percent: 40 } }, most)
    expect(threads).toBe(Math.ceil(most / 2))
    expect(why).toContain('on battery half of the cores rest')
  })
})

describe('a new plan', () => {
  it('is not made while nothing has changed: what the model holds itself is not missing', () => {
    for (const { name, profile } of profiles()) {
      const { plan } = choose(profile, shape)
      if (!plan) continue
      const used = (id: string) => plan.devices.find((device) => device.id === id)?.memory.total ?? 0
      const loaded: HardwareProfile = {
        ...profile,
        cpu: {
          ...profile.cpu,
          memoryFree: Math.max(0, profile.cpu.memoryFree - (plan.mmap ? used('cpu') - plan.devices[0]!.memory.weights : used('cpu'))),
        },
        devices: profile.devices.map((device) => ({ ...device, memoryFree: device.memoryFree - used(device.id) })),
      }
      expect({ name, better: better(loaded, shape, plan, {}, none)?.what ?? null }).toEqual({ name, better: null })
    }
  })

  it('is made when a card was found or its memory has come back, unless it has failed before', () => {
    const profile = at('rtx-4060-8gb')
    const alone = choose(profile, shape, { backends: ['cpu'] }).plan!
    const found = better(profile, shape, alone, {}, none)!
    expect(found.what).toMatch(/^29 of 29 layers on .*4060/)
    const keys = ladder(profile, shape, choose(profile, shape)).map(({ key }) => key)
    expect(better(profile, shape, alone, {}, (key) => keys.includes(key))).toBeNull()
  })

  it('gives a context back that there was no room for', () => {
    const profile = at('xeon-no-gpu')
    const cramped = choose(profile, shape, { contextSize: 1024 }).plan!
    expect(better(profile, shape, cramped, {}, none)!.plan.contextSize).toBe(4096)
  })

  it('is not made on facts that lack the card in use', () => {
    const profile = at('rtx-3060-12gb')
    const { plan } = choose(profile, shape)
    expect(better({ ...profile, devices: [] }, shape, plan!, {}, none)).toBeNull()
  })
})
