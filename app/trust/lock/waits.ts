// Owns how long one waits after wrong PINs: a pure reckoning that neither a restart nor a clock set back shortens, and no wrong clock prolongs.
import * as z from 'zod'

/** Typing errors are free; from then on waits double up to an hour: a day of guessing yields some thirty of 10,000. */
export const FREE_FAILURES = 5
const FIRST_WAIT_MS = 30_000
const LONGEST_WAIT_MS = 3_600_000

/** What is stored. `since` is the wall clock when the wait began, in milliseconds. */
export const Attempts = z.strictObject({ failures: z.number().int().min(0), since: z.number().int() })
export type Attempts = z.infer<typeof Attempts>
export const noAttempts: Attempts = { failures: 0, since: 0 }

/** The wait that `failures` wrong PINs in a row bring, in milliseconds. */
export function waitAfter(failures: number): number {
  return failures < FREE_FAILURES ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, failures - FREE_FAILURES))
}

/**
 * What is left of the wait at `now`. A clock that stands before the wait's beginning was set back: the wait begins again from there, once,
 * and `attempts` says so; store it. A clock set forward across a restart does shorten a wait: whoever may set it is administrator here.
 */
export function waitLeft(attempts: Attempts, now: number): { ms: number; attempts: Attempts } {
  const wait = waitAfter(attempts.failures)
  if (wait === 0) return { ms: 0, attempts }
  const anchored = now < attempts.since ? { ...attempts, since: now } : attempts
  return { ms: Math.max(0, anchored.since + wait - now), attempts: anchored }
}

/** To be stored before the PIN is looked at: a program that is killed while it looks must not give a guess away for nothing. */
export const beginAttempt = (attempts: Attempts, now: number): Attempts => ({ failures: attempts.failures + 1, since: now })
