// Owns what an answer tells of the plan that it ran with: how long it took beside what was predicted for it, and what the calibration learns from it.
import type { GenerateEvent } from '../contract/engine.ts'
import type { PlanStatus } from '../contract/entities.ts'
import { TYPICAL } from '../deploy/affinity.ts'
import { calibrate, ENOUGH, forecast } from '../deploy/forecast.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { contention } from '../deploy/processors.ts'
import type { Placed } from './placed.ts'

/** Of the latest answer in the calibration; the first one counts whole. */
const WEIGHT = 0.3

export interface Pace {
  measured: NonNullable<PlanStatus['measured']>
  /** null where nothing can be learned. */
  calibration: NonNullable<HardwareProfile['calibration']> | null
}

/** `first`: the answer's first sign of reading, which says what was there already. null for an answer that was never begun. */
export function paceOf(
  { profile, shape, rungs, at }: Placed,
  first: Extract<GenerateEvent, { type: 'prefill' }> | null,
  done: Extract<GenerateEvent, { type: 'done' }>,
): Pace | null {
  const rung = rungs[at]
  if (!rung || done.firstTokenMs === null) return null
  const readTokens = done.promptTokens - (first?.done ?? 0)
  const tokensPerSecond = done.tokens >= ENOUGH ? done.tokensPerSecond : null
  const predicted = forecast(profile, shape, rung.plan, { promptTokens: readTokens, answerTokens: done.tokens })
  const measured = {
    ...{ firstTokenMs: done.firstTokenMs, predictedFirstTokenMs: predicted.firstTokenSeconds * 1000, tokensPerSecond },
    predictedTokensPerSecond: predicted.tokensPerSecond,
  }
  // what a busy machine took says little of an idle one
  if (contention(profile, rung.plan.threads) > 1) return { measured, calibration: null }
  const learned = profile.calibration !== null && Object.keys(profile.calibration.rates).length > 0
  // tokens that were guessed took no pass of their own over the weights
  const observed = { readTokens, readSeconds: done.firstTokenMs / 1000, tokensPerSecond: done.guessed ? null : tokensPerSecond }
  return { measured, calibration: calibrate(profile, shape, rung.plan, observed, learned ? WEIGHT : 1) }
}

/** Of the clinic's typical question with the rung that runs, in milliseconds and tokens. */
export function typicalPace({ profile, shape, rungs, at }: Placed): NonNullable<PlanStatus['predicted']> {
  const { firstTokenSeconds, tokensPerSecond } = forecast(profile, shape, rungs[at]!.plan, TYPICAL)
  return { firstTokenMs: firstTokenSeconds * 1000, tokensPerSecond }
}
