// Owns the tests of equation 7: terms between 0 and 1 that move the right way, priorities, pins, refusals, stays, and what a person is told.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categories } from '../../../app/contract/entities.ts'
import { decide, presets, type Decision, type Priority } from '../../../app/deploy/modes/decide.ts'
import { fitOf, rightShare, scoresOf } from '../../../app/deploy/modes/fit.ts'
import { POLICY, served, type Stay } from '../../../app/deploy/modes/hysteresis.ts'
import { expectedQuestions, mixOf } from '../../../app/deploy/modes/mix.ts'
import { modes, type Mode, type Option, type Weights } from '../../../app/deploy/modes/situation.ts'
import { costOf, performanceOf, scoreOf, termsOf } from '../../../app/deploy/modes/terms.ts'
import { option, randomFrom, randomWeights, situation } from './modes-clinic.ts'

/** A 7B family on a desktop: adapters know most and cost speed and memory, the merged form nearly as much at full speed. */
const family = (): Option[] => [
  option('base', { first: 2, speed: 20, right: 0.6, bytes: 5.17e9 }),
  option('adapter', { first: 2.3, speed: 17, right: 0.93, bytes: 5.6e9 }),
  option('merged', { first: 2, speed: 20, right: 0.88, bytes: 5.17e9 }),
]
const usable = (options = family()) => situation(options, { usableBytes: 6.5e9 })
const chosen = (decision: Decision | null) => [decision!.mode, decision!.by]
const refuse = (one: Option): Option => ({ ...one, refused: { code: 'ADAPTER_MISMATCH', message: 'x.gguf was trained on other weights.' } })

const anyOption = (mode: Mode) =>
  fc
    .record({ first: fc.double({ min: 1e-3, max: 1e4, noNaN: true }), speed: fc.double({ min: 1e-3, max: 1e4, noNaN: true }) })
    .chain((times) =>
      fc
        .record({ right: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.double({ min: 0, max: 1e12, noNaN: true }), load: fc.nat(1000) })
        .map((rest) => option(mode, { ...times, ...rest })),
    )

describe('the terms', () => {
  it('are between 0 and 1 whatever the numbers, and D between −w3 and w1 + w2', () => {
    fc.assert(
      fc.property(
        fc.tuple(...modes.map(anyOption)),
        fc.record({ usableBytes: fc.double({ min: 0, max: 1e12, noNaN: true }), expectedQuestions: fc.nat(1e6) }),
        fc.nat(1e6),
        (options, given, seed) => {
          const now = situation(options, { ...given, current: 'base' })
          const weights = randomWeights(randomFrom(seed))
          for (const one of options) {
            const terms = termsOf(one, now)
            for (const { value } of [terms.performance, terms.fit, terms.cost]) expect(value >= 0 && value <= 1).toBe(true)
            const score = scoreOf(weights, terms)
            expect(score >= -weights.cost - 1e-9 && score <= 1 - weights.cost + 1e-9).toBe(true)
          }
        },
      ),
    )
  })

  it('P is one half on target and rises with speed', () => {
    const at = (first: number, speed: number) => performanceOf(option('base', { first, speed }), usable()).value
    expect(at(3, 7)).toBeCloseTo(0.5, 3)
    expect(at(1, 7)).toBeGreaterThan(at(3, 7))
    expect(at(3, 9)).toBeGreaterThan(at(3, 7))
  })

  it('F goes by the clinic’s mix, and trusts a score as far as it was counted', () => {
    const scores = { medication: { right: 95, total: 100 }, diagnosis: { right: 40, total: 100 } }
    const drugs = mixOf({ medication: 500 })
    const tests = mixOf({ diagnosis: 500 })
    expect(fitOf(scores, {}, drugs)).toBeGreaterThan(fitOf(scores, {}, tests) + 0.3)
    const few = rightShare({ medication: { right: 5, total: 5 } }, {}, 'medication')
    expect(few).toBeGreaterThan(0.5)
    expect(few).toBeLessThan(rightShare({ medication: { right: 500, total: 500 } }, {}, 'medication') - 0.05)
    expect(fitOf({}, {}, drugs)).toBeCloseTo(0.5, 9)
    // a mode without scores is taken to be like the base model
    expect(fitOf({}, { medication: { right: 900, total: 1000 } }, drugs)).toBeCloseTo(0.9, 1)
  })

  it('F of adapters is that of the base where a category has no adapter, or no score', () => {
    const base = { scores: { medication: { right: 1, total: 2 }, diagnosis: { right: 3, total: 4 }, treatment: { right: 5, total: 6 } } }
    const adapters = [{ categories: ['medication', 'treatment'] as const, scores: { medication: { right: 9, total: 10 } } }]
    const known = { base, adapters, merged: null }
    expect(scoresOf('adapter', known)).toEqual({ ...base.scores, medication: { right: 9, total: 10 } })
    expect([scoresOf('base', known), scoresOf('merged', known)]).toEqual([base.scores, {}])
  })

  it('C rises with memory and with the switch, which many questions make cheap; the mode that serves pays none', () => {
    const merged = option('merged', { bytes: 5e9, load: 10 })
    const cost = (current: Mode | null, expectedQuestions: number, usableBytes = 8e9) => costOf(merged, { usableBytes, expectedQuestions, current })
    expect(cost('merged', 10)).toMatchObject({ switching: 0, value: 5 / 8, memory: 5 / 8, switchSeconds: 0 })
    expect(cost(null, 10).switchSeconds).toBe(0)
    expect(cost('base', 10)).toMatchObject({ switchSeconds: 10, secondsPerQuestion: 1 })
    expect(cost('base', 10).value).toBeGreaterThan(cost('base', 100).value)
    expect(cost('base', 100, 16e9).value).toBeLessThan(cost('base', 100).value)
    expect(cost('base', 0, 0)).toMatchObject({ memory: 1, value: expect.closeTo(1, 9) })
  })
})

