// Owns how a test runs a verb of the workshop: in this process, silent, with its options' defaults.
import { expect } from 'vitest'
import { AppError } from '../../app/contract/errors.ts'
import { Progress } from '../../models/workshop/progress.ts'
import type { Report } from '../../models/workshop/report.ts'
import type { Verb } from '../../models/workshop/verb.ts'

export function runVerb(
  verb: Verb,
  positionals: string[],
  values: Record<string, string | boolean> = {},
  signal = new AbortController().signal,
): Promise<Report> {
  const defaults = Object.fromEntries(
    Object.entries(verb.options).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
  )
  return verb.run({ positionals, values: { ...defaults, ...values } }, { signal, progress: new Progress(null) })
}

/** That `promise` ends in an AppError of `code` whose message holds every one of `words`. */
export async function expectRefusal(promise: Promise<unknown>, code: string, ...words: string[]): Promise<void> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error, `nothing was refused (${words.join(', ')})`).not.toBeNull()
  if (!(error instanceof AppError)) throw error
  expect(error.code, error.message).toBe(code)
  for (const word of words) expect(error.message).toContain(word)
}

/** The largest difference, as a share of the root mean square of `wanted`. */
export function relativeError(given: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(given.length).toBe(wanted.length)
  let [most, squares] = [0, 0]
  for (let n = 0; n < wanted.length; n++) {
    const difference = Math.abs(given[n]! - wanted[n]!)
    // a NaN must not pass as "not larger"
    if (!(difference <= most)) most = difference
    squares += wanted[n]! ** 2
  }
  return most / Math.sqrt(squares / wanted.length)
}
