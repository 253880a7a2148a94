// Owns what a mode adds to the predicted speed of its model: an adapter's own multiplications, and what answers in this mode have shown.
import type { ModelShape } from '../../contract/shape.ts'
import { TYPICAL, type Question } from '../affinity.ts'
import { TOKEN_OVERHEAD, type Prediction } from '../performance.ts'

export interface AdapterLoad {
  /** Of its matrices, in bytes, and how many of the model's matrices it changes. */
  bytes: number
  targets: number
}

/**
 * Of one changed matrix and one token: two small products and an addition, each with its barrier among threads. Fitted, with READING, to one
 * measurement: a rank-16 adapter on every matrix of a 0.5B model reached 0.85 of the speed without, in writing and in reading.
 */
const MATRIX_SECONDS = 15e-6
/** Floats are multiplied so much slower than the model's rounded weights, per parameter. */
const READING = 7

/** The speed with one adapter active. `prediction` is the base model's, for `question`. */
export function withAdapter(prediction: Prediction, shape: ModelShape, { bytes, targets }: AdapterLoad, question: Question = TYPICAL): Prediction {
  const matrices = shape.tensors.filter(({ name }) => name.startsWith('blk.'))
  const weights = matrices.reduce((sum, tensor) => sum + tensor.bytes, 0)
  const parameters = matrices.reduce((sum, tensor) => sum + tensor.parameters, 0)
  // training and import write F32
  const own = bytes / 4
  const token = (1 / prediction.tokensPerSecond) * (weights > 0 ? 1 + bytes / weights : 1) + targets * MATRIX_SECONDS
  const reading = (1 / prediction.readPerSecond) * (parameters > 0 ? 1 + (READING * own) / parameters : 1)
  return predictionOf(token, reading, question)
}

/** `token`: seconds of writing one; `reading`: seconds of reading one. */
export function predictionOf(token: number, reading: number, { promptTokens, answerTokens }: Question = TYPICAL): Prediction {
  const firstTokenSeconds = Math.max(1, promptTokens) * reading + TOKEN_OVERHEAD
  return {
    ...{ firstTokenSeconds, tokensPerSecond: 1 / token, readPerSecond: 1 / reading },
    questionSeconds: firstTokenSeconds + Math.max(0, answerTokens - 1) * token,
  }
}

/** Of one finished answer in the mode. */
export interface Seen {
  promptTokens: number
  tokens: number
  firstTokenMs: number | null
  tokensPerSecond: number | null
}
/** What was seen counts as much as the prediction after so many answers. */
const TRUST = 8
const FEWEST_TOKENS = 16

/** The prediction drawn towards what answers in this mode took: by the median of seen / predicted, on a logarithmic scale. */
export function corrected(prediction: Prediction, seen: readonly Seen[], question: Question = TYPICAL): Prediction {
  const reading = 1 / prediction.readPerSecond
  const first = seen.flatMap(({ promptTokens, firstTokenMs }) =>
    firstTokenMs !== null && firstTokenMs > 0 && promptTokens > 0 ? [firstTokenMs / 1000 / (promptTokens * reading + TOKEN_OVERHEAD)] : [],
  )
  const token = seen.flatMap(({ tokens, tokensPerSecond }) =>
    tokensPerSecond !== null && tokensPerSecond > 0 && tokens >= FEWEST_TOKENS ? [prediction.tokensPerSecond / tokensPerSecond] : [],
  )
  return predictionOf((1 / prediction.tokensPerSecond) * factor(token), reading * factor(first), question)
}

function factor(ratios: readonly number[]): number {
  if (ratios.length === 0) return 1
  const sorted = ratios.map(Math.log).sort((a, b) => a - b)
  const middle = (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
  return Math.exp((middle * ratios.length) / (ratios.length + TRUST))
}
