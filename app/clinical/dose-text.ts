// Owns how a dose of a record reads in words; page, answers and training data all take the words from here, so that none can differ. Pure.
import type { Dose, Quantity } from './records.ts'

type Span = { readonly low: number; readonly high: number }
type Unit = Quantity['unit']

const ROUTE: Readonly<Record<Dose['route'], string>> = {
  ...{ oral: 'by mouth', sublingual: 'under the tongue', buccal: 'inside the cheek', inhaled: 'inhaled', nebulised: 'by nebuliser' },
  ...{ intranasal: 'into the nose', intramuscular: 'into a muscle', intravenous: 'into a vein', subcutaneous: 'under the skin' },
  ...{ rectal: 'rectally', vaginal: 'vaginally', topical: 'on the affected area', transdermal: 'through the skin', eye: 'into the eye' },
  ...{ ear: 'into the ear', scalp: 'on the scalp', intraosseous: 'into the bone marrow' },
}
/** Longer gaps than a day, in days. A record rounds the frequency (0.143 is 1/7), so the nearest of these is meant. */
const PERIODS: readonly (readonly [days: number, text: string])[] = [
  ...([[7 / 6, '6 times a week'] as const, [7 / 5, '5 times a week'], [7 / 4, '4 times a week'], [2, 'every other day']] as const),
  ...([[7 / 3, 'three times a week'] as const, [3, 'every 3 days'], [3.5, 'twice a week'], [7, 'once a week'], [14, 'every 2 weeks']] as const),
  ...([[21, 'every 3 weeks'] as const, [28, 'every 4 weeks'], [30.4, 'once a month'], [42, 'every 6 weeks'], [56, 'every 8 weeks']] as const),
  ...([
    [60.9, 'every 2 months'] as const,
    [84, 'every 12 weeks'],
    [91.3, 'every 3 months'],
    [182.6, 'every 6 months'],
    [365, 'once a year'],
  ] as const),
]
const DAILY: readonly string[] = ['', 'once a day', 'twice a day', 'three times a day', 'four times a day']

/** A number as it stands on a prescription: no trailing zero, a zero before the point, commas from ten thousand on. */
export function numberText(value: number): string {
  const rounded = Number(value.toPrecision(10))
  const [whole, part] = String(rounded).split('.') as [string, string?]
  const grouped = rounded >= 10_000 ? whole.replace(/\B(?=(\d{3})+$)/g, ',') : whole
  return part === undefined ? grouped : `${grouped}.${part}`
}

/** "500", "500 to 1000". */
const spanText = ({ low, high }: Span): string => (low === high ? numberText(low) : `${numberText(low)} to ${numberText(high)}`)

/** One of a thing is one puff, one unit; symbols (mg, g, ml, mmol) never change. */
const unitText = (unit: Unit, amount: number): string => (amount === 1 ? unit.replace(/(?<=[a-z]{3})s$/, '') : unit)

/** "4 g", "1 puff". */
export const quantityText = ({ amount, unit }: Quantity): string => `${numberText(amount)} ${unitText(unit, amount)}`

/** One dose: "500 mg", "500 to 1000 mg", "10 mg/kg", "1 to 2 puffs". The unit is the record's own; nothing is converted. */
export function amountText(dose: Dose): string {
  return `${spanText(dose)} ${unitText(dose.unit, dose.high)}${dose.perKg ? '/kg' : ''}`
}

/**
 * How often: "three times a day", "once a week", "every 4 to 6 hours when needed", "as a single dose", "every 6 hours, at most 4 doses in
 * 24 hours". '' for a dose that is taken regularly without a stated frequency.
 */
export function frequencyText({ timesPerDay, everyHours, schedule }: Dose): string {
  if (schedule === 'once') return 'as a single dose'
  const needed = schedule === 'as needed' ? ' when needed' : ''
  if (everyHours) {
    return (
      everyText(everyHours) +
      needed +
      (timesPerDay ? `, at most ${spanText({ low: timesPerDay.high, high: timesPerDay.high })} doses in 24 hours` : '')
    )
  }
  return timesPerDay ? timesText(timesPerDay) + needed : needed.trim()
}

function everyText({ low, high }: Span): string {
  if (high === 1 && low === 1) return 'every hour'
  return high < 1 ? `every ${spanText({ low: low * 60, high: high * 60 })} minutes` : `every ${spanText({ low, high })} hours`
}

