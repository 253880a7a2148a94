// Owns one answer from its prompt to its last token: reads in small steps, writes, and ends within one step or one token of an abort.
import type { GenerateEvent } from '../contract/engine.ts'
import type { Stops } from './chat-format.ts'
import type { ChunkSizer } from './chunks.ts'
import { writeGuessed, writePlain, type DecodeOptions, type Written } from './decode.ts'
import { createDetokenizer } from './detokenizer.ts'
import type { LlamaModel, LookupPredictor, Token } from './llama.ts'
import type { Lease } from './sequence-pool.ts'
import type { Shapes } from './shapes.ts'
import { BLOCK, type Speculation, type SpeculationJudge } from './speculation.ts'

export interface AnswerOptions extends DecodeOptions {
  maxTokens: number
  speculation: Speculation
  kind: string
}
/** What all answers of a model share. */
export interface AnswerParts {
  model: LlamaModel
  chunks: ChunkSizer
  shapes: Shapes
  judge: SpeculationJudge
  predictor(prompt: readonly Token[]): LookupPredictor
  /** No other answer is written now: what a step takes is its own. */
  isAlone(): boolean
  threads(): number
}

/** Reads the part of `tokens` that the sequence does not hold yet; yields how many it holds after each step. Leaves early when aborted. */
export async function* read(
  { sequence }: Pick<Lease, 'sequence'>,
  tokens: readonly Token[],
  { chunks, shapes }: Pick<AnswerParts, 'chunks' | 'shapes'>,
  signal: AbortSignal,
): AsyncGenerator<number> {
  yield sequence.nextTokenIndex
  for (let at = sequence.nextTokenIndex; at < tokens.length;) {
    if (signal.aborted) return
    const chunk = tokens.slice(at, at + shapes.next(tokens.length - at, chunks.size))
    const chunkAt = performance.now()
    await sequence.evaluateWithoutGeneratingNewTokens(chunk)
    chunks.measured(chunk.length, performance.now() - chunkAt)
    at += chunk.length
    yield at
  }
}

/** The events of an answer. `startedAt` is when it was asked for (performance.now). */
export async function* answer(
  lease: Lease,
  prompt: Token[],
  stops: Stops,
  options: AnswerOptions,
  parts: AnswerParts,
  startedAt: number,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent> {
  const guessed = { held: 0, all: 0 }
  let tokens = 0
  let firstAt: number | null = null
  const finish = (stop: 'end' | 'length' | 'stopped'): GenerateEvent => {
    const seconds = firstAt === null ? 0 : (performance.now() - firstAt) / 1000
    return {
      type: 'done',
      stop,
      promptTokens: prompt.length,
      tokens,
      firstTokenMs: firstAt === null ? null : firstAt - startedAt,
      tokensPerSecond: tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null,
      threads: parts.threads(),
      ...(lease.restored > 0 ? { restored: lease.restored } : {}),
      ...(guessed.all > 0 ? { guessed } : {}),
    }
  }

  const body = prompt.slice(0, -1)
  for await (const done of read(lease, body, parts, signal)) yield { type: 'prefill', done, total: prompt.length }
  if (signal.aborted) return yield finish('stopped')

  const detokenizer = createDetokenizer<Token>((some, last) => parts.model.detokenize(some, false, last), [...stops.texts])
  const odds = new Odds()
  const say = (text: string): GenerateEvent => ({ type: 'text', text, tokens, ...odds.take() })
  for await (const { token, probability } of write(lease, prompt, options, parts, guessed)) {
    firstAt ??= performance.now()
    if (parts.model.isEogToken(token) || stops.tokens.has(token)) break
    tokens++
    odds.add(probability)
    const { text, stopped } = detokenizer.push(token)
    if (text !== '') yield say(text)
    if (stopped) break
    if (signal.aborted || tokens >= options.maxTokens) {
      const rest = detokenizer.end()
      if (rest !== '') yield say(rest)
      return yield finish(signal.aborted ? 'stopped' : 'length')
    }
  }
  const rest = detokenizer.end()
  if (rest !== '') yield say(rest)
  yield finish('end')
}

/** Tokens after the prompt, without end: one by one, or in blocks that are guessed while that pays. */
async function* write(
  { sequence }: Lease,
  prompt: Token[],
  options: AnswerOptions,
  { judge, predictor, isAlone }: AnswerParts,
  guessed: { held: number; all: number },
): AsyncGenerator<Written> {
  const { kind } = options
  let last = prompt.slice(-1)
  // a guess is checked by what the model would write for certain
  if (options.temperature > 0 || options.speculation === 'off') return yield* writePlain(sequence, last, options)
  const lookup = predictor(prompt)
  for (;;) {
    const guess = judge.choose(kind, options.speculation)
    let [alone, ms, count] = [isAlone(), 0, 0]
    const plain = guess ? null : writePlain(sequence, last, options)
    try {
      while (count < BLOCK) {
        const from = performance.now()
        const step = plain ? { ...(await one(plain)), held: 0, all: 0 } : await writeGuessed(sequence, last, lookup, options)
        ms += performance.now() - from
        alone &&= isAlone()
        if (plain) lookup.pushTokens(step.written.map(({ token }) => token))
        guessed.held += step.held
        guessed.all += step.all
        count += step.written.length
        last = step.written.slice(-1).map(({ token }) => token)
        yield* step.written
      }
    } finally {
      await plain?.return(undefined)
    }
    if (alone) judge.measured(kind, guess, ms, count)
  }
}

async function one(source: AsyncGenerator<Written>): Promise<{ written: Written[] }> {
  const { value, done } = await source.next()
  if (done) throw new Error('the engine sampled no token')
  return { written: [value] }
}

/** The geometric mean of what was added since it was last taken. */
class Odds {
  #logs = 0
  #count = 0

  add(probability: number | null): void {
    if (probability === null) return
    this.#logs += Math.log(probability)
    this.#count++
  }

  take(): { probability?: number } {
    if (this.#count === 0) return {}
    const probability = Math.exp(this.#logs / this.#count)
    this.#logs = this.#count = 0
    return { probability }
  }
}
