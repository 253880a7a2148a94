// Owns calibration: whether answers given with a confidence of 80 % are right 80 times out of 100. Pure.

/** `confidence` is exp(mean log-probability of the answer's tokens), 0…1. */
export interface Judged {
  readonly confidence: number
  readonly right: boolean
}
export interface Bin {
  readonly from: number
  readonly to: number
  readonly count: number
  /** Means of the answers in the bin; null of an empty one. */
  readonly confidence: number | null
  readonly accuracy: number | null
}
export interface Calibration {
  readonly bins: readonly Bin[]
  /** Expected calibration error: Σ over bins of (share of answers) · |accuracy − mean confidence|, 0…1 (Guo 2017). */
  readonly ece: number
  readonly count: number
}
const BINS = 10

/** Ten bins of equal width; a confidence of 1 is in the last. */
export function calibration(answers: readonly Judged[]): Calibration {
  const bins = Array.from({ length: BINS }, (_, n): Bin => {
    const inside = answers.filter(({ confidence }) => Math.min(BINS - 1, Math.max(0, Math.floor(confidence * BINS))) === n)
    const mean = (of: (one: Judged) => number) => (inside.length === 0 ? null : inside.reduce((sum, one) => sum + of(one), 0) / inside.length)
    return {
      ...{ from: n / BINS, to: (n + 1) / BINS, count: inside.length },
      ...{ confidence: mean(({ confidence }) => confidence), accuracy: mean(({ right }) => (right ? 1 : 0)) },
    }
  })
  const ece = bins.reduce((sum, { count, confidence, accuracy }) => sum + (count === 0 ? 0 : count * Math.abs(accuracy! - confidence!)), 0)
  return { bins, ece: answers.length === 0 ? 0 : ece / answers.length, count: answers.length }
}

/** exp(−mean loss): the geometric mean of the tokens' probabilities; of no token 0. */
export const confidenceOf = (losses: ArrayLike<number>): number => {
  let sum = 0
  for (let n = 0; n < losses.length; n++) sum += losses[n]!
  return losses.length === 0 ? 0 : Math.exp(-sum / losses.length)
}
