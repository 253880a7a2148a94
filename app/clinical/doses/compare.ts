// Owns the comparison of one dose statement with one line of a record: amount, frequency, ceilings, and the two slips that kill, tenfold and milli/micro.
import type { Dose } from '../records.ts'
import { plausibleWeight } from './people.ts'
import type { DoseStatement } from './parse.ts'
import { inBase, meaningOf, UNITS_PER_MICROGRAM } from './units.ts'

export type Finding = 'within' | 'above' | 'below' | 'tenfold' | 'unit' | 'unknown'
export interface Comparison {
  /** Null only where there was no line to compare with. */
  readonly line: Dose | null
  readonly finding: Finding
  /** What was not comparable, or which limit is passed; '' when all is within. */
  readonly why: string
  /** How far outside, as |ln|; 0 within. For choosing the line that was most likely meant. */
  readonly distance: number
  /** The single dose lies in the line; only how often, or the day's ceiling, is outside. */
  readonly amountFits: boolean
}

type Compared = Omit<Comparison, 'amountFits'>
interface Span {
  readonly low: number
  readonly high: number
}
/** Figures that were multiplied or rounded by the record may differ this much and still be the same. */
const SAME = 1.001
/** A dose by weight is rounded to what can be measured. */
const ROUNDED = 1.1
/** Records round rare frequencies to two or three digits (0.143 is 1/7). */
const FREQUENCY_ROUNDING = 1.09

/** Never `within` unless amount, unit and, where stated, frequency and ceilings of the statement all fit the line. */
export function compare(statement: DoseStatement, line: Dose): Comparison {
  const result = (finding: Finding, why = '', distance = 0): Comparison => ({ line, finding, why, distance, amountFits: false })
  const sizes = sizesOf(statement, line)
  if (sizes === null) return unlikeUnits(statement, line)
  const ceiling = compareMaximum(statement, line)
  if (statement.low === null || statement.high === null) return ceiling ?? result('unknown', 'no dose is stated, only a maximum')
  const given = amountsOf(statement, sizes)
  const range = rangeFor(statement, line)
  if (range === null) return result('unknown', 'a dose by weight and a fixed dose cannot be compared without the weight')
  const off = outside(given, range, range.rounded ? ROUNDED : SAME)
  if (off !== 0) {
    // a record in fixed doses says little of one by weight: only what is far out is wrong
    const unlike = statement.perKg && !line.perKg
    if (unlike && (Math.abs(off) < Math.log(3) || statement.unit.dimension !== 'mass'))
      return result('unknown', 'by weight here, a fixed dose in the record')
    const slip = range.envelope ? null : slipOf(given, range, statement, line)
    if (slip) return result(slip, slip === 'unit' ? 'the figure fits in another unit' : 'ten times away', Math.abs(off))
    return result(off > 0 ? 'above' : 'below', off > 0 ? 'above the usual dose' : 'below the usual dose', Math.abs(off))
  }
  if (range.envelope) return result('unknown', 'the weight is not stated')
  return ceiling && ceiling.finding !== 'within'
    ? { ...ceiling, amountFits: true }
    : { ...compareFrequency(statement, line, given, range), amountFits: true }
}

/** The factors from the statement's unit and the line's unit to their common base; null when they measure different things. */
function sizesOf({ unit, medicine }: DoseStatement, line: Dose): { given: number } | null {
  const meaning = meaningOf(line.unit)
  if (unit.dimension === meaning.dimension) return { given: unit.size }
  const bridge = medicine ? UNITS_PER_MICROGRAM[medicine.id] : undefined
  if (bridge === undefined) return null
  if (unit.dimension === 'mass' && meaning.dimension === 'units') return { given: unit.size * bridge }
  if (unit.dimension === 'units' && meaning.dimension === 'mass') return { given: unit.size / bridge }
  return null
}

function unlikeUnits(statement: DoseStatement, line: Dose): Comparison {
  const kinds = [statement.unit.dimension, meaningOf(line.unit).dimension]
  const measured = kinds.every((kind) => kind === 'mass' || kind === 'units' || kind === 'substance')
  if (measured) return { line, amountFits: false, finding: 'unit', why: `the record counts in ${line.unit}`, distance: 9 }
  return { line, amountFits: false, finding: 'unknown', why: `the strength is not stated, and the record counts in ${line.unit}`, distance: 9 }
}

