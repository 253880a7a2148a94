// Owns the tests of the step from a family on disk and plans for it to a decision: real hardware profiles, real shapes, the library's own family.
import { describe, expect, it } from 'vitest'
import { choose } from '../../../app/deploy/choose.ts'
import { changesTo, servesMeanwhile } from '../../../app/deploy/modes/change.ts'
import { decide, presets } from '../../../app/deploy/modes/decide.ts'
import { mixOf } from '../../../app/deploy/modes/mix.ts'
import { optionsOf, type OptionFacts, type Planned } from '../../../app/deploy/modes/options.ts'
import { TARGETS, type Situation } from '../../../app/deploy/modes/situation.ts'
import type { Lived } from '../../../app/deploy/modes/utility.ts'
import type { Family, FamilyAdapter } from '../../../app/library/family.ts'
import type { Outcome } from '../../../app/store/outcomes.ts'
import { exportedShape, profiles } from '../../bench/placement-plans.ts'

const known = Object.fromEntries(profiles().map(({ name, profile }) => [name, profile]))
const scores = (right: number) => ({ medication: { right, total: 100 }, diagnosis: { right, total: 100 } })
const adapter = (category: 'medication' | 'diagnosis'): FamilyAdapter => ({
  ...{ file: `${category}.gguf`, path: '', bytes: 161.5e6, rank: 16, targets: 196, scores: scores(95), sha256: '', scale: 1, tie: 'hash' },
  categories: [category],
})
const family: Family = {
  ...{ id: 'f', name: '7B', refused: [], adapters: [adapter('medication'), adapter('diagnosis')] },
  base: { file: 'base.gguf', path: '', bytes: 4.84e9, scores: scores(60), weightsId: '' },
  merged: { file: 'merged.gguf', path: '', bytes: 4.84e9, scores: scores(88), tie: 'hash', weightsId: '' },
}
const shape = exportedShape('qwen2-7b')

function facts(name: string, given: Partial<OptionFacts> = {}): OptionFacts & { usableBytes: number } {
  const { plan } = choose(known[name]!, shape)
  const fileBytes = shape.tensors.reduce((sum, { bytes }) => sum + bytes, 0)
  const bytes = plan!.devices.reduce((sum, { memory }) => sum + memory.total, 0)
  const planned: Planned = { shape, prediction: plan!.predicted, bytes, fileBytes }
  const usableBytes = plan!.devices.reduce((sum, { usable, shared }) => sum + (shared ? 0 : usable), 0)
  return { ...{ family, base: planned, merged: planned, seen: [], bytesPerSecond: null, promptTokens: 300, usableBytes }, ...given }
}
const situationOf = (of: OptionFacts & { usableBytes: number }): Situation => ({
  ...{ options: optionsOf(of), current: 'base', mix: mixOf({}), usableBytes: of.usableBytes, expectedQuestions: 60, targets: TARGETS },
})

