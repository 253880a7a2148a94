// Owns how sure a model was of an answer: three bands from the probabilities of its tokens, and the numbers and medicines it gave little.
import { bands, type Uncertainty } from '../contract/clinical.ts'
import { findDrugs, type Formulary } from '../clinical/doses/drug-names.ts'
import { original, scan } from '../clinical/doses/scan.ts'

/** A piece of text as it came, with the geometric mean of its tokens' probabilities, 0…1. */
export interface Piece {
  readonly text: string
  readonly probability: number
}
/** Means from `higher` on are in the higher band, those below `lower` in the lower one. */
export interface Bands {
  readonly higher: number
  readonly lower: number
  /** Right answers of 100 in each band on the questions that set it; null where none did. */
  readonly rightOf100: Readonly<Record<(typeof bands)[number], number>> | null
}
/** For a model that nobody has calibrated: wide, and without a claim of how often it is right. */
export const uncalibrated: Bands = { higher: 0.9, lower: 0.7, rightOf100: null }

/** Below this a number or a name was rather one of several. */
const DOUBTFUL = 0.5
const MOST_DOUBTFUL = 20
const NUMBER = /\d+(?:[.,]\d+)*/g

/**
 * The band of an answer and its doubtful places. `pieces` are those of the whole text that the model wrote, of which `answer` is the end.
 * null when no probability came. The model's own words about how sure it is are never used.
 */
export function uncertaintyOf(pieces: readonly Piece[], answer: string, formulary: Formulary, limits: Bands = uncalibrated): Uncertainty | null {
  const placed = place(pieces, answer.length)
  if (placed.length === 0) return null
  const mean = Math.exp(placed.reduce((sum, { probability }) => sum + Math.log(Math.max(probability, 1e-6)), 0) / placed.length)
  const band = mean >= limits.higher ? 'higher' : mean < limits.lower ? 'lower' : 'middle'
  const least = (start: number, end: number) =>
    Math.min(...placed.filter((piece) => piece.start < end && piece.end > start).map(({ probability }) => probability))
  const scanned = scan(answer)
  const spans = [
    ...[...answer.matchAll(NUMBER)].map(({ 0: text, index }) => ({ kind: 'number' as const, start: index, end: index + text.length })),
    ...findDrugs(scanned.text, formulary).map(({ start, end }) => ({ kind: 'medicine' as const, ...original(scanned, start, end) })),
  ].sort((a, b) => a.start - b.start)
  const doubtful = spans
    .map(({ kind, start, end }) => ({ text: answer.slice(start, end), kind, probability: least(start, end) }))
    .filter(({ probability }) => probability < DOUBTFUL)
  return { band, mean, rightOf100: limits.rightOf100?.[band] ?? null, doubtful: doubtful.slice(0, MOST_DOUBTFUL) }
}

/** Where each piece stands in the answer; those before it are the model's reasoning. */
function place(pieces: readonly Piece[], length: number): { start: number; end: number; probability: number }[] {
  let at = length - pieces.reduce((sum, { text }) => sum + text.length, 0)
  return pieces.flatMap(({ text, probability }) => {
    const start = at
    at += text.length
    return at > 0 && text.trim() !== '' ? [{ start, end: at, probability }] : []
  })
}

/**
 * Bands from answers whose correctness is known: cut at the thirds of the means, with the share that was right in each. null for fewer than
 * 30 answers, or where more sureness does not go with more right answers: then bands would mislead.
 */
export function fitBands(samples: readonly { mean: number; right: boolean }[]): Bands | null {
  if (samples.length < 30) return null
  const sorted = [...samples].sort((a, b) => a.mean - b.mean)
  const cut = (third: number) => sorted[Math.round((sorted.length * third) / 3)]!.mean
  const [lower, higher] = [cut(1), cut(2)]
  const share = (from: number, below: number) => {
    const within = sorted.filter(({ mean }) => mean >= from && mean < below)
    return within.length === 0 ? null : Math.round((100 * within.filter(({ right }) => right).length) / within.length)
  }
  const rightOf100 = { lower: share(-1, lower), middle: share(lower, higher), higher: share(higher, 2) }
  const { lower: a, middle: b, higher: c } = rightOf100
  if (a === null || b === null || c === null || a > b || b > c) return null
  return { higher, lower, rightOf100: { lower: a, middle: b, higher: c } }
}
