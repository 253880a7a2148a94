// Owns the generated slips: every dose of the formulary, worded as an answer would word it, and the same sentence with the figure ten times off or mg and micrograms exchanged.
import { frequencyText, numberText, populationText, routeText } from '../../../app/clinical/dose-text.ts'
import type { Dose, Medicine } from '../../../app/clinical/records.ts'

export type Slip = 'ten times more' | 'ten times less' | 'mg and micrograms'
export interface SlipCase {
  /** The dose as the record has it. */
  readonly twin: string
  readonly slipped: string
  readonly slip: Slip
  readonly medicine: string
}
export interface Slips {
  readonly cases: readonly SlipCase[]
  /** Slips that nobody could see: the changed figure is itself a dose of the record for that use, group and route. */
  readonly invisible: number
}

/** mulberry32: 32 bits of state, the same sequence on every machine. */
function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

type Unit = 'micrograms' | 'mg' | 'g'
const SIZE: Readonly<Record<Unit, number>> = { micrograms: 1, mg: 1000, g: 1_000_000 }
const WRITTEN: Readonly<Record<Unit, readonly string[]>> = {
  micrograms: ['micrograms', 'mcg', 'µg', 'microgram'],
  mg: ['mg', 'mg', 'milligrams'],
  g: ['g', 'grams'],
}
const isMass = (unit: string): unit is Unit => unit in SIZE
const SHORT: Readonly<Record<number, readonly string[]>> = {
  1: ['once daily', 'od', 'once a day'],
  2: ['twice daily', 'bd', 'twice a day', 'b.d.', 'every 12 hours'],
  3: ['three times daily', 'tds', 'TDS', '3 times a day', 'every 8 hours'],
  4: ['four times daily', 'qds', '4 times a day', 'every 6 hours'],
}
const SHORT_ROUTES: Partial<Record<Dose['route'], readonly string[]>> = {
  oral: ['by mouth', 'orally', 'PO'],
  intramuscular: ['intramuscularly', 'IM', 'i.m.'],
  intravenous: ['intravenously', 'IV', 'by intravenous injection'],
  subcutaneous: ['subcutaneously', 's/c'],
  rectal: ['rectally', 'PR'],
}

/** For each dose in a unit of mass, one case for each kind of slip. `seed` chooses the wording; the cases cover every dose. */
export function generateSlips(medicines: readonly Medicine[], seed: number): Slips {
  const random = chance(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const cases: SlipCase[] = []
  let invisible = 0
  for (const medicine of medicines) {
    for (const dose of medicine.doses) {
      if (!isMass(dose.unit)) continue
      const unit = dose.unit
      const ends = pick([
        [dose.low, dose.high],
        [dose.low, dose.low],
        [dose.high, dose.high],
      ] as const)
      const sentence = wording(medicine, dose, pick)
      for (const slip of ['ten times more', 'ten times less', 'mg and micrograms'] as const) {
        const factor = slip === 'ten times more' ? 10 : slip === 'ten times less' ? 0.1 : 1
        const other: Unit = unit === 'micrograms' ? 'mg' : unit === 'mg' ? 'micrograms' : 'mg'
        const wrong = { low: ends[0] * factor, high: ends[1] * factor, unit: slip === 'mg and micrograms' ? other : unit }
        if (isDose(wrong, medicine, dose)) {
          invisible++
          continue
        }
        const decimalComma = random() < 0.05
        const write = (span: typeof wrong) => sentence(amountText(span, dose, pick(WRITTEN[span.unit]), decimalComma))
        cases.push({ twin: write({ low: ends[0], high: ends[1], unit }), slipped: write(wrong), slip, medicine: medicine.name })
      }
    }
  }
  return { cases, invisible }
}

function isDose(wrong: { low: number; high: number; unit: Unit }, medicine: Medicine, dose: Dose): boolean {
  return medicine.doses.some((line) => {
    if (line.route !== dose.route || line.indication !== dose.indication || line.perKg !== dose.perKg || line.population !== dose.population)
      return false
    if (!isMass(line.unit) || line.ageFrom !== dose.ageFrom || line.ageBelow !== dose.ageBelow) return false
    const single = line.maxSingle && !line.perKg && isMass(line.maxSingle.unit) ? line.maxSingle.amount * SIZE[line.maxSingle.unit] : 0
    const [low, high] = [line.low * SIZE[line.unit], Math.max(line.high * SIZE[line.unit], single)]
    return wrong.low * SIZE[wrong.unit] >= low * 0.9999 && wrong.high * SIZE[wrong.unit] <= high * 1.0001
  })
}

function amountText(span: { low: number; high: number; unit: Unit }, dose: Dose, written: string, decimalComma: boolean): string {
  const number = (value: number) => (decimalComma && /^\d+\.\d{1,2}$/.test(String(value)) ? String(value).replace('.', ',') : numberText(value))
  const round = (value: number) => Number(value.toPrecision(10))
  const figures = span.low === span.high ? number(round(span.low)) : `${number(round(span.low))} to ${number(round(span.high))}`
  return `${figures} ${written}${dose.perKg ? '/kg' : ''}`
}

function wording(medicine: Medicine, dose: Dose, pick: <T>(list: readonly T[]) => T): (amount: string) => string {
  const name = pick([medicine.name, medicine.name, medicine.brands[0] ?? medicine.name])
  const times = dose.timesPerDay && dose.timesPerDay.low === dose.timesPerDay.high && !dose.everyHours ? SHORT[dose.timesPerDay.low] : undefined
  const often = times && dose.schedule === 'regular' ? pick([...times, frequencyText(dose)]) : frequencyText(dose)
  const route = pick([routeText(dose), ...(SHORT_ROUTES[dose.route] ?? [])])
  const who = populationText(dose)
  const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
  const tail = (...parts: string[]) => parts.filter((part) => part !== '').join(' ')
  return pick([
    (amount) => `${capital(who)}: ${name} ${tail(amount, often, route)} for ${dose.indication}.`,
    (amount) => `For ${dose.indication} in ${who}, give ${name} ${tail(amount, route, often)}.`,
    (amount) => `${capital(name)}, for ${dose.indication}, ${who}: ${tail(amount, route, often)}.`,
    (amount) => `Give ${who} ${amount} of ${name} ${tail(route, often)} for ${dose.indication}.`,
  ])
}
