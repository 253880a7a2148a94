// Owns the tests of Bayesian optimisation: the process against what is known in closed form, and the optimum found on clinics whose best weights are known.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectedImprovement, farApart, nextWeights, normalBelow, optimise, simplex, type Evaluation } from '../../../app/deploy/modes/bayes.ts'
import { GaussianProcess, matern } from '../../../app/deploy/modes/gaussian.ts'
import { TARGETS, type Weights } from '../../../app/deploy/modes/situation.ts'
import { expectedQuality, paceOf, utilityOf, type Lived } from '../../../app/deploy/modes/utility.ts'
import { hiddenClinic, randomFrom, randomWeights } from './modes-clinic.ts'

const EVALUATIONS = 40
const SEEDS = Array.from({ length: 24 }, (_, n) => n + 1)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('the Gaussian process', () => {
  it('has the covariance of Matérn 5/2', () => {
    expect(matern(0, 0.3)).toBe(1)
    const [r, length] = [0.2, 0.5]
    const s = (Math.sqrt(5) * r) / length
    expect(matern(r, length)).toBeCloseTo((1 + s + (5 * r ** 2) / (3 * length ** 2)) * Math.exp(-s), 12)
    expect(matern(1, 0.1)).toBeLessThan(matern(0.5, 0.1))
  })
  it('goes through what it was shown, and is unsure elsewhere', () => {
    const points = Array.from({ length: 9 }, (_, n) => [n / 8, 1 - n / 8])
    const values = points.map(([x]) => Math.sin(6 * x!))
    const process = new GaussianProcess(points, values)
    const far = process.at([2, -1]).deviation
    for (const [n, point] of points.entries()) {
      expect(process.at(point).mean).toBeCloseTo(values[n]!, 1)
      expect(process.at(point).deviation).toBeLessThan(0.1 * far)
    }
    expect(process.at([0.31, 0.69]).mean).toBeCloseTo(Math.sin(6 * 0.31), 1)
    expect(process.at([0.31, 0.69]).deviation).toBeLessThan(0.5 * far)
  })
  it('is, for two points, what can be worked out by hand', () => {
    const process = new GaussianProcess([[0], [0.4]], [1, 3])
    const [k, own] = [matern(0.4, process.length), 1 + process.noise]
    const [near, away] = [matern(0.1, process.length), matern(0.3, process.length)]
    // the inverse of [[own, k], [k, own]], applied to the values without their mean of 2, which are −1 and 1
    const [first, second] = [(-own - k) / (own ** 2 - k ** 2), (own + k) / (own ** 2 - k ** 2)]
    expect(process.at([0.1]).mean).toBeCloseTo(2 + near * first + away * second, 9)
  })
  it('sees noise as noise: the mean between scattered values of one point', () => {
    const random = randomFrom(3)
    const points = Array.from({ length: 40 }, (_, n) => [(n % 4) / 4, 0])
    const process = new GaussianProcess(
      points,
      points.map(() => 5 + random() - 0.5),
    )
    expect(process.noise).toBe(0.1)
    for (const x of [0, 0.25, 0.5, 0.75]) expect(Math.abs(process.at([x, 0]).mean - 5)).toBeLessThan(0.3)
  })
  it('takes equal points, equal values and a single point, and refuses none', () => {
    const flat = new GaussianProcess([[0.5], [0.5], [0.1]], [2, 2, 2])
    expect(flat.at([0.3]).mean).toBeCloseTo(2, 9)
    expect(new GaussianProcess([[0]], [7]).at([1]).mean).toBe(7)
    expect(() => new GaussianProcess([], [])).toThrow(RangeError)
    expect(() => new GaussianProcess([[1]], [])).toThrow(RangeError)
    expect(() => new GaussianProcess([[NaN], [1]], [1, 2])).toThrow(RangeError)
  })
})

describe('expected improvement', () => {
  it('is its integral: the mean of what lies above, over the normal distribution', () => {
    for (const [above, deviation] of [
      [0.3, 1],
      [-0.5, 0.4],
      [0, 2],
    ] as const) {
      let sum = 0
      for (let z = -8; z <= 8; z += 1e-3) sum += Math.max(0, above + deviation * z) * Math.exp(-(z ** 2) / 2) * 1e-3
      expect(expectedImprovement(above, deviation)).toBeCloseTo(sum / Math.sqrt(2 * Math.PI), 5)
    }
    expect([expectedImprovement(0.2, 0), expectedImprovement(-0.2, 0)]).toEqual([0.2, 0])
  })
  it('uses a normal distribution that is right to six places', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.8413447461],
      [1.96, 0.9750021049],
      [-2.5, 0.0062096653],
    ] as const)
      expect(normalBelow(z)).toBeCloseTo(p, 6)
  })
})