function timesText({ low, high }: Span): string {
  if (high < 0.95) return nearestSpan(1 / high, 1 / low)
  if (low === high) return DAILY[high] ?? `${numberText(high)} times a day`
  if (low < 0.95) return `${nearest(1 / low)} to ${timesText({ low: high, high })}`
  return low === 1 && high === 2 ? 'once or twice a day' : `${spanText({ low, high })} times a day`
}

const nearest = (days: number): string =>
  PERIODS.reduce((best, one) => (Math.abs(Math.log(one[0] / days)) < Math.abs(Math.log(best[0] / days)) ? one : best))[1]

/** "every 2 to 3 months" where both ends are counted alike. */
function nearestSpan(from: number, to: number): string {
  const [first, last] = [nearest(from), nearest(to)]
  if (first === last) return first
  const [alike, number] = [/^every (\d+) (weeks|months)$/.exec(first), /^every (\d+) (weeks|months)$/.exec(last)]
  return alike && number && alike[2] === number[2] ? `every ${alike[1]} to ${number[1]} ${number[2]}` : `${first} to ${last}`
}

/** The way in, after the amount: "by mouth", "into a muscle". */
export const routeText = (dose: Dose): string => ROUTE[dose.route]

/** The ceilings: "at most 500 mg a dose and 4 g in 24 hours"; '' where the record has none. */
export function maximumText({ maxSingle, maxDaily }: Dose): string {
  const parts = [...(maxSingle ? [`${quantityText(maxSingle)} a dose`] : []), ...(maxDaily ? [`${quantityText(maxDaily)} in 24 hours`] : [])]
  return parts.length === 0 ? '' : `at most ${parts.join(' and ')}`
}

/** Whom it is for: "adults", "adults from 65 years", "children aged 1 to 4 years", "children from 6 months to under 2 years", "newborns". */
export function populationText({ population, ageFrom: from, ageBelow }: Dose): string {
  const ageFrom = from === 0 ? undefined : from
  if (population === 'neonate') return 'newborns'
  const who = population === 'child' ? 'children' : population === 'older adult' && ageFrom === undefined ? 'older adults' : 'adults'
  if (ageFrom === undefined && ageBelow === undefined) return who
  if (ageFrom === undefined) return `${who} under ${ageText(ageBelow!)}`
  if (ageBelow === undefined) return `${who} from ${ageText(ageFrom)}`
  // "1 to 4 years" is up to the fifth birthday, as the age is said; parts of a year need their limit stated
  const whole = Number.isInteger(ageFrom) && Number.isInteger(ageBelow) && ageFrom >= 1
  if (!whole) return `${who} from ${ageText(ageFrom)} to under ${ageText(ageBelow)}`
  return ageBelow - ageFrom === 1 ? `${who} aged ${ageText(ageFrom)}` : `${who} aged ${numberText(ageFrom)} to ${ageText(ageBelow - 1)}`
}

/** Years of a record as an age: parts of the first two years in months, less than a month in days. 0.083 is one month, rounded by the record. */
export function ageText(years: number): string {
  if (years >= 2 || Number.isInteger(years)) return years === 1 ? '1 year' : `${numberText(Math.round(years * 10) / 10)} years`
  const months = Math.round(years * 120) / 10
  if (months >= 1) return months === 1 ? '1 month' : `${numberText(months)} months`
  return `${Math.round(years * 365.25)} days`
}

/** Amount, frequency, route and duration: "500 mg three times a day, by mouth, for 5 days". */
export function doseText(dose: Dose): string {
  const taken = `${amountText(dose)} ${frequencyText(dose)}`.trim()
  return [taken, routeText(dose), ...(dose.duration === undefined ? [] : [durationText(dose.duration)])].join(', ')
}

const durationText = (duration: string): string => (/^\d/.test(duration) ? `for ${duration}` : duration)

/** The whole line with its ceilings: "10 to 15 mg/kg every 4 to 6 hours when needed, by mouth, at most 750 mg a dose and 3 g in 24 hours". */
export function doseLine(dose: Dose): string {
  const maximum = maximumText(dose)
  return maximum === '' ? doseText(dose) : `${doseText(dose)}, ${maximum}`
}
