// Owns the reading of bedside measurements (pressure, pulse, saturation, breathing, temperature, glucose, …) from the words of a text.
import { isNumber, SENTENCE_END } from './text.ts'
import { compilePhrases, findPhrases, type Found } from './phrases.ts'

export const quantities = [
  ...(['systolic', 'diastolic', 'pulse', 'saturation', 'breaths', 'temperature', 'glucose', 'ketones', 'potassium', 'gcs'] as const),
  ...(['capillary-refill', 'peak-flow', 'news', 'lactate', 'neutrophils', 'qrs', 'ph', 'troponin', 'esr', 'burn-area', 'loss'] as const),
] as const
export type Quantity = (typeof quantities)[number]
/** Units: mmHg, a minute, %, °C, mmol/L, points, seconds, % of best, ×10⁹/L, ms, ng/L, mm/h, % of body surface, ml. */
export interface Measurement {
  readonly quantity: Quantity
  readonly value: number
  readonly from: number
  readonly to: number
}

type Name = Exclude<Quantity, 'diastolic' | 'burn-area' | 'loss'> | 'pressure'
const names = compilePhrases<Name>(
  Object.entries({
    pressure: ['bp', 'b/p', 'blood pressure', 'pressure'],
    systolic: ['sbp', 'systolic', 'systolic bp', 'systolic blood pressure'],
    pulse: [
      'pulse',
      'pulse rate',
      'hr',
      'heart rate',
      'heartbeat',
      'heart beat',
      'pr',
      'p',
      'tachy',
      'tachycardic',
      'bradycardic',
      'rate',
      'heart racing',
      'heart',
      'heart going',
      'heart beating',
    ],
    saturation: ['sats', 'sat', 'spo2', 'sp02', 'sao2', 'o2 sats', 'saturation', 'saturations', 'oxygen', 'o2', 'satting'],
    breaths: [
      'rr',
      'resp rate',
      'resps',
      'respiratory rate',
      'respirations',
      'respiration',
      'breathing',
      'breathing rate',
      'breaths',
      'breathing at',
    ],
    temperature: ['temp', 'temperature', 't', 'fever', 'febrile', 'core', 'core temp', 'pyrexia', 'pyrexial', 'hypothermic', 'temps', 'hot'],
    glucose: [
      'glucose',
      'bm',
      'bms',
      'cbg',
      'bg',
      'bgl',
      'bsl',
      'rbs',
      'sugar',
      'sugars',
      'blood sugar',
      'blood glucose',
      'hypo',
      'capillary glucose',
    ],
    ketones: ['ketones', 'ketone', 'blood ketones'],
    potassium: ['potassium', 'k', 'k+', 'serum k', 'hyperkalaemia', 'hyperkalaemic'],
    gcs: ['gcs', 'glasgow coma scale', 'glasgow coma score', 'coma scale'],
    'capillary-refill': ['cap refill', 'capillary refill', 'crt', 'refill', 'capillary refill time'],
    'peak-flow': ['pef', 'pefr', 'peak flow', 'peak flow rate'],
    news: ['news', 'news2', 'news score'],
    lactate: ['lactate'],
    neutrophils: ['neutrophils', 'neutrophil count', 'neuts', 'anc'],
    qrs: ['qrs'],
    ph: ['ph'],
    troponin: ['troponin', 'trop', 'tnt', 'tni'],
    esr: ['esr'],
  } satisfies Record<Name, string[]>).flatMap(([name, ways]) => ways.map((way) => [name as Name, way] as const)),
)
/** "85 % sats", "7 breaths a minute", "80 systolic": the number stands first. */
const after: Readonly<Record<string, Quantity>> = {
  ...{
    systolic: 'systolic',
    sat: 'saturation',
    saturation: 'saturation',
    breath: 'breaths',
    bpm: 'pulse',
    degree: 'temperature',
    celsiu: 'temperature',
  },
  ...{ c: 'temperature', f: 'temperature', fahrenheit: 'temperature', parasitemia: 'burn-area' },
}
// Between a name and its number: "BP is now down to 80", "sats of about 85", "temp up at 39".
const fillers = new Set(
  'is of was at to now only just about around approx approximately read reads reading down up currently still been in the a on his her count level score ~ and , ++ steady running going beating racing which rate into came back result reported today very high low raised up dropped fell falling rising'.split(
    ' ',
  ),
)
const MOST_FILLERS = 4

const plausible: Readonly<Record<Quantity, readonly [low: number, high: number]>> = {
  systolic: [30, 320],
  diastolic: [10, 200],
  pulse: [10, 320],
  saturation: [30, 100],
  breaths: [1, 120],
  temperature: [20, 44],
  glucose: [0.1, 90],
  ketones: [0, 20],
  potassium: [1, 12],
  gcs: [3, 15],
  'capillary-refill': [1, 15],
  'peak-flow': [5, 100],
  news: [0, 20],
  lactate: [0.1, 30],
  neutrophils: [0, 60],
  qrs: [40, 400],
  ph: [6.5, 7.9],
  troponin: [0, 100_000],
  esr: [0, 200],
  'burn-area': [1, 100],
  loss: [50, 10_000],
}

