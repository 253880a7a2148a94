// Owns the prediction of a placement's speed from the affinity matrix: time to first token, tokens a second, seconds of a whole question.
import type { Affinity } from './affinity.ts'

export interface Prediction {
  /** From the prompt to the first token of the answer, nothing of it in the cache. */
  firstTokenSeconds: number
  /** While the answer is written. */
  tokensPerSecond: number
  /** Prompt tokens a second. */
  readPerSecond: number
  /** Prompt and answer. */
  questionSeconds: number
}

/** Choosing a token, its text, and the way through JavaScript: measured beside llama-bench, 35.1 against 37.1 tokens a second at 0.5B. */
export const TOKEN_OVERHEAD = 1.5e-3

/** `device[layer]` is a column of the matrix. */
export function predict(matrix: Affinity, device: readonly number[]): Prediction {
  const { promptTokens, answerTokens } = matrix.question
  const sum = (of: 'prefill' | 'decode') =>
    device.reduce((total, d, layer) => total + matrix[of][layer]![d]! + matrix.crossing[of][device[Math.max(0, layer - 1)]!]![d]!, 0)
  const reading = sum('prefill')
  const token = sum('decode') + TOKEN_OVERHEAD
  const firstTokenSeconds = reading + TOKEN_OVERHEAD
  return {
    firstTokenSeconds,
    tokensPerSecond: 1 / token,
    readPerSecond: Math.max(1, promptTokens) / reading,
    // the first token comes from the prompt's last pass
    questionSeconds: firstTokenSeconds + Math.max(0, answerTokens - 1) * token,
  }
}

/** The seconds of a whole question, layer × device or device × device: what placement makes least. TOKEN_OVERHEAD no placement can change. */
export function ofQuestion(prefill: readonly (readonly number[])[], decode: readonly (readonly number[])[], answerTokens: number): number[][] {
  const passes = Math.max(0, answerTokens - 1)
  return prefill.map((row, n) => row.map((seconds, d) => seconds + passes * decode[n]![d]!))
}
