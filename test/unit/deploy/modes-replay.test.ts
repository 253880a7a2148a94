// Owns the tests of learning from history: what a replay takes from records and what it predicts, trials and their end, and regret that falls.
import { describe, expect, it } from 'vitest'
import { simplex } from '../../../app/deploy/modes/bayes.ts'
import { decide, presets } from '../../../app/deploy/modes/decide.ts'
import { Learned, observe, review, startFrom, TRIAL } from '../../../app/deploy/modes/guard.ts'
import { served, type Stay } from '../../../app/deploy/modes/hysteresis.ts'
import { mixOf } from '../../../app/deploy/modes/mix.ts'
import { momentsOf, prepare, replay, type Moment } from '../../../app/deploy/modes/replay.ts'
import { modes, TARGETS, type Mode, type Weights } from '../../../app/deploy/modes/situation.ts'
import { expectedQuality, paceOf, utilityOf, type Lived } from '../../../app/deploy/modes/utility.ts'
import { LivingClinic, option, situation, truths } from './modes-clinic.ts'

const only = { performance: { performance: 1, fit: 0, cost: 0 }, fit: { performance: 0, fit: 1, cost: 0 } }
/** merged is faster, adapter knows more. */
const options = [option('adapter', { first: 6, speed: 5, right: 0.9, bytes: 5e9 }), option('merged', { first: 3, speed: 10, right: 0.7, bytes: 5e9 })]
const lived = (given: Partial<Lived> = {}): Lived => ({
  ...{ mode: 'adapter', category: 'medication', promptTokens: 400, tokens: 250, firstTokenMs: 8000, tokensPerSecond: 4, outcome: 'accepted' },
  ...given,
})
const moments = (n: number, given: (at: number) => Partial<Lived> = () => ({})): Moment[] =>
  Array.from({ length: n }, (_, at) => ({ situation: situation(options), lived: lived(given(at)) }))

describe('a replay', () => {
  it('of the weights that chose takes everything from records', () => {
    const history = moments(50, (at) => (at % 5 === 0 ? { outcome: 'regenerated' } : {}))
    const found = replay(prepare(history), only.fit)
    const truth = history.reduce((sum, one) => sum + utilityOf(one.lived, TARGETS), 0) / 50
    expect(found).toMatchObject({ observed: 1, predicted: 0, switches: 0, modes: { adapter: 1 }, utility: expect.closeTo(truth, 12) })
    expect(found.lower).toBe(found.utility)
  })

  it('of others predicts: recorded times by the ratio of the predictions, quality by validation; and says so, with its doubt', () => {
    const found = replay(prepare(moments(50)), only.performance)
    expect(found).toMatchObject({ observed: 0, predicted: 1, modes: { merged: 1 } })
    const [adapter, merged] = options.map(({ prediction }) => prediction) as [(typeof options)[0]['prediction'], (typeof options)[0]['prediction']]
    const pace = paceOf((8 * merged.firstTokenSeconds) / adapter.firstTokenSeconds, 8, TARGETS)
    expect(found.utility).toBeCloseTo(pace * expectedQuality(0.7), 2)
    expect(found.lower).toBeLessThan(found.utility - 0.02)
  })

  it('believes what a mode has shown on other questions more than its validation', () => {
    const seen = (at: number): Partial<Lived> =>
      at % 2 === 0 ? {} : { mode: 'merged', outcome: 'regenerated', firstTokenMs: 4000, tokensPerSecond: 8 }
    const believed = replay(prepare(moments(200, seen)), only.performance)
    const expected = replay(prepare(moments(200)), only.performance)
    expect(believed).toMatchObject({ observed: 0.5, predicted: 0.5 })
    expect(believed.utility).toBeLessThan(expected.utility - 0.3)
  })

  it('predicts from the model alone where a recorded answer has no times', () => {
    const found = replay(prepare(moments(10, () => ({ outcome: 'failed', firstTokenMs: null, tokensPerSecond: null }))), only.performance)
    const { firstTokenSeconds, tokensPerSecond } = options[1]!.prediction
    expect(found.utility).toBeCloseTo(paceOf(firstTokenSeconds, tokensPerSecond, TARGETS) * expectedQuality(0.7), 2)
  })

  it('makes moments of records: each with the mix that had been asked until then', () => {
    const { mix: _, current: __, ...now } = situation(options)
    const made = momentsOf([lived({ category: 'prevention' }), lived({ category: 'prevention', mode: 'merged' }), lived()], now)
    expect(made.map(({ situation: { current } }) => current)).toEqual([null, 'adapter', 'merged'])
    const shares = made.map(({ situation: { mix } }) => mix.prevention)
    expect(shares[0]).toBe(mixOf({}).prevention)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(replay(prepare(made), only.fit)).toMatchObject({ observed: expect.closeTo(2 / 3, 9), switches: 0 })
  })

  it('keeps to the stay, counts changes, and lets the question wait that one begins with', () => {
    const flip = Array.from({ length: 100 }, (_, at): Moment => {
      const [slow, fast] = at % 2 === 0 ? (['adapter', 'merged'] as const) : (['merged', 'adapter'] as const)
      const made = [option(slow, { first: 60, speed: 1, load: 30 }), option(fast, { first: 0.1, speed: 100, load: 30 })]
      return { situation: situation(made), lived: lived({ mode: fast, firstTokenMs: 100, tokensPerSecond: 100 }) }
    })
    const kept = replay(prepare(flip), only.performance)
    const free = replay(prepare(flip), only.performance, { margin: 0, minimumStay: 0 })
    expect(kept.switches).toBeLessThanOrEqual(5)
    expect(free.switches).toBe(99)
    expect(free.utility).toBeLessThan(1)
    const still = flip.map((one) => ({
      ...one,
      situation: { ...one.situation, options: one.situation.options.map((o) => ({ ...o, switchSeconds: {} })) },
    }))
    expect(replay(prepare(still), only.performance, { margin: 0, minimumStay: 0 }).utility).toBeCloseTo(1, 9)
  })

  it('leaves out modes that cannot be used, and is nothing of nothing', () => {
    const refused = options.map((one) => (one.mode === 'merged' ? { ...one, refused: { code: 'X', message: '' } } : one))
    expect(replay(prepare([{ situation: situation(refused), lived: lived() }]), only.performance).modes.adapter).toBe(1)
    expect(replay([], only.fit)).toMatchObject({ utility: 0, observed: 0, predicted: 0 })
    const none = situation(options.map((one) => ({ ...one, refused: { code: 'X', message: '' } })))
    expect(replay(prepare([{ situation: none, lived: lived() }]), only.fit).utility).toBe(0)
  })
})