describe('what the clinic asks', () => {
  it('is the prior at first and what was asked in the end; shares are 1 together', () => {
    for (const counts of [{}, { emergency: 1 }, { medication: 3000, general: 1000 }]) {
      const shares = Object.values(mixOf(counts))
      expect(shares).toHaveLength(categories.length)
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    }
    expect(mixOf({}).medication).toBe(0.35)
    expect(mixOf({ prevention: 3000 }).prevention).toBeGreaterThan(0.99)
  })
  it('in the next day is what the latest day of use brought, within bounds', () => {
    const times = (n: number, day: number) => Array.from({ length: n }, (_, at) => new Date(Date.UTC(2026, 0, day, 8, 0, at)).toISOString())
    expect(expectedQuestions([...times(500, 1), ...times(70, 5)])).toBe(70)
    expect([expectedQuestions([]), expectedQuestions(['nonsense']), expectedQuestions(times(3000, 1))]).toEqual([20, 20, 1000])
  })
})

describe('the decision', () => {
  it.each([
    ['fast', 'merged'],
    ['specialised', 'adapter'],
    ['light', 'merged'],
  ] as const)('for the priority “%s” of a 7B family is %s', (priority, mode) => {
    expect(chosen(decide(usable(), { weights: presets[priority] }))).toEqual([mode, 'score'])
  })
  it('“light” without a merged form keeps the base alone where adapters would fill the memory, and “specialised” takes them', () => {
    const two = family().slice(0, 2)
    const tight = situation(two, { usableBytes: 5.7e9 })
    expect(decide(tight, { weights: presets.light })!.mode).toBe('base')
    expect(decide(tight, { weights: presets.specialised })!.mode).toBe('adapter')
  })
  it('has weights that are 1 together in every priority', () => {
    for (const { performance, fit, cost } of Object.values(presets)) expect(performance + fit + cost).toBeCloseTo(1, 12)
  })

  it('follows a pin whatever the scores, and passes over one that cannot be used', () => {
    const weights = presets.fast
    expect(chosen(decide(usable(), { weights, pin: 'base' }))).toEqual(['base', 'pin'])
    expect(decide(usable(), { weights, pin: 'base' })!.reasons[0]).toBe('The base model alone is pinned.')
    const options = family().map((one) => (one.mode === 'adapter' ? refuse(one) : one))
    const passed = decide(usable(options), { weights, pin: 'adapter' })!
    expect(chosen(passed)).toEqual(['merged', 'score'])
    expect(passed.reasons[0]).toBe('The base with adapters is pinned and cannot be used.')
    expect(passed.reasons).toContain('The base with adapters cannot be used: x.gguf was trained on other weights.')
    expect(decide(usable(family().slice(0, 1)), { weights, pin: 'merged' })!.reasons[0]).toMatch(/this model has no such form/)
  })

  it('is the only mode that can be used, or null of none', () => {
    const [base, ...rest] = family()
    expect(chosen(decide(usable([base!, ...rest.map(refuse)]), { weights: presets.specialised }))).toEqual(['base', 'only'])
    expect(decide(usable(family().map(refuse)), { weights: presets.fast })).toBeNull()
    expect(decide(usable([]), { weights: presets.fast })).toBeNull()
  })

  it('shows every mode with its terms, best first, those that cannot be used last', () => {
    const options = family().map((one) => (one.mode === 'merged' ? refuse(one) : one))
    const { modes: shown, weights } = decide(usable(options), { weights: presets.specialised })!
    expect(shown.map(({ mode }) => mode)).toEqual(['adapter', 'base', 'merged'])
    expect(shown[2]).toMatchObject({ score: null, refused: { code: 'ADAPTER_MISMATCH' } })
    const [{ terms, score }] = shown as [(typeof shown)[number]]
    expect(score).toBeCloseTo(weights.performance * terms.performance.value + weights.fit * terms.fit.value - weights.cost * terms.cost.value, 12)
    expect(terms).toMatchObject({ cost: { bytes: 5.6e9, usableBytes: 6.5e9 }, performance: { tokensPerSecond: expect.closeTo(17, 6) } })
    expect(terms.fit.categories.map(({ category }) => category)).toEqual([...categories])
    expect(terms.fit.categories.every(({ counted }) => counted === 100)).toBe(true)
  })

  it('says in sentences what spoke for it and what the change costs', () => {
    const { reasons, change } = decide({ ...usable(), current: 'base' }, { weights: presets.fast })!
    expect(change).toEqual({ from: 'base', seconds: 6 })
    expect(reasons).toEqual([
      expect.stringMatching(
        /^The merged model scores highest: the merged model 0\.\d{3}, the base model alone 0\.\d{3}, the base with adapters 0\.\d{3}\.$/,
      ),
      'It begins after 2.0 s (the base model alone: 2.0 s) and writes 20 tokens a second (20).',
      'Of questions like this clinic’s it is expected to answer 88 % right by its validation scores (the base model alone 60 %).',
      'It takes 5.2 GB of the 6.5 GB that may be used (the base model alone: 5.2 GB).',
      'Changing to it takes about 6.0 s, spread over 100 questions expected 60 ms each.',
    ])
    const unmeasured = family().map((one) => (one.mode === 'base' ? one : { ...one, scores: {} }))
    expect(decide(usable(unmeasured), { weights: presets.fast, pin: 'merged' })!.reasons.join(' ')).toMatch(
      /It has no validation scores; \d\d % right is assumed/,
    )
    expect(decide({ ...usable(), current: 'merged' }, { weights: presets.fast })!.change).toBeNull()
  })
})