/** One dose; a total of the day that is divided into stated doses is divided here. */
function amountsOf(statement: DoseStatement, { given }: { given: number }): Span {
  return { low: statement.low! * given, high: statement.high! * given }
}

const timesOf = ({ timesPerDay, everyHours }: Dose): Span | null =>
  timesPerDay ?? (everyHours ? { low: 24 / everyHours.high, high: 24 / everyHours.low } : null)

/** What the line allows, in the statement's own terms (per dose or per day, per kg or not). `envelope`: only by a plausible weight. */
function rangeFor(statement: DoseStatement, line: Dose): (Span & { rounded: boolean; envelope: boolean }) | null {
  const size = meaningOf(line.unit).size
  // no single dose is above the ceiling of a day
  const cap = Math.min(line.maxSingle ? inBase(line.maxSingle) : Infinity, line.maxDaily ? inBase(line.maxDaily) : Infinity)
  let span: Span = { low: line.low * size, high: line.high * size }
  if (!line.perKg && line.maxSingle && inBase(line.maxSingle) > span.high) span = { low: span.low, high: inBase(line.maxSingle) }
  if (statement.total && !line.perKg === !statement.perKg) {
    const times = timesOf(line)
    const day = line.maxDaily && !line.perKg ? inBase(line.maxDaily) : 0
    if (!times) return day === 0 ? null : { low: span.low, high: day, rounded: false, envelope: false }
    const least = line.schedule === 'as needed' ? 1 : times.low
    return { low: span.low * Math.min(least, 1e9), high: Math.max(span.high * times.high, day), rounded: true, envelope: false }
  }
  if (!line.perKg === !statement.perKg) return { ...span, rounded: false, envelope: false }
  const weight = statement.people?.weightKg ?? null
  if (line.perKg) {
    const [low, high] = weight === null ? plausible(statement, line) : [weight, weight]
    const total = statement.total ? (timesOf(line)?.high ?? 1) : 1
    return {
      low: Math.min(span.low * low, cap),
      high: Math.min(span.high * high, cap) * total,
      rounded: true,
      envelope: weight === null && low !== high,
    }
  }
  const [low, high] = weight === null ? plausible(statement, line) : [weight, weight]
  return { low: span.low / high, high: span.high / low, rounded: true, envelope: weight === null }
}

function plausible({ people }: DoseStatement, line: Dose): [number, number] {
  const from = Math.max(people?.age?.from ?? 0, line.ageFrom ?? (line.population === 'child' || line.population === 'neonate' ? 0 : 18))
  const until = Math.min(people?.age?.to ?? 120, line.ageBelow ?? (line.population === 'child' ? 18 : line.population === 'neonate' ? 0.08 : 120))
  return [plausibleWeight(from).low, plausibleWeight(Math.max(from, until)).high]
}

/** 0 inside; positive when the top lies above, negative when the bottom lies below: the natural logarithm of how far. */
function outside(given: Span, range: Span, tolerance: number): number {
  if (given.high > range.high * tolerance) return Math.log(given.high / range.high)
  return given.low * tolerance < range.low ? Math.log(given.low / range.low) : 0
}

/** A slip is named only when its correction fits the line completely. mg and micrograms differ by 1000, g and mg as well. */
function slipOf(given: Span, range: Span & { rounded: boolean }, statement: DoseStatement, line: Dose): 'unit' | 'tenfold' | null {
  const fits = (factor: number) => outside({ low: given.low * factor, high: given.high * factor }, range, range.rounded ? ROUNDED : SAME) === 0
  const mass = statement.unit.dimension === 'mass' && meaningOf(line.unit).dimension === 'mass'
  const bridged = statement.unit.dimension !== meaningOf(line.unit).dimension
  // "800 mg" of vitamin D was meant as 800 units
  const figure = (statement.low! * meaningOf(line.unit).size) / given.low
  if (bridged && fits(figure)) return 'unit'
  if (mass && [1000, 0.001, 1_000_000, 0.000001].some(fits)) return 'unit'
  return fits(0.1) || fits(10) ? 'tenfold' : null
}