describe('new weights', () => {
  // adapters are slow here and answer badly: nearly everything was asked for again
  const bad = () => prepare(moments(120, (at) => ({ outcome: at % 4 === 0 ? 'accepted' : 'regenerated' })))
  const tried = () => review(startFrom(only.fit), bad())

  it('are put on trial when they are predicted to be better, and the words tell records from predictions', () => {
    const { learned, says } = tried()
    expect(learned.trial).toEqual({ before: only.fit, answers: 0, failedInARow: 0 })
    expect(learned.weights).not.toEqual(only.fit)
    expect(says).toMatch(
      /^Other weights are tried for 40 answers: 120 recorded questions would have been worth 0\.\d\d instead of 0\.\d\d on average, 0 % of it observed and 100 % predicted\.$/,
    )
    expect(Learned.parse(JSON.parse(JSON.stringify(learned)))).toEqual(learned)
  })
  it('are never tried on few questions, where they are predicted no better, or where the prediction is too unsure', () => {
    expect(review(startFrom(only.fit), prepare(moments(59, () => ({ outcome: 'regenerated' }))))).toEqual({ learned: startFrom(only.fit), says: '' })
    const good = moments(120, () => ({ firstTokenMs: 1000, tokensPerSecond: 30 }))
    expect(review(startFrom(only.fit), prepare(good)).learned.trial).toBeNull()
    const unsure = options.map((one) => (one.mode === 'merged' ? { ...one, scores: { medication: { right: 8, total: 20 } } } : one))
    const middling = moments(120, (at) => ({ outcome: at % 2 === 0 ? 'accepted' : 'regenerated' })).map((one) => ({
      ...one,
      situation: situation(unsure),
    }))
    const { learned } = review(startFrom(only.fit), prepare(middling))
    expect(learned.trial).toBeNull()
  })
  it('go back after failures in a row, and are not tried again', () => {
    let { learned } = tried()
    const weights = learned.weights
    let says = ''
    for (const failed of [true, true, false, true, true, true]) ({ learned, says } = observe(learned, { failed }))
    expect(says).toBe('The former weights are back: 3 answers in a row failed.')
    expect(learned).toEqual({ weights: only.fit, trial: null, barred: [weights] })
    expect(review(learned, bad()).learned.weights).not.toEqual(weights)
    expect(observe(learned, { failed: true })).toEqual({ learned, says: '' })
  })
  it('are judged after their answers against what the former ones would have made of the same questions', () => {
    let { learned } = tried()
    for (let n = 0; n < TRIAL; n++) {
      expect(review(learned, bad())).toEqual({ learned, says: '' })
      learned = observe(learned, { failed: false }).learned
    }
    const before = moments(120, (at) => ({ outcome: at % 4 === 0 ? 'accepted' : 'regenerated' }))
    const trial = (outcome: Lived['outcome']) =>
      prepare([...before, ...moments(TRIAL, () => ({ mode: 'merged', outcome, firstTokenMs: 4000, tokensPerSecond: 8 }))])
    const kept = review(learned, trial('accepted'))
    expect(kept.learned).toEqual({ weights: learned.weights, trial: null, barred: [] })
    expect(kept.says).toMatch(
      /^The new weights are kept: 40 answers were worth 0\.\d\d on average, with the former weights it would have been 0\.\d\d\.$/,
    )
    const back = review(learned, trial('failed'))
    expect(back.learned).toEqual({ weights: only.fit, trial: null, barred: [learned.weights] })
    expect(back.says).toMatch(/^The former weights are back: 40 answers were worth 0\.00/)
  })
  it('are barred up to a number, and a damaged state is refused', () => {
    let learned = startFrom(only.fit)
    for (let n = 0; n < 30; n++) {
      learned = { ...learned, weights: only.performance, trial: { before: only.fit, answers: 0, failedInARow: 2 } }
      learned = observe(learned, { failed: true }).learned
    }
    expect(learned.barred).toHaveLength(20)
    expect(Learned.safeParse(learned).success).toBe(true)
    expect(Learned.safeParse({ ...learned, weights: { performance: 1, fit: 1, cost: 0 } }).success).toBe(false)
  })
})

