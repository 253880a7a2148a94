// Owns the tests of a mode's speed: the measured cost of an adapter, and predictions that move towards what answers have shown.
import { describe, expect, it } from 'vitest'
import { TYPICAL } from '../../../app/deploy/affinity.ts'
import { corrected, predictionOf, withAdapter, type Seen } from '../../../app/deploy/modes/speed.ts'
import { exportedShape } from '../../bench/placement-plans.ts'

const half = exportedShape('qwen2-0.5b')
const seven = exportedShape('qwen2-7b')
/** Rank 16 on all seven matrices of each block, in F32. */
const rank16 = { half: { bytes: 35.2e6, targets: 168 }, seven: { bytes: 161.5e6, targets: 196 } }

describe('an adapter', () => {
  it('takes the 0.5B shape to 0.85 of its speed, as measured, in writing and in reading', () => {
    const alone = predictionOf(1 / 35.1, 1 / 167)
    const beside = withAdapter(alone, half, rank16.half)
    expect(beside.tokensPerSecond / alone.tokensPerSecond).toBeGreaterThan(0.8)
    expect(beside.tokensPerSecond / alone.tokensPerSecond).toBeLessThan(0.9)
    expect(alone.firstTokenSeconds / beside.firstTokenSeconds).toBeGreaterThan(0.8)
    expect(alone.firstTokenSeconds / beside.firstTokenSeconds).toBeLessThan(0.9)
    expect(beside.questionSeconds).toBeGreaterThan(alone.questionSeconds)
  })
  it('costs a larger model a smaller share, and a higher rank more', () => {
    const alone = predictionOf(1 / 4.25, 1 / 9)
    const share = (bytes: number) => withAdapter(alone, seven, { bytes, targets: 196 }).tokensPerSecond / alone.tokensPerSecond
    expect(share(rank16.seven.bytes)).toBeGreaterThan(0.92)
    expect(share(4 * rank16.seven.bytes)).toBeLessThan(share(rank16.seven.bytes))
  })
})

describe('what answers have shown', () => {
  const predicted = predictionOf(1 / 20, 1 / 200)
  const seen = (slower: number, given: Partial<Seen> = {}): Seen => ({
    ...{ promptTokens: 400, tokens: 100, firstTokenMs: 1000 * (2 * slower + 1.5e-3), tokensPerSecond: 20 / slower },
    ...given,
  })
  it('moves a prediction towards it, the more answers the further', () => {
    const after = (n: number) => corrected(predicted, Array(n).fill(seen(2)))
    expect(after(0).tokensPerSecond).toBeCloseTo(predicted.tokensPerSecond, 9)
    expect(after(0).questionSeconds).toBeCloseTo(predicted.questionSeconds, 9)
    const speeds = [0, 1, 8, 1000].map((n) => after(n).tokensPerSecond)
    expect(speeds).toEqual([...speeds].sort((a, b) => b - a))
    expect(speeds[2]).toBeCloseTo(20 / Math.SQRT2, 6)
    expect(speeds[3]).toBeCloseTo(10, 0)
    expect(after(1000).firstTokenSeconds).toBeCloseTo(4, 1)
  })
  it('is judged by its median, so that one answer that waited for a load counts little', () => {
    const answers = [...Array<Seen>(20).fill(seen(1)), seen(500)]
    expect(corrected(predicted, answers).firstTokenSeconds).toBeCloseTo(predicted.firstTokenSeconds, 3)
  })
  it('says nothing where nothing was written', () => {
    const empty = [seen(3, { firstTokenMs: null, tokensPerSecond: null, tokens: 0 }), seen(3, { tokens: 3, firstTokenMs: null })]
    expect(corrected(predicted, empty)).toEqual(corrected(predicted, []))
    expect(predictionOf(1 / 20, 1 / 200, { ...TYPICAL, answerTokens: 0 }).questionSeconds).toBeCloseTo(2.0015, 9)
  })
})
