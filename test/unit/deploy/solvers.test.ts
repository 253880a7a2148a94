// Owns the tests that the dynamic programme is exact: against HiGHS on random problems, by hand, and in its own time.
import highsLoader, { type Highs } from 'highs'
import { beforeAll, describe, expect, it } from 'vitest'
import { TYPICAL } from '../../../app/deploy/affinity.ts'
import { solve } from '../../../app/deploy/dp.ts'
import { OPTIONS, placementOf, solveMilp, statement } from '../../../app/deploy/milp.ts'
import { divided, evaluate, type PlacementProblem } from '../../../app/deploy/plan.ts'
import { build, modelOf, selections } from '../../../app/deploy/problem.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'
import { seeded } from '../../support/random.ts'
import { instance } from './instances.ts'

const INSTANCES = 800
const seven = modelOf(exportedShape('qwen2-7b'))
let highs: Highs
beforeAll(async () => {
  highs = await highsLoader()
})

/** Three layers, one card: what one can work out on paper. */
const byHand: PlacementProblem = {
  devices: [
    { id: 'cpu', capacity: 10e9, fixedBytes: 1e9, shared: false },
    { id: 'gpu', capacity: 3e9, fixedBytes: 1e9, shared: false },
  ],
  bytes: Array.from({ length: 4 }, () => [1e9, 1e9]),
  seconds: [1, 4, 4, 4].map((cpu) => [cpu, 1]),
  step: Array.from({ length: 4 }, () => [0.01, 0.001]),
  // prettier-ignore
  crossing: { seconds: [[0, 0.5], [0.5, 0]], step: [[0, 0], [0, 0]] },
  stepLimit: Infinity,
  split: null,
}

describe('the dynamic programme', () => {
  it(`has the optimum of the mixed-integer programme on ${INSTANCES} random problems`, () => {
    const random = seeded(5).uniform
    const seen = { feasible: 0, infeasible: 0, mixed: 0, split: 0, limited: 0 }
    for (let n = 0; n < INSTANCES; n++) {
      const problem = instance(random, { layers: 3 + Math.floor(random() * 6), devices: 2 + Math.floor(random() * 3) })
      const { Status, Columns } = highs.solve(statement(problem), OPTIONS)
      const found = solve(problem)
      const label = `problem ${n}`
      if (Status === 'Infeasible') {
        expect(found, label).toBeNull()
        seen.infeasible++
        continue
      }
      expect(Status, label).toBe('Optimal')
      const oracle = placementOf(problem, Columns)
      expect(oracle, label).not.toBeNull()
      expect(found, label).not.toBeNull()
      expect(found!.seconds, label).toBeCloseTo(oracle!.seconds, 9)
      seen.feasible++
      if (new Set(found!.device).size > 1) seen.mixed++
      if (problem.split) seen.split++
      if (problem.stepLimit < Infinity) seen.limited++
    }
    // a test in which everything is infeasible, or all on one device, would prove nothing
    expect(seen.feasible).toBeGreaterThan(400)
    expect(seen.infeasible).toBeGreaterThan(50)
    expect(seen.mixed).toBeGreaterThan(250)
    expect(seen.split).toBeGreaterThan(40)
    expect(seen.limited).toBeGreaterThan(60)
  }, 60_000)

  it('has it on the problems of the profiles as well, with 28 blocks of 7B', () => {
    let solved = 0
    for (const { name, profile } of profiles())
      for (const selection of selections(profile)) {
        const configuration = { contextSize: 4096, kvType: 'f16', step: 32, stepSeconds: 0.4, threads: 4, margin: true } as const
        const { problem } = build(profile, seven, selection, configuration, TYPICAL)
        const found = solve(problem)
        const { Columns, Status } = highs.solve(statement(problem), OPTIONS)
        expect(Status, name).toBe(found ? 'Optimal' : 'Infeasible')
        if (!found) continue
        expect(found.seconds, name).toBeCloseTo(placementOf(problem, Columns)!.seconds, 6)
        solved++
      }
    expect(solved).toBeGreaterThan(10)
  }, 60_000)

  it('solves by hand: the card has room for two layers, the last ones', () => {
    expect(solve(byHand)).toEqual({ device: [0, 0, 1, 1], seconds: 1 + 4 + 0.5 + 1 + 1, step: expect.closeTo(0.022, 12), bytes: [3e9, 3e9] })
  })
  it('fills what is exactly large enough, and not a byte more', () => {
    const room = (capacity: number) => solve({ ...byHand, devices: [byHand.devices[0]!, { ...byHand.devices[1]!, capacity }] })!.device
    expect(room(4e9)).toEqual([0, 1, 1, 1])
    expect(room(4e9 - 1e6)).toEqual([0, 0, 1, 1])
    expect(room(2e9 - 1e6)).toEqual([0, 0, 0, 0])
  })
  it('leaves the card alone when the way there costs more than it saves', () => {
    expect(solve({ ...byHand, crossing: { ...byHand.crossing, seconds: [[0, 6.1], [6.1, 0]] } })!.device).toEqual([0, 0, 0, 0]) // prettier-ignore
    expect(solve({ ...byHand, crossing: { ...byHand.crossing, seconds: [[0, 5.9], [5.9, 0]] } })!.device).toEqual([0, 0, 1, 1]) // prettier-ignore
  })
  it('counts what a unified device holds against RAM as well', () => {
    const unified = byHand.devices.map((device, d) => ({ ...device, shared: d === 1, capacity: d === 0 ? 6e9 : 10e9 }))
    expect(solve({ ...byHand, devices: unified })).toMatchObject({ device: [0, 1, 1, 1], bytes: [6e9, 4e9] })
    const smaller = unified.map((device, d) => ({ ...device, capacity: d === 0 ? 5.9e9 : 10e9 }))
    // without the device's own gigabyte the rest fits
    expect(solve({ ...byHand, devices: smaller })).toMatchObject({ device: [0, 0, 0, 0], bytes: [5e9, 0] })
  })
  it('keeps the step within its limit, and finds nothing when nothing can', () => {
    expect(solve({ ...byHand, seconds: byHand.seconds.map(([cpu]) => [cpu!, 9]), stepLimit: 0.03 })!.device).toEqual([0, 0, 1, 1])
    expect(solve({ ...byHand, stepLimit: 0.02 })).toBeNull()
  })
  it('is one that llama.cpp executes: the embedding on the CPU, and never back to an earlier device', () => {
    const random = seeded(6).uniform
    for (let n = 0; n < 300; n++) {
      const found = solve({ ...instance(random, { layers: 12, devices: 4 }), split: null })
      if (!found) continue
      expect(found.device[0]).toBe(0)
      expect(found.device).toEqual([...found.device].sort((a, b) => a - b))
    }
  })
  it('takes less than 5 ms for 32 layers, 3 devices and 42 choices of context, KV type and step', () => {
    const random = seeded(7).uniform
    const problems = Array.from({ length: 42 }, () => {
      const problem = instance(random, { layers: 34, devices: 3 })
      return { ...problem, split: null, stepLimit: 0.25 }
    })
    const times = Array.from({ length: 15 }, () => {
      const started = performance.now()
      for (const problem of problems) solve(problem)
      return performance.now() - started
    })
    // neighbours on the same cores slow some rounds
    expect(Math.min(...times)).toBeLessThan(5)
  })
})

