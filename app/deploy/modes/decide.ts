// Owns the decision by equation 7: which mode answers, under a priority or learned weights, a pin, and a stay that prevents flapping.
import { bestOf, type Policy, POLICY, type Stay, stays } from './hysteresis.ts'
import type { Mode, Situation, Weights } from './situation.ts'
import { scoreOf, termsOf, type Terms } from './terms.ts'
import { reasonsOf } from './words.ts'

/** What a clinic may ask for, without knowing weights. */
export type Priority = 'fast' | 'specialised' | 'light'
export const presets: Readonly<Record<Priority, Weights>> = {
  fast: { performance: 0.88, fit: 0.07, cost: 0.05 },
  specialised: { performance: 0.15, fit: 0.75, cost: 0.1 },
  light: { performance: 0.3, fit: 0.1, cost: 0.6 },
}

export interface Judged {
  mode: Mode
  /** D, between −w3 and w1 + w2; null for a mode that cannot be used. */
  score: number | null
  terms: Terms
  refused: { code: string; message: string } | null
}
/** only: no other mode can be used. stay: another would score higher, and the present one stays for now. */
export type DecidedBy = 'pin' | 'only' | 'score' | 'stay'
export interface Decision {
  mode: Mode
  by: DecidedBy
  weights: Weights
  /** Every mode that the family has, best first; those that cannot be used at the end. */
  modes: readonly Judged[]
  /** Sentences for the page. */
  reasons: readonly string[]
  /** What has to happen before the mode can answer; null when it serves already. */
  change: { from: Mode | null; seconds: number } | null
}

export interface Choice {
  weights: Weights
  /** Set by a user or by IT; goes before every score. */
  pin?: Mode | null
  /** How long the present mode has served under these weights; null: weights, pin or models have just changed, so nothing holds it. */
  stay?: Stay | null
  policy?: Policy
}

/**
 * The mode for the next question. Pure. null only when no mode can be used at all. `situation.current` is the mode that serves; a pin on a mode
 * that cannot be used is passed over, and the reasons say so.
 */
export function decide(situation: Situation, choice: Choice): Decision | null {
  const { weights, pin = null, stay = null, policy = POLICY } = choice
  const judged = situation.options.map((option): Judged => {
    const terms = termsOf(option, situation)
    return { mode: option.mode, terms, refused: option.refused, score: option.refused ? null : scoreOf(weights, terms) }
  })
  const usable = judged.filter((one): one is Judged & { score: number } => one.score !== null)
  const best = bestOf(usable.map(({ mode, score, terms }) => ({ mode, score, bytes: terms.cost.bytes })))
  if (best === null) return null
  const sorted = [...usable].sort((a, b) => b.score - a.score || a.terms.cost.bytes - b.terms.cost.bytes)
  const modes = [...sorted, ...judged.filter(({ score }) => score === null)]
  const pinned = usable.find(({ mode }) => mode === pin)
  const kept = stays(
    usable.map(({ mode, score }) => ({ mode, score })),
    best,
    stay,
    policy,
  )
  const [mode, by]: [Mode, DecidedBy] = pinned ? [pinned.mode, 'pin'] : usable.length === 1 ? [best, 'only'] : kept ? [kept, 'stay'] : [best, 'score']
  const { terms } = usable.find((one) => one.mode === mode)!
  const change = mode === situation.current ? null : { from: situation.current, seconds: terms.cost.switchSeconds }
  return { mode, by, weights, modes, change, reasons: reasonsOf({ mode, by, modes, pin, stay, policy, expected: situation.expectedQuestions }) }
}
