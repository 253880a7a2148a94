// Owns the score of equation 9, S(E, H, L): first word, tokens a second, energy and trust of one engine under the present workload, 0…1.
import { TYPICAL } from '../affinity.ts'
import { wattHours } from './energy.ts'
import type { Speed } from './learned.ts'

/** E and H in numbers: what is expected of one engine on this hardware. */
export interface Expected extends Speed {
  /** Watts while it computes; null for a server, whose draw is assumed. */
  watts: number | null
  /** Recent failures, as troubleNow() gives them. */
  trouble: number
}
/** L: what else goes on. */
export interface Workload {
  /** Answers that must be finished before this one begins; 0 where the engine writes several at once. */
  ahead: number
  /** This computer runs on its battery. */
  battery: boolean
  promptTokens: number
  answerTokens: number
}
export type Terms = { first: number; speed: number; energy: number; trust: number }

/** Where a term is one half: a pause in a consultation, a quick reader, one answer of a desktop processor. */
const HALF = { firstMs: 2_000, tokensPerSecond: 10, wattHours: 0.5 }
/** Their sum is 1. A person waits for the first word and then reads; a failure costs both. */
const WEIGHTS: Terms = { first: 0.4, speed: 0.25, energy: 0.1, trust: 0.25 }
/** A laptop away from its socket has the rest of the day before it. */
const ON_BATTERY: Terms = { first: 0.3, speed: 0.2, energy: 0.3, trust: 0.2 }

export const typicalLoad: Workload = { ahead: 0, battery: false, promptTokens: TYPICAL.promptTokens, answerTokens: TYPICAL.answerTokens }

/** Each term is 0…1 and already times its weight; the score is their sum. Waiting for those ahead counts as waiting for the first word. */
export function score(expected: Expected, load: Workload): { score: number; terms: Terms; firstMs: number; wattHours: number } {
  const { firstMs, tokensPerSecond, watts, trouble } = expected
  const whole = firstMs + (load.answerTokens / tokensPerSecond) * 1000
  const waited = firstMs + load.ahead * whole
  const energy = wattHours(watts, expected, load.answerTokens)
  const weights = load.battery ? ON_BATTERY : WEIGHTS
  const terms: Terms = {
    first: weights.first * (HALF.firstMs / (HALF.firstMs + waited)),
    speed: weights.speed * (tokensPerSecond / (tokensPerSecond + HALF.tokensPerSecond)),
    energy: weights.energy * (HALF.wattHours / (HALF.wattHours + energy)),
    trust: weights.trust * 2 ** -trouble,
  }
  return { score: terms.first + terms.speed + terms.energy + terms.trust, terms, firstMs: waited, wattHours: energy }
}
