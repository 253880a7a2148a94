// Owns the tests of plans: that they fit, can be executed, get no worse with a better machine, and say what to give up where nothing fits.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelShape } from '../../../app/contract/shape.ts'
import { choose, scoreOf, type Planning } from '../../../app/deploy/choose.ts'
import type { Device, HardwareProfile } from '../../../app/deploy/hardware.ts'
import { layersOf } from '../../../app/deploy/layers.ts'
import { predictMemory, predictPlacement } from '../../../app/deploy/memory.ts'
import { divided, type Plan } from '../../../app/deploy/plan.ts'
import { usable } from '../../../app/deploy/problem.ts'
import { exportedShape, placementPlans, profiles } from '../../bench/placement-plans.ts'

const all = profiles()
const known = Object.fromEntries(all.map(({ name, profile }) => [name, profile]))
const shapes = {
  '7B': exportedShape('qwen2-7b'),
  '1.5B': exportedShape('qwen2-1.5b'),
  '0.5B': exportedShape('qwen2-0.5b'),
  '8B': exportedShape('llama-8b'),
}
const cases = all.flatMap(({ name, profile }) => Object.entries(shapes).map(([model, shape]) => ({ name, model, profile, shape })))

const deviceOf = (plan: Plan) =>
  plan.devices.flatMap(({ embedding, blocks, output }, d) => Array<number>(Number(embedding) + blocks.count + Number(output)).fill(d))
const changed = (profile: HardwareProfile, cpu: Partial<HardwareProfile['cpu']>, device: Partial<Device> = {}): HardwareProfile => ({
  ...profile,
  cpu: { ...profile.cpu, ...cpu },
  devices: profile.devices.map((one, n) => (n === 0 ? { ...one, ...device } : one)),
})
/** The better planning first; a concession outweighs any time. */
const worse = (a: Planning, b: Planning) => {
  const rank = ({ plan, conceded }: Planning) => (plan ? conceded.length * 1e6 + scoreOf(plan) : Infinity)
  return rank(a) > rank(b) * (1 + 1e-9)
}

describe('every plan for the profiles', () => {
  it('exceeds no memory: not of a card, not of RAM with what unified devices take of it', () => {
    for (const { name, model, profile, shape } of cases) {
      const { plan: best, others, conceded } = choose(profile, shape)
      const margin = !conceded.includes('margin')
      // only the old laptop with the largest model has to go without
      if (!margin) expect(`${name} ${model}`).toBe('i5-laptop-no-avx2 8B')
      for (const plan of best ? [best, ...others] : []) {
        const label = `${name} ${model} ${plan.backend}`
        for (const device of plan.devices) {
          expect(device.memory.total, label).toBeLessThanOrEqual(device.usable)
          expect(device.usable, label).toBeLessThanOrEqual(device.free - (margin ? 300e6 : 0))
        }
        const ram = plan.devices.filter(({ shared }, d) => d === 0 || shared).reduce((sum, { memory }) => sum + memory.total, 0)
        expect(ram, label).toBeLessThanOrEqual(usable(profile.cpu.memoryFree, margin))
      }
    }
  })
  it('is one that llama.cpp makes of its number of layers and the free memory of the cards', () => {
    for (const { name, model, profile, shape } of cases)
      for (const plan of [choose(profile, shape)].flatMap(({ plan, others }) => (plan ? [plan, ...others] : []))) {
        const free = plan.devices.slice(1).map((device) => device.free)
        expect(deviceOf(plan), `${name} ${model}`).toEqual(divided(shape.layers + 2, plan.gpuLayers, free))
        expect(plan.devices[0]!.embedding).toBe(true)
        expect(new Set(plan.devices.slice(1).map(({ backend }) => backend)).size).toBeLessThanOrEqual(1)
      }
  })
  it('leaves a core free, and has a context, a batch and threads that a load accepts', () => {
    for (const { profile, shape } of cases) {
      const { plan } = choose(profile, shape)
      if (!plan) continue
      expect(plan.threads).toBeGreaterThanOrEqual(1)
      expect(plan.threads).toBeLessThan(Math.max(2, profile.cpu.physicalCores))
      expect(plan.contextSize).toBe(4096)
      expect(plan.batchSize).toBeGreaterThanOrEqual(32)
      expect(plan.batchSize).toBeLessThanOrEqual(2048)
    }
  })
  it('has the whole 7B on a card of 8 GB, at a context of 4096', () => {
    for (const name of ['rtx-3050-8gb', 'rtx-4060-8gb', 'arc-a750-8gb']) {
      const { plan, conceded } = choose(known[name]!, shapes['7B'])
      expect(plan, name).toMatchObject({ gpuLayers: 29, contextSize: 4096 })
      expect(conceded, name).toEqual([])
    }
  })
  it('uses a nearly full card for what still fits, and none that is worse than the processor', () => {
    const { plan, others } = choose(known['rtx-4060-8gb-nearly-full']!, shapes['7B'])
    expect(plan!.gpuLayers).toBeLessThan(6)
    expect(others.map(({ backend }) => backend)).toContain('cpu')
    const slow = changed(known['intel-iris-xe-16gb']!, {}, { reached: 2e9, rates: { Q8_0: 1e10 } })
    expect(choose(slow, shapes['7B']).plan!.backend).toBe('cpu')
  })
  it('has other backends ready, slower ones later', () => {
    const { plan, others } = choose(known['rtx-4060-8gb']!, shapes['7B'])
    expect([plan!.backend, ...others.map(({ backend }) => backend)]).toEqual(['cuda', 'vulkan', 'cpu'])
    const scores = [plan!, ...others].map(scoreOf)
    expect(scores).toEqual([...scores].sort((a, b) => a - b))
    expect(choose(known['rtx-4060-8gb']!, shapes['7B'], { backends: ['cpu'] })).toMatchObject({ plan: { backend: 'cpu', gpuLayers: 0 }, others: [] })
  })
  it('puts a model that no card holds alone on both, and one that fits one card on that', () => {
    expect(choose(known['two-gpus-1650-1650']!, shapes['7B']).plan!.devices.map(({ blocks }) => blocks.count)).toEqual([0, 15, 13])
    expect(choose(known['two-gpus-3060-1650']!, shapes['7B']).plan!.devices.map(({ id }) => id)).toEqual(['cpu', 'cuda:0'])
  })
  it('is in the table of the bench, a row for each profile and model', () => {
    const rows = placementPlans()
    expect(rows).toHaveLength(all.length * 3)
    for (const row of rows) expect(row['layers']).toMatch(/^cpu E\+\d+|^too large: needs/)
  })
})

