// Owns the dose of a child by weight: the lines of a medicine's record that hold for the age, worked out and capped; refuses what does not fit together.
import * as z from 'zod'
import { AppError } from '../../contract/errors.ts'
import { doseLine, populationText } from '../dose-text.ts'
import { plausibleWeight } from '../doses/people.ts'
import { inBase, meaningOf } from '../doses/units.ts'
import type { Dose, Medicine, Review } from '../records.ts'
import { measured } from './calculator.ts'

export const ChildDoseInput = z.strictObject({
  ageYears: measured(0, 17.999, 'years', 'Age; parts of a year for infants'),
  weightKg: measured(0.5, 150, 'kg', 'Weight, measured'),
})

export interface ChildDose {
  readonly indication: string
  readonly route: Dose['route']
  /** One dose, in `unit`, after the cap; two or three significant figures that never round above it. */
  readonly low: number
  readonly high: number
  readonly unit: Dose['unit']
  /** True where the ceiling of the record and not the weight sets the dose. */
  readonly capped: boolean
  readonly byWeight: boolean
  /** The record's own words for the line. */
  readonly line: string
  readonly note: string
}
export interface ChildDoses {
  readonly doses: readonly ChildDose[]
  readonly source: { readonly medicine: string; readonly version: number; readonly review: Review }
  readonly text: string
}

/**
 * Every dose of the record for a child of this age: per kilogram times weight, cut at the largest single dose, at the ceiling of a day
 * shared among the usual number of doses, and at the adult's dose where the record has one by the same route for the same use. Throws
 * BAD_INPUT for values outside their limits, for a weight that no child of the age has, and where the record has no dose for the age.
 */
export function childDoses(medicine: Medicine, input: unknown): ChildDoses {
  const parsed = ChildDoseInput.safeParse(input)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
    throw new AppError('BAD_INPUT', `The dose cannot be worked out. Correct: ${faults.join('; ')}.`, { faults })
  }
  const { ageYears, weightKg } = parsed.data
  const { low, high } = plausibleWeight(ageYears)
  if (weightKg < low || weightKg > high)
    throw new AppError(
      'BAD_INPUT',
      `${weightKg} kg does not fit a child of this age (${round(low)} to ${round(high)} kg). Check age and weight, kilograms or pounds.`,
    )
  const lines = medicine.doses.filter(
    ({ population, ageFrom = 0, ageBelow = 18 }) =>
      (population === 'child' && ageFrom <= ageYears && ageYears < ageBelow) || (population === 'neonate' && ageYears < 28 / 365.25),
  )
  if (lines.length === 0)
    throw new AppError('BAD_INPUT', `The record of ${medicine.name} has no dose for this age. Ask a specialist or look in another formulary.`)
  const doses = lines.filter((line) => !otherWeight(line, weightKg)).map((line) => workOut(line, weightKg, medicine))
  return {
    doses,
    source: { medicine: medicine.id, version: medicine.version, review: medicine.review },
    text: `${medicine.name} for a child of ${weightKg} kg, from the record's doses per kilogram and its ceilings. Check the strength of the product before measuring.`,
  }
}

/** "body weight 30 kg or more" and the like, where the weight says that the line is for others. */
function otherWeight({ indication }: Dose, weightKg: number): boolean {
  const [, from, to] = /body weight (\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) kg/.exec(indication) ?? []
  if (from !== undefined) return weightKg < Number(from) || weightKg > Number(to) + 0.999
  const least = /body weight (\d+(?:\.\d+)?) kg or more/.exec(indication)
  if (least) return weightKg < Number(least[1])
  const below = /body weight (?:below|under) (\d+(?:\.\d+)?) kg/.exec(indication)
  return below !== null && weightKg >= Number(below[1])
}

function workOut(line: Dose, weightKg: number, medicine: Medicine): ChildDose {
  const size = meaningOf(line.unit).size
  const shown = {
    indication: line.indication,
    route: line.route,
    unit: line.unit,
    line: `${populationText(line)}: ${doseLine(line)}`,
    note: line.note ?? '',
  }
  if (!line.perKg) return { ...shown, low: line.low, high: line.high, capped: false, byWeight: false }
  const times = line.timesPerDay?.low ?? 1
  const adult = medicine.doses.filter(
    (one) => one.population === 'adult' && one.route === line.route && one.indication === line.indication && !one.perKg,
  )
  const caps = [
    line.maxSingle ? inBase(line.maxSingle) / size : Infinity,
    line.maxDaily ? inBase(line.maxDaily) / size / Math.max(times, 1) : Infinity,
    adult.length > 0
      ? Math.max(...adult.map((one) => Math.max(one.high * meaningOf(one.unit).size, one.maxSingle ? inBase(one.maxSingle) : 0))) / size
      : Infinity,
  ]
  const cap = Math.min(...caps)
  const high = Math.min(line.high * weightKg, cap)
  const low = Math.min(line.low * weightKg, cap)
  return { ...shown, low: down(low), high: down(high), capped: line.high * weightKg > cap, byWeight: true }
}

/** Three significant figures, never upwards. */
function down(value: number): number {
  const step = 10 ** (Math.floor(Math.log10(value)) - 2)
  return Number((Math.floor(value / step + 1e-9) * step).toPrecision(3))
}
const round = (value: number): number => Math.round(value * 10) / 10
