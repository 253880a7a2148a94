// Owns the tests of engine selection: learning, the breaker and the choice over simulated histories, each with the outcome known beforehand.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterFailure,
  afterSuccess,
  CLOSED,
  fenceOf,
  FIRST_WAIT,
  LONGEST_WAIT,
  waitAfter,
  type Breaker,
} from '../../../app/deploy/selection/breaker.ts'
import { wattHours } from '../../../app/deploy/selection/energy.ts'
import { blame, bucketOf, expectation, learn, Learned, nothingLearned, troubleNow, type Speed } from '../../../app/deploy/selection/learned.ts'
import { score, typicalLoad, type Expected } from '../../../app/deploy/selection/score.ts'
import { select, type Candidate, type Memory } from '../../../app/deploy/selection/select.ts'
import { seeded } from '../../support/random.ts'

const start = new Date('2026-03-02T09:00:00Z')
const after = (ms: number) => new Date(start.getTime() + ms)
const hour = 3_600_000
const prior = (promptTokens: number): Speed => ({ firstMs: 5 * promptTokens, tokensPerSecond: 10 })
const answered = (learned: Learned, promptTokens: number, firstMs: number, tokensPerSecond: number | null, at: Date, slowedBy = 1) =>
  learn(learned, { promptTokens, firstMs, tokensPerSecond, slowedBy }, at)

describe('learning', () => {
  it('takes the prediction before there is any experience', () => {
    expect(expectation(nothingLearned(start), prior, 400, start)).toEqual({ firstMs: 2000, tokensPerSecond: 10, answers: 0 })
  })

  it('comes within 10 % of a steady engine after ten answers, and follows a change within ten more', () => {
    let learned = nothingLearned(start)
    const noise = seeded(7).uniform
    const wobble = () => 0.9 + 0.2 * noise()
    for (let n = 0; n < 10; n++) learned = answered(learned, 400, 800 * wobble(), 25 * wobble(), after(n * 60_000))
    const steady = expectation(learned, prior, 400, after(600_000))
    expect(Math.abs(steady.firstMs / 800 - 1)).toBeLessThan(0.1)
    expect(Math.abs(steady.tokensPerSecond / 25 - 1)).toBeLessThan(0.1)
    for (let n = 0; n < 10; n++) learned = answered(learned, 400, 2400 * wobble(), 8 * wobble(), after(700_000 + n * 60_000))
    const changed = expectation(learned, prior, 400, after(1_400_000))
    expect(Math.abs(changed.firstMs / 2400 - 1)).toBeLessThan(0.15)
    expect(changed.answers).toBe(20)
  })

  it('keeps lengths of prompt apart, and lets one scale the others', () => {
    let learned = nothingLearned(start)
    for (let n = 0; n < 8; n++) learned = answered(learned, 300, 3000, 20, start)
    // twice the prediction at 300 tokens: about twice as well where nothing was seen
    const long = expectation(learned, prior, 4000, start).firstMs
    expect(long / 20_000).toBeGreaterThan(1.7)
    expect(long / 20_000).toBeLessThan(2.1)
    for (let n = 0; n < 8; n++) learned = answered(learned, 4000, 10_000, 20, start)
    expect(expectation(learned, prior, 4000, start).firstMs).toBeLessThan(12_000)
    expect(expectation(learned, prior, 300, start).firstMs).toBeGreaterThan(2400)
  })

  it('takes off what others took, forgets with time, and is unmoved by an answer too short to tell', () => {
    const busy = answered(nothingLearned(start), 400, 4000, 5, start, 2)
    expect(busy.buckets[bucketOf(400)]!.firstMs).toBeCloseTo(2000)
    expect(busy.buckets[bucketOf(400)]!.tokensPerSecond).toBeCloseTo(10)
    const slow = answered(nothingLearned(start), 400, 20_000, 1, start)
    const [now, later] = [expectation(slow, prior, 400, start), expectation(slow, prior, 400, after(100 * 24 * hour))]
    expect(later.firstMs).toBeLessThan(now.firstMs)
    expect(later.firstMs).toBeLessThan(2200)
    expect(answered(nothingLearned(start), 400, 900, null, start).buckets[1]).toMatchObject({ tokensPerSecond: null })
    expect(answered(slow, 400, 0, 4, start)).toEqual(slow)
  })

  it('is a value that JSON can hold, whatever was seen', () => {
    const seen = fc.record({ promptTokens: fc.integer({ min: 0, max: 200_000 }), firstMs: fc.double({ min: 1, max: 1e7, noNaN: true }) })
    const speed = fc.option(fc.double({ min: 0.01, max: 1e4, noNaN: true }))
    fc.assert(
      fc.property(fc.array(fc.tuple(seen, speed), { maxLength: 30 }), (all) => {
        const learned = all.reduce(
          (known, [one, tokensPerSecond]) => learn(known, { ...one, tokensPerSecond, slowedBy: 1 }, start),
          nothingLearned(start),
        )
        expect(Learned.parse(JSON.parse(JSON.stringify(learned)))).toEqual(learned)
        const { firstMs, tokensPerSecond } = expectation(learned, prior, 400, start)
        expect(firstMs > 0 && Number.isFinite(firstMs) && tokensPerSecond > 0 && Number.isFinite(tokensPerSecond)).toBe(true)
      }),
    )
  })

  it('blames a failure, and forgives it by time and by answers', () => {
    const failed = blame(blame(nothingLearned(start), start), start)
    expect(troubleNow(failed, start)).toBe(2)
    expect(troubleNow(failed, after(6 * hour))).toBeCloseTo(1)
    expect(troubleNow(answered(failed, 10, 100, null, start), start)).toBeLessThan(2)
    expect(troubleNow(failed, new Date(start.getTime() - 30 * hour))).toBe(2)
  })
})