describe('memory of a placement', () => {
  it('is that of the CPU alone when everything is there, to a megabyte', () => {
    for (const shape of Object.values(shapes)) {
      const use = { contextSize: 4096, batchSize: 64, kvType: 'q8_0', mmap: true, adapterBytes: 81e6 } as const
      const [cpu] = predictPlacement(shape, use, [layersOf(shape)], ['cpu'])
      expect(Math.abs(cpu!.total - predictMemory(shape, use).total)).toBeLessThan(1e6)
    }
  })
  it('of a card is what was estimated for it: the last blocks, their KV and the output', () => {
    const layers = layersOf(shapes['7B'])
    const use = { contextSize: 4096, batchSize: 64, kvType: 'f16', mmap: false } as const
    const [cpu, card] = predictPlacement(shapes['7B'], use, [layers.slice(0, 2), layers.slice(2)], ['cpu', 'cuda'])
    // node-llama-cpp's estimate for 28 of 29 layers: 452 MB stay behind
    expect(cpu!.weights / 1e6).toBeCloseTo(452, 0)
    expect((cpu!.weights + card!.weights) / 1e9).toBeCloseTo(4.836, 2)
    expect(card!.kv).toBe(27 * 2048 * 4096)
    expect(card!.compute).toBeGreaterThan(64 * 152_064 * 4)
  })
  it('keeps mapped files out of memory twice: off on Windows, and where repacked weights would stay mapped', () => {
    expect(choose(known['epyc-2-cores-measured']!, shapes['7B']).plan!.mmap).toBe(true)
    const { tensors } = shapes['7B']
    const shuffled = {
      ...shapes['7B'],
      tensors: [...tensors.filter(({ name }) => name.includes('ffn')), ...tensors.filter(({ name }) => !name.includes('ffn'))],
    }
    const backwards: ModelShape = { ...shuffled, tensors: [tensors[0]!, ...shuffled.tensors.filter((tensor) => tensor !== tensors[0])] }
    expect(choose(known['epyc-2-cores-measured']!, backwards).plan!.mmap).toBe(false)
    expect(choose(known['rtx-3050-8gb']!, shapes['7B']).plan!.mmap).toBe(false)
  })
})