/** The measurements that the words name, in order. A number whose quantity or unit is not understood, or that no living person has, is left out. */
export function findMeasurements(text: readonly string[]): Measurement[] {
  const found: Measurement[] = []
  const take = (quantity: Quantity, value: number, from: number, to: number) => {
    const [low, high] = plausible[quantity]
    if (value >= low && value <= high) found.push({ quantity, value, from, to })
  }
  const seen = new Set<number>()
  for (const name of findPhrases(text, names).sort((a, b) => a.from - b.from || b.to - a.to)) {
    const at = numberAfter(text, name)
    if (at < 0 || seen.has(at)) continue
    seen.add(at)
    readNamed(text, name, at, take)
  }
  const lowest = text.some((word) => /^(shiver|snow|hypotherm|freez)/.test(word)) ? 25 : 34
  for (let at = 0; at < text.length; at++) {
    if (!isNumber(text[at]!) || seen.has(at)) continue
    readBare(text, at, lowest, take)
  }
  return found.sort((a, b) => a.from - b.from)
}

type Take = (quantity: Quantity, value: number, from: number, to: number) => void
const value = (word: string | undefined): number =>
  word !== undefined && isNumber(word) ? Number(word.replace(/,(?=\d{3}$)/, '').replace(',', '.')) : NaN

function numberAfter(text: readonly string[], { to }: Found<unknown>): number {
  for (let at = to; at < text.length && at <= to + MOST_FILLERS; at++) {
    if (isNumber(text[at]!)) return at
    if (!fillers.has(text[at]!)) return -1
  }
  return -1
}

function readNamed(text: readonly string[], { label, from }: Found<Name>, at: number, take: Take): void {
  const number = value(text[at])
  const unit = text[at + 1]
  const end = at + 1
  if (label === 'pressure' || label === 'systolic') {
    const lower = unit === '/' || unit === 'over' ? value(text[at + 2]) : NaN
    if (label === 'pressure' && text[at - 1] === 'by') return
    take('systolic', number, from, Number.isNaN(lower) ? end : end + 2)
    if (!Number.isNaN(lower)) take('diastolic', lower, from, end + 2)
  } else if (label === 'temperature') {
    if (unit === 'week' || unit === 'day' || unit === '/' || unit === 'hour' || unit === 'h' || unit === 'month') return
    take('temperature', number > 90 ? ((number - 32) * 5) / 9 : number, from, end)
  } else if (label === 'glucose') {
    const mg = unit === 'mg' || unit === 'mgdl' || number > 60
    take('glucose', mg ? number / 18 : number, from, end)
  } else if (label === 'breaths') {
    if (unit !== 'week' && unit !== 'day' && unit !== 'hour' && unit !== 'year') take('breaths', number, from, end)
  } else if (label === 'peak-flow') {
    const best = [2, 3, 4].find((ahead) => BEST.has(text[at + ahead - 1] ?? '') && isNumber(text[at + ahead] ?? ''))
    if (best !== undefined) take('peak-flow', (number / value(text[at + best])) * 100, from, at + best + 1)
    else if (number <= 100) take('peak-flow', number, from, end)
  } else if (label === 'pulse' && (text[from] === 'p' || text[from] === 'pr') && number < 20) {
    return
  } else take(label, number, from, end)
}
const BEST = new Set(['best', 'predicted', 'usual', 'usually', 'normal', 'normally'])

function readBare(text: readonly string[], at: number, lowest: number, take: Take): void {
  const number = value(text[at])
  const next = text[at + 1]
  if (next === '/' && text[at + 2] === 'min' && number >= 100) return take('pulse', number, at, at + 3)
  if (next === '/' && text[at - 1] !== '/' && text[at + 3] !== '/' && text[at + 3] !== 'mg') {
    const lower = value(text[at + 2])
    if (number >= 60 && lower >= 30 && number > lower) {
      take('systolic', number, at, at + 3)
      take('diastolic', lower, at, at + 3)
    }
    return
  }
  const unit = next === '%' || next === 'percent' ? text[at + 2] : next
  const named = unit === undefined ? undefined : after[unit]
  if (
    (next === '%' || next === 'percent') &&
    (unit === 'burn' || text.slice(Math.max(0, at - 12), at + 8).some((word) => /^(scald|burn)/.test(word)))
  ) {
    take('burn-area', number, at, at + 2)
  } else if (named === 'temperature')
    take('temperature', number > 90 ? ((number - 32) * 5) / 9 : number >= 25 && unit !== 'f' ? number : NaN, at, at + 2)
  else if (named !== undefined && named !== 'burn-area') take(named, number, at, at + 2)
  else if (next === 'ml' || next === 'l' || next === 'litre' || next === 'liter') take('loss', next === 'ml' ? number : number * 1000, at, at + 2)
  else if ((next === 'mmol' || next === 'mmoll') && number > 20) take('glucose', number, at, at + 2)
  else if (number > lowest && number < 43 && /\./.test(text[at]!) && next !== 'mg' && next !== 'kg' && next !== SENTENCE_END)
    take('temperature', number, at, at + 1)
}
