// Owns the writing of tokens: one at a time, or several guessed from the prompt and checked in one step, which gives the same greedy answer.
import type { LlamaContextSequence, LookupPredictor, Token } from './llama.ts'

export interface Written {
  token: Token
  /** What the model gave this token, 0…1; null when nobody asked. */
  probability: number | null
}
export interface DecodeOptions {
  temperature: number
  seed?: number | undefined
  probabilities: boolean
}

/** Tokens as they are sampled after `tokens`, without end. Whatever was given last is not evaluated yet when the reader leaves. */
export async function* writePlain(sequence: LlamaContextSequence, tokens: Token[], options: DecodeOptions): AsyncGenerator<Written> {
  const { temperature, seed, probabilities } = options
  const sampling = { temperature, ...(seed === undefined ? {} : { seed }), yieldEogToken: true }
  if (probabilities) {
    for await (const { token, confidence } of sequence.evaluateWithMetadata(tokens, { confidence: true }, sampling))
      yield { token, probability: bounded(confidence) }
  } else for await (const token of sequence.evaluate(tokens, sampling)) yield { token, probability: null }
}

export interface Guessed {
  written: Written[]
  held: number
  all: number
}

/**
 * One greedy step after `tokens`: what the predictor guesses is evaluated with them, and the guesses that the model would have written are
 * written at once, with the token that follows them. The sequence then holds everything but the last of them. (The predictors of node-llama-cpp
 * 3.21 are not used inside its own evaluation: it never accepts more than the first guess of a step.)
 */
export async function writeGuessed(
  sequence: LlamaContextSequence,
  tokens: Token[],
  predictor: LookupPredictor,
  options: Pick<DecodeOptions, 'probabilities'>,
): Promise<Guessed> {
  const from = sequence.nextTokenIndex
  // one place is left free: the end of the context would shift what is in it
  const room = sequence.contextSize - 2 - from - tokens.length
  const guesses = predictor.predictTokens().slice(0, Math.max(0, room))
  const generateNext = { token: true, ...(options.probabilities ? { confidence: true } : {}), options: { temperature: 0 } }
  const [last] = tokens.slice(-1)
  const before = tokens.slice(0, -1)
  const results = await sequence.controlledEvaluate([...before, ...[last!, ...guesses].map((token): [Token, object] => [token, { generateNext }])])
  const next = results.slice(before.length).map((result) => result?.next)

  const written: Written[] = []
  let held = 0
  for (const at of next.keys()) {
    const token = next[at]?.token
    if (token == null) throw new Error('the engine sampled no token')
    written.push({ token, probability: options.probabilities ? bounded(next[at]!.confidence) : null })
    if (guesses[at] !== token) break
    held++
  }
  const end = from + tokens.length + held
  if (sequence.nextTokenIndex > end) await sequence.eraseContextTokenRanges([{ start: end, end: sequence.nextTokenIndex }])
  predictor.pushTokens(written.map(({ token }) => token))
  return { written, held, all: guesses.length }
}

/** Rounding may take it a little beyond its range. */
const bounded = (probability: number | undefined): number => Math.min(1, Math.max(0, probability ?? 0))