describe('weights', () => {
  it('that are tried next lie on the simplex, are new, and the same for the same past', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 25 }), fc.nat(10_000), (count, seed) => {
        const random = randomFrom(seed)
        const tried = Array.from({ length: count }, (): Evaluation => ({ weights: randomWeights(random), value: random() }))
        const next = nextWeights(tried)
        expect(Object.values(next).every((weight) => weight >= 0)).toBe(true)
        expect(next.performance + next.fit + next.cost).toBeCloseTo(1, 9)
        expect(tried.every(({ weights }) => farApart(weights, next) > 1e-3)).toBe(true)
        expect(nextWeights(tried)).toEqual(next)
      }),
      { numRuns: 40 },
    )
  })
  it('of a grid are all that there are', () => {
    expect(simplex(10)).toHaveLength(66)
    expect(simplex(10).every(({ performance, fit, cost }) => Math.abs(performance + fit + cost - 1) < 1e-12)).toBe(true)
  })
})

describe('optimisation in 40 evaluations', () => {
  it.each([1, 2, 3, 4, 5])('finds a peak anywhere on the simplex to two places (%i)', (seed) => {
    const peak = randomWeights(randomFrom(seed))
    const { weights, tried } = optimise((at) => Math.exp(-8 * farApart(at, peak) ** 2), { evaluations: EVALUATIONS })
    expect(farApart(weights, peak)).toBeLessThan(0.02)
    expect(tried).toHaveLength(EVALUATIONS)
  })

  // one test a clinic, so that a slow computer has its time for each
  const rows: { found: number; byLot: number; evaluations: number; lots: number }[] = []
  it.each(SEEDS)('comes within 2 % of the best weights of clinic %i', (seed) => {
    const clinic = hiddenClinic(seed)
    const random = randomFrom(1000 + seed)
    const lots = Array.from({ length: EVALUATIONS }, () => randomWeights(random))
    const { weights, tried } = optimise(clinic.worth, { evaluations: EVALUATIONS })
    const first = (list: readonly Weights[]) => list.findIndex((one) => clinic.regret(one) <= 0.02) + 1 || EVALUATIONS + 1
    const row = {
      found: clinic.regret(weights),
      byLot: Math.min(...lots.map(clinic.regret)),
      evaluations: first(tried.map((one) => one.weights)),
      lots: first(lots),
    }
    rows.push(row)
    expect(row.found).toBeLessThanOrEqual(0.02)
    expect(row.evaluations).toBeLessThanOrEqual(EVALUATIONS)
  })
  it('is there before random search is, and nearer, over the 24 clinics', () => {
    expect(rows).toHaveLength(SEEDS.length)
    expect(mean(rows.map(({ found }) => found))).toBeLessThan(0.2 * mean(rows.map(({ byLot }) => byLot)))
    expect(rows.filter(({ found, byLot }) => found < byLot).length).toBeGreaterThanOrEqual(20)
    expect(mean(rows.map(({ evaluations }) => evaluations))).toBeLessThan(mean(rows.map(({ lots }) => lots)))
  })

  const noisy: number[] = []
  it.each(SEEDS.slice(0, 12))('sees through evaluations that are off by a hundredth (clinic %i)', (seed) => {
    const clinic = hiddenClinic(seed)
    const random = randomFrom(seed + 7)
    const { weights } = optimise((at) => clinic.worth(at) + 0.02 * (random() - 0.5), { evaluations: EVALUATIONS })
    noisy.push(clinic.regret(weights))
    expect(noisy.at(-1)).toBeLessThan(0.1)
  })
  it('and is then within 2 % on average', () => {
    expect(noisy).toHaveLength(12)
    expect(mean(noisy)).toBeLessThan(0.02)
  })

  it('begins with what it is given, and makes do with one evaluation or with a function that is the same everywhere', () => {
    const first = { performance: 0.2, fit: 0.2, cost: 0.6 }
    expect(optimise(() => 1, { evaluations: 1, first: [first] })).toEqual({ weights: first, value: 1, tried: [{ weights: first, value: 1 }] })
    expect(optimise(() => 1, { evaluations: 12 }).value).toBe(1)
  })
})

describe('the utility of an answer', () => {
  const lived = (given: Partial<Lived> = {}): Lived => ({
    ...{ mode: 'base', category: 'general', promptTokens: 400, tokens: 200, firstTokenMs: 1000, tokensPerSecond: 20, outcome: 'accepted' },
    ...given,
  })
  const of = (given: Partial<Lived>) => utilityOf(lived(given), TARGETS)
  it('is 1 for an accepted answer on target, less for a slow one, and no more for a faster one', () => {
    expect(of({})).toBe(1)
    expect(of({ firstTokenMs: 1 })).toBe(1)
    expect(of({ firstTokenMs: 6000 })).toBeCloseTo(0.85, 9)
    expect(of({ firstTokenMs: 6000, tokensPerSecond: 3.5 })).toBeCloseTo(0.75, 9)
    expect(of({ firstTokenMs: 1e9, tokensPerSecond: 1e-9 })).toBeGreaterThan(0.49)
  })
  it('is at most a quarter for one that was asked for again, and nothing for a failure', () => {
    expect(of({ outcome: 'regenerated' })).toBe(0.25)
    expect(of({ outcome: 'stopped' })).toBe(0.5)
    expect(of({ outcome: 'failed', firstTokenMs: null, tokensPerSecond: null })).toBe(0)
    expect(paceOf(null, null, TARGETS)).toBe(0.5)
    expect([expectedQuality(0), expectedQuality(1)]).toEqual([0.25, 1])
  })
})
