// Owns the figures of an examination: accuracy by set and subject beside what guessing gives, coverage, calibration, order bias, and Table 1. Pure.
import { calibration, type Calibration } from '../eval/calibration.ts'
import { interval } from '../eval/score.ts'
import { median, percent, wilson, type Row } from '../report.ts'
import type { Result } from './run.ts'
import { confidenceOf } from './sheet.ts'

export interface Figures {
  readonly questions: number
  readonly right: number
  /** Expected share of right answers of one who draws an option blindly: the mean of 1/options, 0…1. */
  readonly random: number
  /** Share of right answers of one who always gives the letter that is most often right in these questions, 0…1. */
  readonly majority: number
  /** Written answers in which no choice stands; they count as wrong. */
  readonly unparsed: number
  /** Questions that do not fit the model; they count as wrong. */
  readonly tooLong: number
  /** Mean coverage of core concepts over the questions that have one, 0…1; null of none. */
  readonly coverage: number | null
}
const mean = (values: readonly number[]): number => (values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length)
const count = (results: readonly Result[], of: (one: Result) => boolean) => results.filter(of).length

export function figuresOf(results: readonly Result[]): Figures {
  const letters = [...Map.groupBy(results, ({ question }) => question.answer).values()].map(({ length }) => length)
  const covered = results.flatMap(({ coverage }) => (coverage === null ? [] : [coverage]))
  return {
    ...{ questions: results.length, right: count(results, ({ right }) => right) },
    random: mean(results.map(({ question }) => 1 / question.options.length)),
    majority: results.length === 0 ? NaN : Math.max(...letters) / results.length,
    unparsed: count(results, ({ sheet }) => sheet.letter === null && !sheet.tooLong),
    tooLong: count(results, ({ sheet }) => sheet.tooLong),
    coverage: covered.length === 0 ? null : mean(covered),
  }
}

/** Whether the share right can be told from blind guessing, by its 95 % Wilson interval. */
export function againstChance({ right, questions, random }: Figures): 'above chance' | 'like chance' | 'below chance' {
  const { low, high } = wilson(right, questions)
  return low > random ? 'above chance' : high < random ? 'below chance' : 'like chance'
}

function row(set: string, subject: string, results: readonly Result[]): Row {
  const figures = figuresOf(results)
  const { questions, right, random, majority, unparsed, tooLong, coverage } = figures
  return {
    ...{ set, subject, questions, 'right %': interval({ hits: right, total: questions }) },
    ...{ 'random %': percent(random), 'majority %': percent(majority), verdict: againstChance(figures) },
    ...{ unparsed, 'too long': tooLong, 'core concepts %': coverage === null ? null : percent(coverage) },
  }
}

/** A row per set and, below it, per subject where it has more than one. */
export function rowsOf(results: readonly Result[]): Row[] {
  return [...Map.groupBy(results, ({ question }) => question.set)].flatMap(([set, inSet]) => {
    const subjects = [...Map.groupBy(inSet, ({ question }) => question.subject)].sort(([a], [b]) => a.localeCompare(b, 'en'))
    const parts = subjects.length < 2 ? [] : subjects.map(([subject, part]) => row(set, subject, part))
    return [row(set, 'all', inSet), ...parts]
  })
}

/** One row of Table 1: accuracy on each data set in percent with its interval, coverage of core concepts, median seconds a question. */
export function tableOne(model: string, results: readonly Result[]): Row {
  const sets = [...Map.groupBy(results, ({ question }) => question.set)]
  const { coverage } = figuresOf(results)
  const seconds = results.filter(({ sheet }) => !sheet.tooLong).map(({ sheet }) => sheet.seconds)
  return {
    model,
    ...Object.fromEntries(sets.map(([set, part]) => [`${set} %`, interval({ hits: count(part, ({ right }) => right), total: part.length })])),
    ...{ 'core concepts %': coverage === null ? null : percent(coverage), 's a question': seconds.length === 0 ? null : median(seconds) },
  }
}

/** Of the letters' probabilities; an option's words have none that add up to anything, and written answers none at all: then null. */
export function calibrationOf(results: readonly Result[]): Calibration | null {
  const letters = results.filter(({ sheet }) => sheet.mass !== null)
  return letters.length === 0 ? null : calibration(letters.map(({ sheet, right }) => ({ confidence: confidenceOf(sheet), right })))
}
/** Median share of all probability that went to the letters, 0…1; null where no letter was weighed. */
export function massOf(results: readonly Result[]): number | null {
  const masses = results.flatMap(({ sheet }) => (sheet.mass === null ? [] : [sheet.mass]))
  return masses.length === 0 ? null : median(masses)
}

/** How often each letter was chosen and how often it is right: a model that knows nothing has a favourite place. */
export function lettersOf(results: readonly Result[]): Row[] {
  const letters = [...new Set(results.flatMap(({ question }) => question.options.map(({ letter }) => letter)))].sort()
  return letters.map((letter) => ({
    letter,
    chosen: count(results, ({ sheet }) => sheet.letter === letter),
    right: count(results, ({ question }) => question.answer === letter),
  }))
}

export interface OrderBias {
  /** Questions asked in both orders. */
  readonly questions: number
  readonly right: number
  readonly rightAgain: number
  /** Questions in which both orders led to the same option, whatever its place. */
  readonly same: number
}
/** Null where nothing was asked in another order. */
export function orderBias(results: readonly Result[]): OrderBias | null {
  const both = results.filter(({ again }) => again !== null)
  if (both.length === 0) return null
  return {
    ...{ questions: both.length, right: count(both, ({ right }) => right), rightAgain: count(both, ({ again }) => again!.right) },
    same: count(both, ({ sheet, again }) => sheet.letter !== null && sheet.letter === again!.letter),
  }
}
