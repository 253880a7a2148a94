// Owns equation 9 among the backends of this computer: each plan scored by prediction and experience, and the order in which they are tried.
import type { ModelShape } from '../../contract/shape.ts'
import { forecast } from '../forecast.ts'
import type { HardwareProfile } from '../hardware.ts'
import type { Plan } from '../plan.ts'
import { wattsOf } from './energy.ts'
import { expectation, nothingLearned, troubleNow, type Learned, type Speed } from './learned.ts'
import { score, typicalLoad, type Expected, type Terms, type Workload } from './score.ts'

/** Under which what is learned of a plan is kept: the backend, its cards and the model. How many layers are where changes, and the forecast knows it. */
export function engineKey(model: string, { backend, devices }: Plan): string {
  const cards = devices.slice(1).map(({ name }) => name)
  return ['computer', backend, ...cards, model].join(' | ').slice(0, 400)
}

const speedOf = (profile: HardwareProfile, shape: ModelShape, plan: Plan, promptTokens: number): Speed => {
  const { firstTokenSeconds, tokensPerSecond } = forecast(profile, shape, plan, { ...typicalLoad, promptTokens })
  return { firstMs: firstTokenSeconds * 1000, tokensPerSecond }
}
const idle = (profile: HardwareProfile): HardwareProfile => ({ ...profile, load: { busyCores: 0 } })

/** How many times longer than on an idle computer `plan` takes now. */
export function slowedBy(profile: HardwareProfile, shape: ModelShape, plan: Plan): number {
  const now = forecast(profile, shape, plan).questionSeconds
  return Math.max(1, now / forecast(idle(profile), shape, plan).questionSeconds)
}

/** What is expected of `plan` now: forecast and experience of an idle computer, slowed by what other programs take. */
export function expectedOf(
  profile: HardwareProfile,
  shape: ModelShape,
  plan: Plan,
  learned: Learned | null,
  promptTokens: number,
  now: Date,
): Expected & { answers: number } {
  const known = learned ?? nothingLearned(now)
  const { firstMs, tokensPerSecond, answers } = expectation(known, (tokens) => speedOf(idle(profile), shape, plan, tokens), promptTokens, now)
  const slower = slowedBy(profile, shape, plan)
  return {
    firstMs: firstMs * slower,
    tokensPerSecond: tokensPerSecond / slower,
    answers,
    watts: wattsOf(profile, plan),
    trouble: troubleNow(known, now),
  }
}

export interface ScoredPlan {
  plan: Plan
  score: number
  terms: Terms
  expected: Expected & { answers: number }
  wattHours: number
}
export interface Experience {
  model: string
  learned: (key: string) => Learned | null
  now: Date
}

export function scorePlan(
  profile: HardwareProfile,
  shape: ModelShape,
  plan: Plan,
  { model, learned, now }: Experience,
  load: Partial<Workload> = {},
): ScoredPlan {
  const asked = { ...typicalLoad, battery: profile.power.battery, ...load }
  const expected = expectedOf(profile, shape, plan, learned(engineKey(model, plan)), asked.promptTokens, now)
  const { score: sum, terms, wattHours } = score(expected, asked)
  return { plan, score: sum, terms, expected, wattHours }
}

/** Of the score. The first of `plans` is the optimum of the prediction; only what experience clearly says goes before it. */
const MARGIN = 0.04

/** Experience says that `plan` is not worth leaving `current` for, whatever the prediction. */
export function knownWorse(profile: HardwareProfile, shape: ModelShape, plan: Plan, current: Plan, experience: Experience): boolean {
  if (experience.learned(engineKey(experience.model, plan)) === null) return false
  const points = (one: Plan) => scorePlan(profile, shape, one, experience).score
  return points(current) - points(plan) >= MARGIN
}

/** `plans` in the order in which they are to be tried: the first stays where it is unless another one is better by enough. */
export function inOrder(profile: HardwareProfile, shape: ModelShape, plans: readonly Plan[], experience: Experience): Plan[] {
  if (plans.length < 2) return [...plans]
  const scored = plans.map((plan) => scorePlan(profile, shape, plan, experience))
  const [first, ...rest] = scored
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
  if (best === first || best.score - first!.score < MARGIN) return [...plans]
  return [best.plan, first!.plan, ...rest.filter((one) => one !== best).map(({ plan }) => plan)]
}