describe('a stay', () => {
  const weights = presets.fast
  const serve = (now: () => ReturnType<typeof usable>, questions: number, policy = POLICY, of: Weights = weights) => {
    let stay: Stay | null = null
    const seen: Mode[] = []
    for (let n = 0; n < questions; n++) {
      const { mode } = decide({ ...now(), current: stay?.mode ?? null }, { weights: of, stay, policy })!
      stay = served(stay, mode)
      seen.push(mode)
    }
    return { seen, switches: seen.filter((mode, n) => n > 0 && mode !== seen[n - 1]).length }
  }

  it('lasts through 1,000 questions of categories in turn, whose mix hardly moves', () => {
    const counts: Partial<Record<(typeof categories)[number], number>> = {}
    let n = 0
    const strong = family().map((one) => {
      const good = (category: string) => (one.mode === 'adapter') === (category === 'medication')
      return { ...one, scores: Object.fromEntries(categories.map((category) => [category, { right: good(category) ? 95 : 60, total: 100 }])) }
    })
    const { switches } = serve(
      () => {
        const category = n++ % 2 === 0 ? ('medication' as const) : ('diagnosis' as const)
        counts[category] = (counts[category] ?? 0) + 1
        return situation(strong, { mix: mixOf(counts), usableBytes: 6.5e9 })
      },
      1000,
      POLICY,
      presets.specialised,
    )
    expect(switches).toBeLessThanOrEqual(2)
  })

  it('bounds the changes even where the advantage changes sides at every one of 1,000 questions', () => {
    let n = 0
    const flip = () => {
      const fast = n++ % 2 === 0 ? 'merged' : 'adapter'
      return usable(family().map((one) => option(one.mode, { first: one.mode === fast ? 0.1 : 60, speed: one.mode === fast ? 100 : 1 })))
    }
    const { switches } = serve(flip, 1000)
    expect(switches).toBeGreaterThan(0)
    expect(switches).toBeLessThanOrEqual(1000 / POLICY.minimumStay)
    n = 0
    expect(serve(flip, 1000, { margin: 0, minimumStay: 0 }).switches).toBe(999)
  })

  it('ends at once when its mode can no longer be used', () => {
    const options = family().map((one) => (one.mode === 'adapter' ? refuse(one) : one))
    const decision = decide({ ...usable(options), current: 'adapter' }, { weights, stay: { mode: 'adapter', questions: 1 } })
    expect(chosen(decision)).toEqual(['merged', 'score'])
  })

  it('says why it stays: too few questions, or too small an advantage', () => {
    const stay = (questions: number, policy = POLICY) =>
      decide({ ...usable(), current: 'adapter' }, { weights, stay: { mode: 'adapter', questions }, policy })!
    expect(stay(4)).toMatchObject({ mode: 'adapter', by: 'stay', change: null })
    expect(stay(4).reasons[0]).toBe('The base with adapters stays: it has answered 4 of the 20 questions that a mode stays for.')
    expect(stay(50, { margin: 0.5, minimumStay: 20 }).reasons[0]).toMatch(
      /^The base with adapters stays: the merged model is ahead by 0\.\d{3} only, less than 0\.500\.$/,
    )
    expect(stay(50, { margin: 0.001, minimumStay: 20 }).mode).toBe('merged')
  })

  it('holds nobody who has just chosen another priority', () => {
    for (const [priority, mode] of [
      ['fast', 'merged'],
      ['specialised', 'adapter'],
    ] as [Priority, Mode][])
      expect(decide({ ...usable(), current: 'base' }, { weights: presets[priority], stay: null })!.mode).toBe(mode)
  })
})
