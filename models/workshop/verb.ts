// Owns what a verb of `npm run model` is: its words, its options and its run.
import type { ParseArgsConfig } from 'node:util'
import type { Progress } from './progress.ts'
import type { Report } from './report.ts'

export interface VerbInput {
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>
}
export interface VerbContext {
  /** Aborted by Ctrl-C: the verb stops at once and leaves no half file. */
  readonly signal: AbortSignal
  readonly progress: Progress
}
export interface Verb {
  readonly name: string
  /** One line for the list of verbs. */
  readonly about: string
  /** The arguments behind the name: "IN OUT --recipe FILE". */
  readonly usage: string
  /** Number of positional arguments: least and most. */
  readonly positionals: readonly [number, number]
  /** Beside --json and --help, which every verb has. */
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** What the options mean, and what a reader must know; lines of at most 100 characters. */
  readonly help: string
  run(input: VerbInput, context: VerbContext): Promise<Report>
}

/** A wrong use of the command: said with the verb's help, exit code 2. */
export class WrongUse extends Error {
  override name = 'WrongUse'
}

/** The text of an option, or undefined. */
export function optionText(input: VerbInput, name: string): string | undefined {
  const value = input.values[name]
  return typeof value === 'string' ? value : undefined
}

/** A whole number of an option within `least`…`most`. Throws WrongUse. */
export function optionNumber(input: VerbInput, name: string, least: number, most: number): number | undefined {
  const value = optionText(input, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (value.trim() === '' || !Number.isInteger(number) || number < least || number > most)
    throw new WrongUse(`--${name} takes a whole number from ${least} to ${most}, not “${value}”.`)
  return number
}