function compareFrequency(statement: DoseStatement, line: Dose, given: Span, range: Span): Compared {
  const result = (finding: Finding, why = '', distance = 0): Compared => ({ line, finding, why, distance })
  const stated = statement.frequency
  const times = timesOf(line)
  const rare = times !== null && times.high < 0.95
  if (statement.total) return result('within')
  if (!stated?.perDay)
    return rare && stated?.kind !== 'once' ? result('unknown', 'how often is not stated, and it is not taken every day') : result('within')
  if (line.schedule === 'once') {
    if (stated.perDay.high < 0.9 || stated.daily) return result('unknown', 'the record has a single dose')
    return result('above', 'a single dose in the record, taken again and again here', 0.7)
  }
  if (!times) return line.schedule === 'as needed' ? withinDay(statement, line, given) : result('unknown', 'the record does not say how often')
  // a least interval "when needed" is not taken round the clock; its ceiling stands in the line
  const day = stated.kind === 'as needed' && line.everyHours ? result('within') : withinDay(statement, line, given)
  if (stated.perDay.high > times.high * FREQUENCY_ROUNDING) {
    if (day.finding === 'above' || rare || line.everyHours)
      return result('above', 'more often than the record says', Math.log(stated.perDay.high / times.high))
    return result('unknown', 'more often than the record says, within the ceiling of a day')
  }
  if (stated.perDay.low * FREQUENCY_ROUNDING < times.low && line.schedule === 'regular') {
    if (stated.daily) return result('unknown', 'one dose, or the total of a day')
    const enough = given.high * stated.perDay.high * SAME >= range.low * times.low
    return result(enough ? 'unknown' : 'below', 'less often than the record says', enough ? 0 : Math.log(times.low / stated.perDay.low))
  }
  return day
}

function withinDay(statement: DoseStatement, line: Dose, given: Span): Compared {
  if (!line.maxDaily || statement.perKg || statement.frequency?.perDay == null) return { line, finding: 'within', why: '', distance: 0 }
  // a range of doses and a range of times is not meant to be taken at both upper ends; the lower end of one of them must fit
  const { low, high } = statement.frequency.perDay
  const least = Math.min(given.high * low, given.low * high)
  const top = inBase(line.maxDaily) * FREQUENCY_ROUNDING
  return least > top
    ? { line, finding: 'above', why: 'above the ceiling of a day', distance: Math.log(least / top) + 0.01 }
    : { line, finding: 'within', why: '', distance: 0 }
}

/** null when the statement gives no maximum. A lower ceiling than the record's is safe; one that the record cannot confirm is unknown. */
function compareMaximum(statement: DoseStatement, line: Dose): Comparison | null {
  const { maximum } = statement
  if (!maximum) return null
  const result = (finding: Finding, why: string, distance = 0): Comparison => ({ line, finding, why, distance, amountFits: false })
  const dimension = meaningOf(line.unit).dimension
  if (maximum.perKg || maximum.unit.dimension !== dimension) return result('unknown', 'the maximum cannot be compared with the record')
  const size = meaningOf(line.unit).size
  const single = line.maxSingle ? inBase(line.maxSingle) : line.perKg ? null : line.high * size
  const day = line.maxDaily ? inBase(line.maxDaily) : null
  const limits = (maximum.of === 'day' ? [day] : maximum.of === 'dose' ? [single ?? day] : [single, day]).filter((limit) => limit !== null)
  if (limits.length === 0) return result('unknown', 'the record gives no maximum')
  const top = Math.max(...limits)
  const given = maximum.amount * maximum.unit.size
  if (given <= top * SAME) {
    if (given * SAME < line.low * size && !line.perKg) return result(slipped(given, top) ?? 'below', 'a maximum below one dose', 1)
    return result('within', '')
  }
  return result(slipped(given, top) ?? 'above', 'the maximum is above that of the record', Math.log(given / top))
}

/** A maximum is a slip of the record's own when its correction lies just at it. */
function slipped(given: number, top: number): 'unit' | 'tenfold' | null {
  const fits = (factor: number) => given * factor >= top * 0.7 && given * factor <= top * SAME
  return fits(0.1) || fits(10) ? 'tenfold' : fits(0.001) || fits(1000) ? 'unit' : null
}
