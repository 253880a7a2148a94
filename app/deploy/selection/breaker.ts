// Owns the circuit breaker of an engine: closed while it works, open for a growing time after a failure, half-open for one trial after that.
import * as z from 'zod'

export const Breaker = z.strictObject({
  /** In a row. */
  failures: z.number().int().min(0).max(1e9),
  /** null: closed. */
  openUntil: z.iso.datetime().nullable(),
})
export type Breaker = z.infer<typeof Breaker>
export type Fence = 'closed' | 'open' | 'half-open'
export const CLOSED: Breaker = { failures: 0, openUntil: null }

/** Milliseconds: a program that is restarted is back by then, and after the longest somebody has noticed. */
export const FIRST_WAIT = 15_000
export const LONGEST_WAIT = 10 * 60_000

/** The wait after so many failures in a row. */
export const waitAfter = (failures: number): number => Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(30, failures - 1))

export function afterFailure({ failures }: Breaker, now: Date): Breaker {
  return { failures: failures + 1, openUntil: new Date(now.getTime() + waitAfter(failures + 1)).toISOString() }
}

/** An answer, or a test, went well. */
export const afterSuccess = (): Breaker => CLOSED

/** `now` before the time at which it was opened means that a clock was set back: then nobody waits longer than the wait itself. */
export function fenceOf({ failures, openUntil }: Breaker, now: Date): Fence {
  if (openUntil === null) return 'closed'
  const left = Date.parse(openUntil) - now.getTime()
  return left <= 0 || left > waitAfter(failures) ? 'half-open' : 'open'
}
