// Owns what a calculator is: checked inputs with units and limits, a pure function, a result in words with its source.
import * as z from 'zod'
import { AppError } from '../../contract/errors.ts'

export interface CalculatorResult {
  /** Rounded as its source rounds it. */
  readonly value: number
  /** '' for points. */
  readonly unit: string
  /** The band in a few words: "moderate risk". */
  readonly band: string
  /** What it means and what it does not, one or two sentences. */
  readonly text: string
  /** What each input gave; empty for a formula. */
  readonly points: readonly { readonly item: string; readonly points: number }[]
}

export interface Calculator<Input extends z.ZodType = z.ZodType> {
  readonly id: string
  readonly name: string
  /** Author, journal, year; and the guideline whose bands are used. */
  readonly source: string
  /** For whom it does not hold. */
  readonly limits: string
  /** Every field carries its unit in its name or `describe`. */
  readonly input: Input
  /** Words of an answer that mention it, lower case. */
  readonly mentions: readonly string[]
  compute(input: z.infer<Input>): CalculatorResult
}

/** Keeps the input type of one calculator while it is written. */
export const calculator = <Input extends z.ZodType>(definition: Calculator<Input>): Calculator<Input> => definition

/** Parses `input` and computes. Throws BAD_INPUT that names every field outside its limits. */
export function calculate<Input extends z.ZodType>(one: Calculator<Input>, input: unknown): CalculatorResult {
  const parsed = one.input.safeParse(input)
  if (parsed.success) return one.compute(parsed.data)
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
  throw new AppError('BAD_INPUT', `${one.name} cannot be calculated. Correct: ${faults.join('; ')}.`, { calculator: one.id, faults })
}

/** A number with its limits and unit, refused with a sentence that says both. */
export function measured(low: number, high: number, unit: string, what: string): z.ZodNumber {
  const error = `a number from ${low} to ${high} ${unit}`.trim()
  return z.number({ error }).min(low, { error }).max(high, { error }).describe(`${what}, ${unit}`)
}
/** Yes or no; never assumed. */
export const yesNo = (what: string): z.ZodBoolean => z.boolean({ error: 'say yes or no' }).describe(what)

/** The sum of points, with the items that gave any. */
export function tally(items: readonly (readonly [item: string, points: number])[]): { total: number; points: CalculatorResult['points'] } {
  const points = items.filter(([, count]) => count !== 0).map(([item, count]) => ({ item, points: count }))
  return { total: points.reduce((sum, { points: count }) => sum + count, 0), points }
}
