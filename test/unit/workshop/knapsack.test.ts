// Owns the proof that the knapsack is exact: against every choice there is, on random instances, and at the size of a real model.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseUnder, type Option } from '../../../models/workshop/sensitivity/knapsack.ts'

/** All choices, tried. */
function tried(groups: readonly (readonly Option[])[], budget: number): { bytes: number; cost: number } | null {
  let best: { bytes: number; cost: number } | null = null
  const walk = (group: number, bytes: number, cost: number): void => {
    if (bytes > budget) return
    const options = groups[group]
    if (options) for (const option of options) walk(group + 1, bytes + option.bytes, cost + option.cost)
    else if (!best || cost < best.cost || (cost === best.cost && bytes < best.bytes)) best = { bytes, cost }
  }
  walk(0, 0, 0)
  return best
}
const sumOf = (groups: readonly (readonly Option[])[], options: readonly number[]) =>
  options.reduce((sum, option, n) => ({ bytes: sum.bytes + groups[n]![option]!.bytes, cost: sum.cost + groups[n]![option]!.cost }), {
    bytes: 0,
    cost: 0,
  })
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32
}

describe('a choice under a budget', () => {
  it('is the best of all choices, on a thousand random instances', () => {
    const next = random(7)
    for (let n = 0; n < 1000; n++) {
      const groups = Array.from({ length: 1 + Math.floor(next() * 6) }, () =>
        // many equal sizes and costs: ties are where a front goes wrong
        Array.from({ length: 1 + Math.floor(next() * 5) }, () => ({ bytes: Math.floor(next() * 30), cost: Math.floor(next() * 20) })),
      )
      const budget = Math.floor(next() * 120)
      const choice = chooseUnder(groups, budget)
      const best = tried(groups, budget)
      expect(choice && { bytes: choice.bytes, cost: choice.cost }).toEqual(best)
      if (choice) expect(sumOf(groups, choice.options)).toEqual(best)
    }
  })

  it('is the best of all choices, whatever the numbers', () => {
    const option = fc.record({ bytes: fc.integer({ min: 0, max: 2 ** 40 }), cost: fc.double({ min: 0, max: 10, noNaN: true }) })
    const groups = fc.array(fc.array(option, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(groups, fc.double({ min: 0, max: 1, noNaN: true }), (instance, share) => {
        const most = instance.reduce((sum, options) => sum + Math.max(...options.map(({ bytes }) => bytes)), 0)
        const budget = Math.floor(most * share)
        const choice = chooseUnder(instance, budget)
        const best = tried(instance, budget)
        if (best === null) return choice === null
        // sums in another order differ in the last bits
        return choice !== null && choice.bytes <= budget && Math.abs(choice.cost - best.cost) <= 1e-9 * (1 + best.cost)
      }),
      { numRuns: 500, seed: 11 },
    )
  })

  it('takes the fewest bytes among equals, and knows when nothing fits', () => {
    const groups = [[{ bytes: 10, cost: 1 }, { bytes: 4, cost: 1 }, { bytes: 6, cost: 1 }], [{ bytes: 5, cost: 0 }]] // prettier-ignore
    expect(chooseUnder(groups, 100)).toEqual({ options: [1, 0], bytes: 9, cost: 1 })
    expect(chooseUnder(groups, 9)).toEqual({ options: [1, 0], bytes: 9, cost: 1 })
    expect(chooseUnder(groups, 8)).toBeNull()
    expect(chooseUnder([], 0)).toEqual({ options: [], bytes: 0, cost: 0 })
  })

  it('beats the greedy choice where whole groups do not fit together', () => {
    // by saving per byte the first would be upgraded, and then neither of the others fits
    const groups = [
      [{ bytes: 0, cost: 60 }, { bytes: 10, cost: 0 }],
      [{ bytes: 0, cost: 100 }, { bytes: 20, cost: 0 }],
      [{ bytes: 0, cost: 120 }, { bytes: 30, cost: 0 }],
    ] // prettier-ignore
    expect(chooseUnder(groups, 50)).toEqual({ options: [0, 1, 1], bytes: 50, cost: 60 })
  })

  it('is found in a moment for a model of 28 layers, each with its own numbers', () => {
    const next = random(3)
    const bits = [8.5, 6.5625, 5.5, 5.5, 4.5, 4.5, 4.5]
    const groups = Array.from({ length: 28 * 4 + 2 }, () => {
      const weights = 1_000_000 + Math.floor(next() * 60_000_000)
      return bits.map((bit) => ({ bytes: Math.ceil((weights * bit) / 8), cost: next() * 2 ** -bit }))
    })
    const least = groups.reduce((sum, options) => sum + Math.min(...options.map(({ bytes }) => bytes)), 0)
    const budget = Math.floor(least * 1.2)
    const started = performance.now()
    const choice = chooseUnder(groups, budget)!
    expect(performance.now() - started).toBeLessThan(5000)
    expect(choice.bytes).toBeLessThanOrEqual(budget)
    expect(choice.bytes).toBeGreaterThan(budget * 0.999)
    // no single exchange makes it better
    choice.options.forEach((option, n) => {
      for (const other of groups[n]!)
        if (choice.bytes - groups[n]![option]!.bytes + other.bytes <= budget) expect(other.cost).toBeGreaterThanOrEqual(groups[n]![option]!.cost)
    })
  })
})