describe('the breaker', () => {
  it('opens for a growing time, gives one trial, closes after it', () => {
    let breaker: Breaker = CLOSED
    let now = start
    const waits: number[] = []
    for (let n = 0; n < 9; n++) {
      expect(fenceOf(breaker, now)).toBe(n === 0 ? 'closed' : 'half-open')
      breaker = afterFailure(breaker, now)
      waits.push(Date.parse(breaker.openUntil!) - now.getTime())
      expect(fenceOf(breaker, now)).toBe('open')
      now = new Date(Date.parse(breaker.openUntil!))
    }
    expect(waits.slice(0, 3)).toEqual([FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT])
    expect(waits.at(-1)).toBe(LONGEST_WAIT)
    expect(waitAfter(1e9)).toBe(LONGEST_WAIT)
    expect(fenceOf(afterSuccess(), now)).toBe('closed')
  })

  it('does not fence for years when a clock was set back', () => {
    const breaker = afterFailure(CLOSED, after(365 * 24 * hour))
    expect(fenceOf(breaker, start)).toBe('half-open')
  })
})

describe('the score', () => {
  const engine: Expected = { firstMs: 1000, tokensPerSecond: 20, watts: 60, trouble: 0 }
  it('is between 0 and 1, falls with every fault, and its terms add up', () => {
    const positive = fc.double({ min: 0.01, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(
        positive,
        positive,
        positive,
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.boolean(),
        (firstMs, tokensPerSecond, watts, trouble, battery) => {
          const one = { firstMs, tokensPerSecond, watts, trouble }
          const { score: whole, terms } = score(one, { ...typicalLoad, battery })
          expect(whole).toBeGreaterThanOrEqual(0)
          expect(whole).toBeLessThanOrEqual(1 + 1e-12)
          expect(terms.first + terms.speed + terms.energy + terms.trust).toBeCloseTo(whole)
          for (const worse of [{ firstMs: firstMs * 2 }, { tokensPerSecond: tokensPerSecond / 2 }, { watts: watts * 2 }, { trouble: trouble + 1 }])
            expect(score({ ...one, ...worse }, { ...typicalLoad, battery }).score).toBeLessThanOrEqual(whole)
        },
      ),
    )
  })

  it('counts those ahead as waiting, and energy for more on a battery', () => {
    expect(score(engine, { ...typicalLoad, ahead: 2 }).firstMs).toBe(1000 + 2 * (1000 + (250 / 20) * 1000))
    const card = { ...engine, firstMs: 300, tokensPerSecond: 40, watts: 180 }
    const frugal = { ...engine, firstMs: 900, tokensPerSecond: 18, watts: 12 }
    const better = (battery: boolean) => score(card, { ...typicalLoad, battery }).score - score(frugal, { ...typicalLoad, battery }).score
    expect(better(false)).toBeGreaterThan(0)
    expect(better(true)).toBeLessThan(better(false))
    expect(wattHours(60, engine, 250)).toBeCloseTo((60 * 13.5) / 3600)
  })
})

const candidate = (id: string, points: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ id, kind: id === 'server' ? 'server' : 'computer', name: id, ready: true, fence: 'closed', onTrial: false, score: points },
  ...{ terms: { first: points / 4, speed: points / 4, energy: points / 4, trust: points / 4 }, firstMs: 1000, tokensPerSecond: 10 },
  ...more,
})
const fresh: Memory = { chosen: null, rival: null }