describe('the modes of a family', () => {
  it('are all three, with adapters slower and larger than the base and the rest as planned', () => {
    for (const name of ['rtx-3050-8gb', 'epyc-2-cores-measured', 'amd-780m-16gb']) {
      const of = facts(name)
      const [base, adapters, merged] = optionsOf(of)
      expect([base!.mode, adapters!.mode, merged!.mode]).toEqual(['base', 'adapter', 'merged'])
      expect(base!.prediction.tokensPerSecond).toBeCloseTo(of.base.prediction.tokensPerSecond, 6)
      expect(adapters!.prediction.tokensPerSecond).toBeLessThan(base!.prediction.tokensPerSecond)
      expect(adapters!.prediction.firstTokenSeconds).toBeGreaterThan(base!.prediction.firstTokenSeconds)
      expect(adapters!.bytes).toBe(base!.bytes + 2 * 161.5e6)
      expect([base!.scores, adapters!.scores, merged!.scores].map(({ medication }) => medication!.right)).toEqual([60, 95, 88])
    }
  })

  it('are chosen by the priority on every computer that can hold the model: “specialised” takes what knows most, “fast” never the slowest', () => {
    for (const name of ['rtx-3050-8gb', 'rtx-3060-12gb', 'epyc-2-cores-measured', 'amd-780m-16gb', 'apple-m2-16gb']) {
      const now = situationOf(facts(name))
      expect(decide(now, { weights: presets.specialised })!.mode).toBe('adapter')
      expect(decide(now, { weights: presets.fast })!.mode).toBe('merged')
      const { modes } = decide(now, { weights: presets.light })!
      for (const { terms } of modes) expect(terms.cost.value <= 1 && terms.performance.value <= 1 && terms.fit.value <= 1).toBe(true)
    }
  })

  it('that were refused are there with the reason, those that the family never had are not', () => {
    const without = { ...family, adapters: [], merged: null }
    expect(optionsOf(facts('rtx-3050-8gb', { family: without })).map(({ mode }) => mode)).toEqual(['base'])
    const refused: Family = {
      ...without,
      refused: [
        { file: 'x.gguf', role: 'adapter', code: 'ADAPTER_MISMATCH', message: 'x.gguf does not fit.' },
        { file: 'y.gguf', role: 'merged', code: 'MODEL_TRUNCATED', message: 'y.gguf is incomplete.' },
      ],
    }
    expect(optionsOf(facts('rtx-3050-8gb', { family: refused })).map(({ refused: why }) => why?.code ?? null)).toEqual([
      ...[null, 'ADAPTER_MISMATCH', 'MODEL_TRUNCATED'],
    ])
    const large = { code: 'MODEL_TOO_LARGE', message: 'merged.gguf is too large.' }
    const [, , merged] = optionsOf(facts('rtx-3050-8gb', { merged: null, mergedRefusal: large }))
    expect(merged).toMatchObject({ mode: 'merged', refused: large })
  })

  it('are as fast as recorded answers have shown, each by its own', () => {
    const outcome: Outcome = {
      ...{ turn: null, family: 'f', mode: 'merged', category: 'general', promptTokens: 400, tokens: 200, outcome: 'accepted' },
      ...{ firstTokenMs: 60_000, tokensPerSecond: 1, at: '2026-01-01T00:00:00.000Z' },
    }
    // what the store keeps is what learning takes
    const seen: Lived[] = Array<Outcome>(40).fill(outcome)
    const [base, , merged] = optionsOf(facts('rtx-3050-8gb', { seen }))
    const [before, , was] = optionsOf(facts('rtx-3050-8gb'))
    expect(base!.prediction).toEqual(before!.prediction)
    expect(merged!.prediction.tokensPerSecond).toBeLessThan(0.3 * was!.prediction.tokensPerSecond)
  })
})

describe('a change', () => {
  const of = { fileBytes: { base: 5e9, merged: 5e9 }, adapterBytes: 0.3e9, bytesPerSecond: 1e9, promptSeconds: 0.5 }
  it('of adapter takes no load, of model one; a slower disk longer', () => {
    expect(changesTo('adapter', of)).toEqual({ base: expect.closeTo(0.81, 9), merged: expect.closeTo(6.8, 9) })
    expect(changesTo('base', of)).toEqual({ adapter: expect.closeTo(0.51, 9), merged: expect.closeTo(6.5, 9) })
    expect(changesTo('merged', of)).toEqual({ base: 6.5, adapter: 6.5 })
    expect(changesTo('merged', { ...of, bytesPerSecond: null }).base).toBeGreaterThan(15)
  })
  it('lets the old mode serve on where both fit, and always between base and adapters', () => {
    const [base, adapters, merged] = [
      { mode: 'base' as const, bytes: 5e9 },
      { mode: 'adapter' as const, bytes: 5.3e9 },
      { mode: 'merged' as const, bytes: 5e9 },
    ]
    expect(servesMeanwhile(base, adapters, 6e9)).toBe(true)
    expect(servesMeanwhile(adapters, merged, 6e9)).toBe(false)
    expect(servesMeanwhile(adapters, merged, 12e9)).toBe(true)
    expect(servesMeanwhile(merged, base, 8e9)).toBe(false)
  })
})
