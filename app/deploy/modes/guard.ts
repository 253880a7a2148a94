// Owns learned weights while they are in use: when new ones may be tried, how long, and when the former ones come back.
import * as z from 'zod'
import { farApart, optimise } from './bayes.ts'
import { POLICY, type Policy } from './hysteresis.ts'
import { replay, type History } from './replay.ts'
import type { Weights } from './situation.ts'

const MOST_BARRED = 20
const Share = z.number().min(0).max(1)
const WeightsForm = z
  .object({ performance: Share, fit: Share, cost: Share })
  .refine(({ performance, fit, cost }) => Math.abs(performance + fit + cost - 1) < 1e-6, 'are not 1 together')
/** What is kept between runs. A damaged one is dropped: learning begins again from the clinic's priority. */
export const Learned = z.object({
  weights: WeightsForm,
  /** While new weights are on trial: those before, and what was seen since. */
  trial: z.object({ before: WeightsForm, answers: z.number().int().min(0), failedInARow: z.number().int().min(0) }).nullable(),
  /** Tried and found worse. */
  barred: z.array(WeightsForm).max(MOST_BARRED),
})
export type Learned = z.infer<typeof Learned>

/** Answers of a trial. */
export const TRIAL = 40
const FAILURES = 3
/** Mean utilities differ by chance: so much less still counts as not worse, and so much more is worth a trial. */
const TOLERANCE = 0.02
const GAIN = 0.005
/** Nothing is learned from fewer questions, and older ones than these were other times. */
const ENOUGH = 60
const LATEST = 400
const EVALUATIONS = 40
/** Weights so near to barred ones are barred too. */
const NEAR = 0.05

export const startFrom = (weights: Weights): Learned => ({ weights, trial: null, barred: [] })

export interface Step {
  learned: Learned
  /** For the page; empty when nothing has changed. */
  says: string
}

/**
 * To be called now and then, outside of answers, with the latest recorded questions up to now, oldest first. Ends a trial that has had its answers; else
 * looks for better weights and puts them on trial. Only the latest 400 count. Pure; some hundred milliseconds.
 */
export function review(learned: Learned, history: History, policy: Policy = POLICY): Step {
  if (learned.trial) return learned.trial.answers < TRIAL ? { learned, says: '' } : judge(learned, learned.trial, history, policy)
  return history.length < ENOUGH ? { learned, says: '' } : propose(learned, history.slice(-LATEST), policy)
}

/** What the answers of the trial were worth, against what the former weights would have made of the same questions. */
function judge(learned: Learned, { before, answers }: NonNullable<Learned['trial']>, history: History, policy: Policy): Step {
  const since = history.slice(-answers)
  const [now, then] = [replay(since, learned.weights, policy).utility, replay(since, before, policy).utility]
  const compared = `${answers} answers were worth ${figure(now)} on average, with the former weights it would have been ${figure(then)}`
  if (now < then - TOLERANCE) return back(learned, compared)
  return { learned: { ...learned, trial: null }, says: `The new weights are kept: ${compared}.` }
}

/** Only weights that are predicted to be better, and that one standard deviation below the prediction are still not worse by more than TOLERANCE. */
function propose(learned: Learned, history: History, policy: Policy): Step {
  const now = replay(history, learned.weights, policy)
  const isBarred = (weights: Weights) => learned.barred.some((barred) => farApart(barred, weights) < NEAR)
  const { tried } = optimise((weights) => replay(history, weights, policy).utility, { evaluations: EVALUATIONS, first: [learned.weights] })
  const candidates = tried.filter(({ weights, value }) => value > now.utility + GAIN && !isBarred(weights)).sort((a, b) => b.value - a.value)
  for (const { weights } of candidates) {
    const then = replay(history, weights, policy)
    if (then.lower < now.utility - TOLERANCE) continue
    const sources = `${percent(then.observed)} of it observed and ${percent(then.predicted)} predicted`
    return {
      learned: { ...learned, weights, trial: { before: learned.weights, answers: 0, failedInARow: 0 } },
      says: `Other weights are tried for ${TRIAL} answers: ${history.length} recorded questions would have been worth ${figure(then.utility)} instead of ${figure(now.utility)} on average, ${sources}.`,
    }
  }
  return { learned, says: '' }
}

/** Takes notice of an answer that was given under the present weights; a run of failures ends a trial at once. Pure. */
export function observe(learned: Learned, { failed }: { failed: boolean }): Step {
  const { trial } = learned
  if (!trial) return { learned, says: '' }
  const failedInARow = failed ? trial.failedInARow + 1 : 0
  if (failedInARow >= FAILURES) return back(learned, `${FAILURES} answers in a row failed`)
  return { learned: { ...learned, trial: { ...trial, answers: trial.answers + 1, failedInARow } }, says: '' }
}

function back(learned: Learned, why: string): Step {
  const barred = [...learned.barred, learned.weights].slice(-MOST_BARRED)
  return { learned: { weights: learned.trial!.before, trial: null, barred }, says: `The former weights are back: ${why}.` }
}

const figure = (value: number) => value.toFixed(2)
const percent = (share: number) => `${Math.round(share * 100)} %`