describe('a year of a clinic', () => {
  const QUESTIONS = 800
  const EVERY = 80
  /** Mean regret a question in each quarter of the year, against the best weights of a grid: with learning, and with the first weights kept. */
  function year(seed: number, truth: (typeof truths)[keyof typeof truths], first: Weights) {
    const clinic = new LivingClinic(seed, truth)
    const history: Moment[] = []
    const worths: Record<Mode, number>[] = []
    const got: number[] = []
    let learned = startFrom(first)
    let stay: Stay | null = null
    for (let n = 1; n <= QUESTIONS; n++) {
      const { situation: now, category } = clinic.next(stay?.mode ?? null)
      const { mode } = decide(now, { weights: learned.weights, stay })!
      const answer = clinic.answer(now, category, mode)
      stay = served(stay, mode)
      history.push({ situation: now, lived: answer })
      worths.push(Object.fromEntries(modes.map((one) => [one, clinic.expected(now, category, one)])) as Record<Mode, number>)
      got.push(worths.at(-1)![mode])
      learned = observe(learned, { failed: answer.outcome === 'failed' }).learned
      if (n % EVERY === 0) learned = review(learned, prepare(history.slice(-320))).learned
    }
    // the same year with every arm's true worth in the place of what a replay would take it for
    const exact = prepare(history).map((step, n) => ({ ...step, arms: step.arms.map((arm) => ({ ...arm, utility: worths[n]![arm.option.mode] })) }))
    const quarter = QUESTIONS / 4
    const byQuarter = (upTo: (end: number) => number) => [1, 2, 3, 4].map((at) => (upTo(at * quarter) - upTo((at - 1) * quarter)) / quarter)
    const replayed = (weights: Weights) => byQuarter((end) => replay(exact.slice(0, end), weights).utility * end)
    const tried = simplex(10).map((weights) => ({ weights, worth: replay(exact, weights).utility }))
    const best = tried.reduce((one, other) => (other.worth > one.worth ? other : one)).weights
    const optimum = replayed(best)
    const without = replayed(first).map((worth, at) => optimum[at]! - worth)
    const regret = byQuarter((end) => got.slice(0, end).reduce((sum, worth) => sum + worth, 0)).map((worth, at) => optimum[at]! - worth)
    return { regret, without }
  }

  it.each([
    ['knowledge in adapters', 1, { performance: 0.6, fit: 0, cost: 0.4 }],
    ['knowledge in adapters', 2, { performance: 0.6, fit: 0, cost: 0.4 }],
    ['an old processor', 1, { performance: 0, fit: 0.9, cost: 0.1 }],
    ['an old processor', 2, { performance: 0, fit: 0.9, cost: 0.1 }],
  ] as const)('%s (%i): regret falls to nothing, where the weights it began with keep it', (name, seed, first) => {
    const { regret, without } = year(seed, truths[name], first)
    const all = without.reduce((sum, one) => sum + one, 0)
    expect(all / 4).toBeGreaterThan(0.03)
    expect(regret.reduce((sum, one) => sum + one, 0)).toBeLessThan(0.4 * all)
    expect(regret[3]!).toBeLessThan(0.1 * without[3]!)
    expect(regret[3]!).toBeLessThan(0.2 * regret[0]!)
  })

  it('begun with a sensible priority it is never much worse for learning', () => {
    const { regret, without } = year(3, truths['an old processor'], presets.fast)
    expect(regret.reduce((sum, one) => sum + one, 0)).toBeLessThan(without.reduce((sum, one) => sum + one, 0) + 0.04)
  })
})
