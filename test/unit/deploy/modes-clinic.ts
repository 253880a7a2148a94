// Owns the clinics that learning is tested on: simulated, so that the best weights and the worth of every choice are known exactly.
import { categories, type Category } from '../../../app/contract/entities.ts'
import { mixOf } from '../../../app/deploy/modes/mix.ts'
import { modes, TARGETS, type Mode, type Option, type Scores, type Situation, type Weights } from '../../../app/deploy/modes/situation.ts'
import { predictionOf } from '../../../app/deploy/modes/speed.ts'
import { scoreOf, termsOf, type Terms } from '../../../app/deploy/modes/terms.ts'
import { paceOf, QUALITY, type Lived, type Received } from '../../../app/deploy/modes/utility.ts'

/** 0…1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
/** Uniform on the simplex. */
export function randomWeights(random: () => number): Weights {
  const [a, b, c] = [0, 1, 2].map(() => -Math.log(1 - random())) as [number, number, number]
  const sum = a + b + c
  return { performance: a / sum, fit: b / sum, cost: c / sum }
}

const scoresFrom = (right: (category: Category) => number, total = 100): Scores =>
  Object.fromEntries(categories.map((category) => [category, { right: Math.round(total * Math.min(1, right(category))), total }]))

export const option = (mode: Mode, given: { first?: number; speed?: number; right?: number; bytes?: number; load?: number } = {}): Option => {
  const { first = 2, speed = 20, right = 0.8, bytes = 5e9, load = 6 } = given
  return {
    ...{ mode, bytes, refused: null, scores: scoresFrom(() => right) },
    prediction: predictionOf(1 / speed, first / 400),
    switchSeconds:
      mode === 'merged' ? { base: load, adapter: load } : mode === 'base' ? { adapter: 0.001, merged: load } : { base: 0.001, merged: load },
  }
}
export const situation = (options: readonly Option[], given: Partial<Situation> = {}): Situation => ({
  ...{ options, current: null, mix: mixOf({}), usableBytes: 8e9, expectedQuestions: 100, targets: TARGETS },
  ...given,
})

/**
 * A clinic whose true worth of a choice is D with hidden weights, in many random situations: no weights can do better than the hidden ones,
 * whose worth is therefore the optimum.
 */
export function hiddenClinic(seed: number, moments = 200) {
  const random = randomFrom(seed)
  const hidden = randomWeights(random)
  const all = Array.from({ length: moments }, (): Terms[] => {
    const options = modes.map((mode) =>
      option(mode, { first: 0.5 + 8 * random() ** 2, speed: 3 + 30 * random(), right: 0.4 + 0.6 * random(), bytes: 1e9 + 6e9 * random() }),
    )
    const now = situation(options)
    return options.map((one) => termsOf(one, now))
  })
  const worth = (weights: Weights) =>
    all.reduce((sum, terms) => {
      const chosen = terms.reduce((best, one) => (scoreOf(weights, one) > scoreOf(weights, best) ? one : best))
      return sum + scoreOf(hidden, chosen)
    }, 0) / moments
  const byLot = all.reduce((sum, terms) => sum + terms.reduce((part, one) => part + scoreOf(hidden, one), 0) / terms.length, 0) / moments
  const optimum = worth(hidden)
  /** 0: as good as can be; 1: no better than a choice by lot. */
  return { hidden, worth, regret: (weights: Weights) => (optimum - worth(weights)) / (optimum - byLot) }
}

/** What is true of a clinic's modes: shares answered right (from, to), tokens a second and seconds to the first token with the machine to itself. */
interface Truth {
  right: Readonly<Record<Mode, readonly [number, number]>>
  speed: Readonly<Record<Mode, number>>
  first: Readonly<Record<Mode, number>>
}
export const truths = {
  /** A merged form that lost what its adapters know: speed is not what this clinic misses. */
  'knowledge in adapters': {
    right: { base: [0.3, 0.45], adapter: [0.85, 0.97], merged: [0.35, 0.5] },
    speed: { base: 14, adapter: 12, merged: 14 },
    first: { base: 1.8, adapter: 2.1, merged: 1.8 },
  },
  /** An old processor, on which adapters cost a third of the speed and are hardly better. */
  'an old processor': {
    right: { base: [0.4, 0.6], adapter: [0.86, 0.92], merged: [0.82, 0.9] },
    speed: { base: 5, adapter: 3.4, merged: 5 },
    first: { base: 4, adapter: 6, merged: 4 },
  },
} satisfies Record<string, Truth>

/**
 * A clinic over a working year: other programs come and go, and so do seasons of other questions. Answers take longer than predicted by a
 * factor of its own, and validation is near the truth, not the truth. What happens does not depend on the modes chosen.
 */
export class LivingClinic {
  readonly #random: () => number
  readonly #truth: Truth
  readonly #right: Record<Mode, Record<Category, number>>
  readonly #slower: number
  readonly #counts: Partial<Record<Category, number>> = {}
  #busy = 1
  #season = 0

  constructor(seed: number, truth: Truth) {
    const random = (this.#random = randomFrom(seed))
    const each = ([low, high]: readonly [number, number]) =>
      Object.fromEntries(categories.map((category) => [category, low + (high - low) * random()])) as Record<Category, number>
    this.#truth = truth
    this.#right = { base: each(truth.right.base), adapter: each(truth.right.adapter), merged: each(truth.right.merged) }
    this.#slower = 0.9 + 0.4 * random()
  }

  /** What is known before the next question. */
  next(current: Mode | null): { situation: Situation; category: Category } {
    const random = this.#random
    const [change, busy, turn, season, ordinary, any] = Array.from({ length: 6 }, random) as [number, number, number, number, number, number]
    if (change < 0.03) this.#busy = 0.7 + 0.9 * busy
    if (turn < 0.02) this.#season = Math.floor(season * categories.length)
    const category = ordinary < 0.5 ? categories[this.#season]! : categories[Math.floor(any * categories.length)]!
    const options = modes.map((mode) => {
      const bytes = { base: 4.3e9, adapter: 4.7e9, merged: 4.4e9 }[mode]
      const made = option(mode, { bytes, speed: this.#truth.speed[mode] / this.#busy, first: this.#truth.first[mode] * this.#busy })
      return { ...made, scores: scoresFrom((one) => this.#right[mode][one] * 0.97, 60) }
    })
    return { situation: situation(options, { current, usableBytes: 6.5e9, mix: mixOf(this.#counts) }), category }
  }

  /** The worth of answering in `mode` that chance leaves on average. */
  expected({ options, targets }: Situation, category: Category, mode: Mode): number {
    const right = this.#right[mode][category]
    const { prediction } = options.find((one) => one.mode === mode)!
    const pace = paceOf(prediction.firstTokenSeconds * this.#slower, prediction.tokensPerSecond / this.#slower, targets)
    return (QUALITY.accepted * right + QUALITY.regenerated * (1 - right)) * pace
  }

  /** One answer, as chance has it. */
  answer({ options }: Situation, category: Category, mode: Mode): Lived {
    this.#counts[category] = (this.#counts[category] ?? 0) + 1
    const { prediction } = options.find((one) => one.mode === mode)!
    const slower = this.#slower * Math.exp(0.15 * (this.#random() - 0.5))
    const outcome: Received = this.#random() < this.#right[mode][category] ? 'accepted' : 'regenerated'
    const times = { firstTokenMs: 1000 * prediction.firstTokenSeconds * slower, tokensPerSecond: prediction.tokensPerSecond / slower }
    return { mode, category, outcome, promptTokens: 400, tokens: 250, ...times }
  }
}