describe('the division by llama.cpp', () => {
  it('gives the last layers to one card, the output first', () => {
    expect(divided(6, 0, [1])).toEqual([0, 0, 0, 0, 0, 0])
    expect(divided(6, 1, [1])).toEqual([0, 0, 0, 0, 0, 1])
    expect(divided(6, 5, [1])).toEqual([0, 1, 1, 1, 1, 1])
  })
  it('is in proportion to free memory among several', () => {
    expect(divided(9, 8, [6e9, 2e9])).toEqual([0, 1, 1, 1, 1, 1, 1, 2, 2])
    expect(divided(9, 4, [6e9, 2e9])).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 2])
    // 29 layers in halves: 14.5 rounds up for the first
    expect(divided(30, 29, [4e9, 4e9]).filter((device) => device === 1)).toHaveLength(15)
  })
})

describe('the mixed-integer programme', () => {
  it('is solved in a worker, with the same result', async () => {
    expect(await solveMilp(byHand)).toEqual({ status: 'optimal', placement: solve(byHand) })
    expect(await solveMilp({ ...byHand, stepLimit: 0.02 })).toEqual({ status: 'infeasible', placement: null })
  })
  it('is given up in time', async () => {
    const problem = { ...instance(seeded(8).uniform, { layers: 34, devices: 4 }), split: null }
    expect(await solveMilp(problem, { seconds: 0 })).toEqual({ status: 'timeout', placement: null })
  })
  it('states the free placement of the seed: embedding and output on the card, blocks in the middle on the CPU', async () => {
    const seed = { ...byHand, seconds: [[3, 1], [2, 1.9], [2, 1.9], [9, 1]], crossing: { ...byHand.crossing, seconds: [[0, 0.1], [0.1, 0]] } } // prettier-ignore
    const { placement } = await solveMilp(seed, { freedom: 'free' })
    expect(placement).toMatchObject({ device: [1, 0, 0, 1], seconds: 1 + 0.1 + 2 + 2 + 0.1 + 1 })
    expect(solve(seed)!.seconds).toBeGreaterThan(placement!.seconds)
  })
  it('never finds the executable placement better than the free one', () => {
    const random = seeded(9).uniform
    for (let n = 0; n < 60; n++) {
      const problem = instance(random, { layers: 6, devices: 3 })
      const executable = solve(problem)
      if (!executable) continue
      const free = placementOf(problem, highs.solve(statement(problem, 'free'), OPTIONS).Columns)
      expect(free!.seconds).toBeLessThanOrEqual(executable.seconds + 1e-9)
      expect(evaluate(problem, free!.device)).toEqual(free)
    }
  })
})