describe('where not everything fits', () => {
  const small = (memoryFree: number) => changed(known['epyc-2-cores-measured']!, { memoryFree })
  it('8 bits for the context come before a smaller context, and that before the margin', () => {
    const f16 = predictMemory(shapes['7B'], { contextSize: 4096, batchSize: 32, kvType: 'f16', mmap: true }).total
    const with_ = (needs: number) => choose(small(needs / 0.9 + 5e6), shapes['7B'])
    expect(with_(f16)).toMatchObject({ conceded: [], plan: { kvType: 'f16', contextSize: 4096 } })
    expect(with_(f16 - 50e6)).toMatchObject({ conceded: [], plan: { kvType: 'q8_0', contextSize: 4096 } })
    const smaller = with_(f16 - 138e6)
    expect(smaller).toMatchObject({ conceded: ['context'], plan: { contextSize: 3072 } })
    expect(choose(small(f16 * 0.99), shapes['7B'])).toMatchObject({ conceded: ['margin'], plan: { contextSize: 4096 } })
  })
  it('says what is missing, and the largest file that would fit does', () => {
    const { plan, shortage } = choose(known['intel-uhd-630-8gb']!, shapes['7B'])
    expect(plan).toBeNull()
    expect(shortage!.needs).toBeGreaterThan(shortage!.has)
    const whole = shapes['7B'].tensors.reduce((sum, { bytes }) => sum + bytes, 0)
    const scaled = (bytes: number): ModelShape => ({
      ...shapes['7B'],
      tensors: shapes['7B'].tensors.map((tensor) => ({ ...tensor, bytes: (tensor.bytes * bytes) / whole })),
    })
    expect(choose(known['intel-uhd-630-8gb']!, scaled(shortage!.largestFile * 0.98)).plan).not.toBeNull()
    expect(shortage!.fitsWhenAlone).toBe(true)
    expect(choose(changed(known['intel-uhd-630-8gb']!, { memoryTotal: 3e9, memoryFree: 2e9 }), shapes['7B']).shortage!.fitsWhenAlone).toBe(false)
  })
  it('asks for no more context than the model was trained for', () => {
    expect(choose(known['xeon-no-gpu']!, shapes['0.5B'], { contextSize: 1_000_000 }).plan!.contextSize).toBe(32_768)
  })
})

describe('a better machine never gets a worse plan', () => {
  const card = known['gtx-1650-4gb']!
  const model = fc.constantFrom(shapes['7B'], shapes['1.5B'])
  const runs = { numRuns: 60, seed: 3 }
  it('more graphics memory', () => {
    fc.assert(
      fc.property(model, fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 1, max: 3000 }), (shape, free, more) => {
        const on = (mb: number) => choose(changed(card, {}, { memoryTotal: 12e9, memoryFree: mb * 1e6 }), shape)
        return !worse(on(free + more), on(free))
      }),
      runs,
    )
  })
  it('more RAM, unified or not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(card, known['amd-780m-16gb']!, known['apple-m2-16gb']!),
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 1, max: 3000 }),
        (profile, free, more) => {
          const on = (mb: number) => choose(changed(profile, { memoryTotal: 16e9, memoryFree: mb * 1e6 }), shapes['7B'])
          return !worse(on(free + more), on(free))
        },
      ),
      runs,
    )
  })
  it('a faster card', () => {
    fc.assert(
      fc.property(model, fc.integer({ min: 5, max: 500 }), fc.double({ min: 1, max: 3, noNaN: true }), (shape, gbs, times) => {
        const on = (factor: number) => choose(changed(card, {}, { reached: gbs * 1e9 * factor, rates: { Q8_0: gbs * 1e10 * factor } }), shape)
        return !worse(on(times), on(1))
      }),
      runs,
    )
  })
  it('a quieter one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.double({ min: 0, max: 12, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ profile }, busy, share) => {
          const on = (busyCores: number) => choose({ ...profile, load: { busyCores } }, shapes['1.5B'])
          return !worse(on(busy * share), on(busy))
        },
      ),
      runs,
    )
  })
  it('and a shorter question never takes longer', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.integer({ min: 8, max: 2000 }), fc.integer({ min: 1, max: 500 }), ({ profile }, prompt, more) => {
        const on = (promptTokens: number) => choose(profile, shapes['1.5B'], { question: { promptTokens, answerTokens: 250 } })
        return !worse(on(prompt), on(prompt + more))
      }),
      runs,
    )
  })
})
