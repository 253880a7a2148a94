// Owns the rule that keeps modes from changing to and fro: a margin that must be won, and a least stay.
import type { Mode } from './situation.ts'

export interface Policy {
  /** By how much another mode's score must be higher. */
  margin: number
  /** Questions that a mode answers before another may take its place; so n questions see at most n / minimumStay changes. */
  minimumStay: number
}
export const POLICY: Policy = { margin: 0.02, minimumStay: 20 }

/** The mode that serves, and how many questions it has answered since it began to. */
export interface Stay {
  mode: Mode
  questions: number
}

/** The highest score; of equal ones the mode that takes less memory. null of none. */
export function bestOf(usable: readonly { mode: Mode; score: number; bytes: number }[]): Mode | null {
  let best: (typeof usable)[number] | null = null
  for (const one of usable) if (!best || one.score > best.score || (one.score === best.score && one.bytes < best.bytes)) best = one
  return best?.mode ?? null
}

/** The mode of `stay` where it must not yet make room for `best`, else null. A mode that can no longer be used never stays. */
export function stays(usable: readonly { mode: Mode; score: number }[], best: Mode, stay: Stay | null, policy: Policy): Mode | null {
  if (!stay || stay.mode === best) return null
  const present = usable.find(({ mode }) => mode === stay.mode)
  const rival = usable.find(({ mode }) => mode === best)
  if (!present || !rival) return null
  return stay.questions < policy.minimumStay || rival.score - present.score < policy.margin ? stay.mode : null
}

/** The stay after a question was answered in `mode`. */
export const served = (stay: Stay | null, mode: Mode): Stay => ({ mode, questions: (stay?.mode === mode ? stay.questions : 0) + 1 })
