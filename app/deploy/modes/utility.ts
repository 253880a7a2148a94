// Owns the utility of an answer, 0…1: how it was received, and how long it took against what the clinic waits for without being disturbed.
import type { Category } from '../../contract/entities.ts'
import type { Mode, Targets } from './situation.ts'

/** What is known of a finished turn; the store keeps it. */
export interface Lived {
  mode: Mode
  category: Category
  promptTokens: number
  tokens: number
  firstTokenMs: number | null
  tokensPerSecond: number | null
  outcome: Received
}
export type Received = 'accepted' | 'regenerated' | 'stopped' | 'failed'

/** An answer that was left as it is may still be wrong: this is what can be seen of it, no more. */
export const QUALITY: Readonly<Record<Received, number>> = { accepted: 1, stopped: 0.5, regenerated: 0.25, failed: 0 }
/** Of an accepted answer, however slow. */
const WHATEVER_SPEED = 0.5
const FIRST_TOKEN = 0.3
const SPEED = 0.2

/** 0.5…1: 0.5 + 0.3 · min(1, target / first token) + 0.2 · min(1, speed / target). Faster than the target is no better. null counts as never. */
export function paceOf(firstTokenSeconds: number | null, tokensPerSecond: number | null, targets: Targets): number {
  const first = firstTokenSeconds === null ? 0 : Math.min(1, targets.firstTokenSeconds / Math.max(firstTokenSeconds, 1e-9))
  const speed = tokensPerSecond === null ? 0 : Math.min(1, tokensPerSecond / targets.tokensPerSecond)
  return WHATEVER_SPEED + FIRST_TOKEN * first + SPEED * speed
}

/** quality · pace: accepted on target 1, regenerated at most 0.25, failed 0. */
export function utilityOf({ outcome, firstTokenMs, tokensPerSecond }: Lived, targets: Targets): number {
  return QUALITY[outcome] * paceOf(firstTokenMs === null ? null : firstTokenMs / 1000, tokensPerSecond, targets)
}

/** The mean quality to expect of a mode that answers the share `right` of questions right, before anybody has seen it answer here. */
export const expectedQuality = (right: number): number => QUALITY.regenerated + (QUALITY.accepted - QUALITY.regenerated) * right
