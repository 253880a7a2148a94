// Owns the replay of recorded questions under other weights: what is taken from records, what is predicted, and how sure the sum of both is.
import type { Category } from '../../contract/entities.ts'
import { fitOf, rightShare } from './fit.ts'
import { bestOf, POLICY, served, stays, type Policy, type Stay } from './hysteresis.ts'
import { mixOf } from './mix.ts'
import type { Mode, Option, Situation, Weights } from './situation.ts'
import { baseScores, costOf, performanceOf, scoreOf } from './terms.ts'
import { expectedQuality, paceOf, QUALITY, utilityOf, type Lived } from './utility.ts'

/** A question that was answered, and what was known when its mode was chosen. */
export interface Moment {
  situation: Situation
  lived: Lived
}

/**
 * Records of one family as moments, oldest first, on the computer and with the predictions as they are `now`; the mix is what had been asked
 * until then.
 */
export function momentsOf(lived: readonly Lived[], now: Omit<Situation, 'mix' | 'current'>): Moment[] {
  const counts: Partial<Record<Category, number>> = {}
  return lived.map((one, n) => {
    const situation = { ...now, mix: mixOf(counts), current: lived[n - 1]?.mode ?? null }
    counts[one.category] = (counts[one.category] ?? 0) + 1
    return { situation, lived: one }
  })
}

interface Arm {
  option: Option
  performance: number
  fit: number
  /** Whether this is the mode that really answered; then `utility` is what was observed. */
  observed: boolean
  utility: number
  firstTokenSeconds: number | null
  tokensPerSecond: number | null
  cell: Cell
}
interface Step {
  situation: Situation
  arms: readonly Arm[]
}
/** The quality of a mode for a category: the mean of a beta distribution, from validation at first and then from what was seen. */
interface Cell {
  /** Mode and category. */
  of: string
  mean: number
  deviation: number
}
export type History = readonly Step[]

/** Validation counts as much as so many answers seen. */
const PRIOR_ANSWERS = 10

/**
 * Prepares recorded questions, oldest first, for any number of replays.
 *
 * The mode was chosen by a rule, never by lot, so importance weights do not exist: what another mode would have done cannot be estimated from
 * records of this one. For the mode that answered, the record counts. For another, time is the recorded time scaled by the ratio of the
 * predictions for both modes, and quality is what this mode has shown in this category on other questions, or what its validation says (the
 * "direct method" of off-policy evaluation; Dudík, Langford and Li 2011).
 */
export function prepare(moments: readonly Moment[]): History {
  const seen = new Map<string, { sum: number; count: number }>()
  for (const { lived } of moments) {
    const key = `${lived.mode} ${lived.category}`
    const { sum, count } = seen.get(key) ?? { sum: 0, count: 0 }
    seen.set(key, { sum: sum + QUALITY[lived.outcome], count: count + 1 })
  }
  return moments.map(({ situation, lived }) => {
    const base = baseScores(situation)
    const actual = situation.options.find(({ mode }) => mode === lived.mode)
    const usable = situation.options.filter(({ refused }) => refused === null)
    const arms = usable.map((option): Arm => {
      const prior = expectedQuality(rightShare(option.scores, base, lived.category))
      const of = `${option.mode} ${lived.category}`
      const cell = { of, ...cellOf(seen.get(of) ?? { sum: 0, count: 0 }, prior) }
      const times = timesOf(lived, option, actual)
      const observed = option.mode === lived.mode
      const utility = observed
        ? utilityOf(lived, situation.targets)
        : cell.mean * paceOf(times.firstTokenSeconds, times.tokensPerSecond, situation.targets)
      const terms = { performance: performanceOf(option, situation).value, fit: fitOf(option.scores, base, situation.mix) }
      return { option, observed, utility, cell, ...times, ...terms }
    })
    return { situation, arms }
  })
}

