// Owns the translation of what llama.cpp says about a model that does not load into a code and a sentence.
import { freemem } from 'node:os'
import { basename } from 'node:path'
import { AppError, type Code } from '../contract/errors.ts'
import type { ModelFacts } from './gguf.ts'

/** What llama.cpp logged while it failed: its thrown message alone is the same for every cause. */
export class RefusedByEngine extends Error {
  override name = 'RefusedByEngine'
  readonly words: readonly string[]
  constructor(words: readonly string[], cause: unknown) {
    super('the engine refused the model', { cause })
    this.words = words
  }
}

// enough for the log to tell the cause, too little to fill it
const WORDS_KEPT = 500

/** `error` is whatever loading threw. The engine's own words go into `data.words`, for the log. */
export function loadFailure(error: unknown, facts: ModelFacts): AppError {
  if (error instanceof AppError) return error
  const words = said(error)
  const refuse = (code: Code, sentence: string) => new AppError(code, sentence, { words: words.slice(0, WORDS_KEPT) }, error)
  const file = basename(facts.path)
  if (/unknown (model )?architecture/i.test(words)) {
    const unknown = `This engine does not know the architecture “${facts.architecture}” of ${file}. Choose another model or update Rushlight.`
    return refuse('MODEL_ARCHITECTURE', unknown)
  }
  if (/insufficient memory|out of memory|(failed|unable|cannot) to allocate|bad_alloc|too large to fit/i.test(words)) {
    return refuse('MODEL_TOO_LARGE', needsMore(facts, availableMemory()))
  }
  if (/lora adapter/i.test(words))
    return refuse('ADAPTER_MISMATCH', `The engine refused the adapter for ${file}. Use the base model that it was trained on.`)
  if (/[KV] cache type|quantized V cache/.test(words))
    return refuse('MODEL_LOAD_FAILED', `${file} cannot keep its context in 8 bits. Choose 16 bits for the context (f16) and load it again.`)
  return refuse('MODEL_LOAD_FAILED', `The engine could not load ${file}. Choose another model; the log has the engine’s own words.`)
}

/** Thrown before loading: half a minute of swapping tells a person nothing. `free` is in bytes, graphics memory included. */
export function refuseTooLarge(facts: ModelFacts, free: number): void {
  if (facts.bytes > free) throw new AppError('MODEL_TOO_LARGE', needsMore(facts, free), { bytes: facts.bytes, free })
}

/** Thrown before loading: other programs may have taken what was free when the plan was made. Both in bytes. */
export function refuseCard(planned: number, free: number): void {
  if (planned <= free) return
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  const sentence = `The plan needs ${gb(planned)} of graphics memory and ${gb(free)} is free now. Close programs that use the card.`
  throw new AppError('GPU_MEMORY', sentence, { planned, free })
}

/** Bytes that a new program may take, caches that the system would give up included, but never more than this process is allowed. */
export function availableMemory(): number {
  // 0 or a number beyond any machine when the process is not confined
  const allowed = process.constrainedMemory()
  return Math.min(freemem(), allowed > 0 ? allowed : Infinity)
}

function needsMore(facts: ModelFacts, free: number): string {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  return `${basename(facts.path)} needs more than ${gb(facts.bytes)} of memory; ${gb(free)} is free. Close other programs or choose a smaller model.`
}

function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  // llama.cpp repeats its lines on the second try of node-llama-cpp
  return error instanceof RefusedByEngine ? [...new Set(error.words)].join(' | ') + cause : error.message
}