describe('the choice', () => {
  it('is the best that can answer', () => {
    expect(select([candidate('computer', 0.4), candidate('server', 0.7)], 'balance', fresh).chosen).toBe('server')
    expect(select([candidate('computer', 0.4), candidate('server', 0.7, { ready: false })], 'balance', fresh).chosen).toBe('computer')
    expect(select([candidate('computer', 0.4), candidate('server', 0.7, { fence: 'open' })], 'balance', fresh).chosen).toBe('computer')
    expect(select([candidate('computer', 0.4), candidate('server', 0.7, { fence: 'half-open', onTrial: true })], 'balance', fresh).chosen).toBe(
      'computer',
    )
    expect(select([candidate('computer', 0.4, { ready: false })], 'balance', fresh).chosen).toBe(null)
  })

  it('is a fenced one rather than nobody', () => {
    const { chosen, why } = select([candidate('computer', 0.4, { fence: 'open' }), candidate('server', 0.7, { ready: false })], 'balance', fresh)
    expect(chosen).toBe('computer')
    expect(why['computer']).toContain('nobody else')
  })

  it('follows the wish of the clinic while that kind can answer', () => {
    const both = [candidate('computer', 0.4), candidate('server', 0.7)]
    expect(select(both, 'computer', { chosen: 'server', rival: null }).chosen).toBe('computer')
    expect(select([candidate('computer', 0.9), candidate('server', 0.1)], 'server', fresh).chosen).toBe('server')
    expect(select([candidate('computer', 0.9), candidate('server', 0.1, { fence: 'open' })], 'server', fresh).chosen).toBe('computer')
  })

  it('leaves a failing engine with the very next question, and comes back by trial', () => {
    const memory = { chosen: 'server', rival: null }
    expect(select([candidate('computer', 0.4), candidate('server', 0.7, { fence: 'open' })], 'balance', memory).chosen).toBe('computer')
    const trial = [candidate('computer', 0.4), candidate('server', 0.7, { fence: 'half-open' })]
    const once = select(trial, 'balance', { chosen: 'computer', rival: null })
    expect(once.chosen).toBe('computer')
    expect(select(trial, 'balance', once.memory).chosen).toBe('server')
  })

  it('does not swing between two that are alike: 1,000 noisy questions, few changes', () => {
    const noise = seeded(11).uniform
    let memory = fresh
    let changes = 0
    for (let n = 0; n < 1000; n++) {
      const near = [candidate('computer', 0.6 + 0.06 * noise()), candidate('server', 0.6 + 0.06 * noise())]
      const next = select(near, 'balance', memory)
      if (memory.chosen !== null && next.chosen !== memory.chosen) changes++
      memory = next.memory
    }
    expect(changes).toBeLessThan(20)
    changes = 0
    // a real lead is followed, once
    for (let n = 0; n < 20; n++) {
      const led = [candidate('computer', 0.5 + 0.03 * noise()), candidate('server', 0.7 + 0.03 * noise())]
      const next = select(led, 'balance', memory)
      if (next.chosen !== memory.chosen) changes++
      memory = next.memory
    }
    expect(memory.chosen).toBe('server')
    expect(changes).toBeLessThanOrEqual(1)
  })

  it('says a sentence for each engine', () => {
    const terms = { first: 0.05, speed: 0.1, energy: 0.1, trust: 0.1 }
    const { why } = select([candidate('computer', 0.3, { terms }), candidate('server', 0.8)], 'balance', fresh)
    expect(why).toEqual({ computer: 'Its first word comes later.', server: 'It has the best score for a typical question.' })
  })
})

describe('a simulated practice', () => {
  it('ends with the faster engine, loses no question to a dead one for long, and returns when it is well', () => {
    const real: Record<string, Speed> = { computer: { firstMs: 4000, tokensPerSecond: 6 }, server: { firstMs: 400, tokensPerSecond: 40 } }
    const known: Record<string, { learned: Learned; breaker: Breaker }> = {}
    for (const id of Object.keys(real)) known[id] = { learned: nothingLearned(start), breaker: CLOSED }
    let memory = fresh
    const asked: string[] = []
    let lost = 0
    const down = (minute: number) => minute >= 60 && minute < 120
    for (let minute = 0; minute < 240; minute++) {
      const now = after(minute * 60_000)
      const candidates = Object.entries(known).map(([id, { learned, breaker }]) => {
        const expected = expectation(learned, prior, 400, now)
        const points = score({ ...expected, watts: id === 'server' ? null : 40, trouble: troubleNow(learned, now) }, typicalLoad)
        return candidate(id, points.score, { terms: points.terms, fence: fenceOf(breaker, now) })
      })
      const next = select(candidates, 'balance', memory)
      memory = next.memory
      const id = next.chosen!
      const own = known[id]!
      if (id === 'server' && down(minute)) {
        lost++
        known[id] = { learned: blame(own.learned, now), breaker: afterFailure(own.breaker, now) }
        continue
      }
      asked[minute] = id
      known[id] = { learned: learn(own.learned, { promptTokens: 400, ...real[id]!, slowedBy: 1 }, now), breaker: afterSuccess() }
    }
    expect(asked.slice(30, 60).every((id) => id === 'server')).toBe(true)
    expect(lost).toBeLessThanOrEqual(12)
    expect(asked.slice(130, 150).filter((id) => id === 'computer').length + asked.slice(225).filter((id) => id === 'server').length).toBeGreaterThan(
      14,
    )
    expect(asked.at(-1)).toBe('server')
  })
})