function cellOf({ sum, count }: { sum: number; count: number }, prior: number): Omit<Cell, 'of'> {
  const all = count + PRIOR_ANSWERS
  const mean = (sum + PRIOR_ANSWERS * prior) / all
  return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (all + 1)) }
}

function timesOf(lived: Lived, option: Option, actual: Option | undefined): Pick<Arm, 'firstTokenSeconds' | 'tokensPerSecond'> {
  const { prediction } = option
  const first = lived.firstTokenMs === null ? null : lived.firstTokenMs / 1000
  if (!actual || first === null || lived.tokensPerSecond === null)
    return { firstTokenSeconds: prediction.firstTokenSeconds, tokensPerSecond: prediction.tokensPerSecond }
  return {
    firstTokenSeconds: (first * prediction.firstTokenSeconds) / actual.prediction.firstTokenSeconds,
    tokensPerSecond: (lived.tokensPerSecond * prediction.tokensPerSecond) / actual.prediction.tokensPerSecond,
  }
}

export interface Replayed {
  /** Mean utility of a question, 0…1. */
  utility: number
  /** One standard deviation below it, for what was predicted; what was observed has none. */
  lower: number
  /** Shares of the questions whose utility is from records and from predictions; together 1. */
  observed: number
  predicted: number
  switches: number
  /** Share of the questions that each mode answers. */
  modes: Readonly<Record<Mode, number>>
}

/** Goes through the history as if `weights` had chosen from its beginning, hysteresis included. Of no history: utility 0. */
export function replay(history: History, weights: Weights, policy: Policy = POLICY): Replayed {
  let stay: Stay | null = null
  let [utility, observed, switches] = [0, 0, 0]
  const modes: Record<Mode, number> = { base: 0, adapter: 0, merged: 0 }
  // questions of one mode and category are wrong together, if they are
  const leaning = new Map<string, number>()
  for (const { situation, arms } of history) {
    const scored = arms.map((arm) => ({ arm, mode: arm.option.mode, bytes: arm.option.bytes, score: dOf(arm, weights, situation, stay) }))
    const best = bestOf(scored)
    if (best === null) continue
    const mode: Mode = stays(scored, best, stay, policy) ?? best
    const { arm } = scored.find((one) => one.mode === mode)!
    const wait: number = stay === null || stay.mode === mode ? 0 : (arm.option.switchSeconds[stay.mode] ?? 0)
    const value = wait > 0 ? waited(arm, wait, situation) : arm.utility
    if (stay !== null && stay.mode !== mode) switches++
    stay = served(stay, mode)
    utility += value
    modes[mode]++
    if (arm.observed) observed++
    else if (arm.cell.mean > 0) {
      const { of, mean, deviation } = arm.cell
      leaning.set(of, (leaning.get(of) ?? 0) + (deviation * value) / mean)
    }
  }
  const count = Math.max(1, history.length)
  const spread = Math.hypot(...leaning.values()) / count
  const shares = Object.fromEntries(Object.entries(modes).map(([mode, n]) => [mode, n / count])) as Record<Mode, number>
  return {
    ...{ utility: utility / count, lower: utility / count - spread, switches, modes: shares },
    ...{ observed: observed / count, predicted: history.length === 0 ? 0 : 1 - observed / count },
  }
}

/** The present mode is that of the replay and not the one that was recorded. */
function dOf({ option, performance, fit }: Arm, weights: Weights, situation: Situation, stay: Stay | null): number {
  const { usableBytes, expectedQuestions } = situation
  const cost = costOf(option, { usableBytes, expectedQuestions, current: stay?.mode ?? situation.current })
  return scoreOf(weights, { performance: { value: performance }, fit: { value: fit }, cost })
}

/** The utility of the question that had to wait for the change. */
function waited({ utility, firstTokenSeconds, tokensPerSecond }: Arm, wait: number, { targets }: Situation): number {
  const without = paceOf(firstTokenSeconds, tokensPerSecond, targets)
  return (utility * paceOf((firstTokenSeconds ?? 0) + wait, tokensPerSecond, targets)) / without
}
