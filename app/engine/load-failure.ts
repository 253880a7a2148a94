// Owns the translation of what llama.cpp says about a model that does not load into a code and a sentence.
import { freemem } from 'node:os'
import { basename } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { ModelFacts } from './gguf.ts'

/** `error` is whatever loading threw. The engine's own words go into `data`, for the log. */
export function loadFailure(error: unknown, facts: ModelFacts): AppError {
  if (error instanceof AppError) return error
  const words = error instanceof Error ? error.message : String(error)
  const data = { words: words.slice(0, 500) }
  const file = basename(facts.path)
  if (/architecture/i.test(words)) {
    return new AppError(
      'MODEL_ARCHITECTURE',
      `This engine does not know the architecture “${facts.architecture}” of ${file}. Choose another model or update Rushlight.`,
      data,
      error,
    )
  }
  if (/insufficient|memory|alloc/i.test(words)) return tooLarge(facts, data, error)
  // llama.cpp says only "failed to load"; the header tells more
  if (!KNOWN.has(facts.architecture)) {
    return new AppError(
      'MODEL_ARCHITECTURE',
      `This engine probably does not know the architecture “${facts.architecture}” of ${file}. Choose another model or update Rushlight.`,
      data,
      error,
    )
  }
  if (facts.bytes > freemem() * 0.95) return tooLarge(facts, data, error)
  return new AppError(
    'MODEL_LOAD_FAILED',
    `The engine could not load ${file}. Choose another model; the log has the engine’s own words.`,
    data,
    error,
  )
}

function tooLarge(facts: ModelFacts, data: unknown, error: unknown): AppError {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  return new AppError(
    'MODEL_TOO_LARGE',
    `${basename(facts.path)} needs more than ${gb(facts.bytes)} of memory; ${gb(freemem())} is free. Close other programs or choose a smaller model.`,
    data,
    error,
  )
}

/** Architectures that every llama.cpp of the last years loads: for these a failure has another reason. */
const KNOWN = new Set([
  'llama',
  'qwen2',
  'qwen2moe',
  'qwen3',
  'qwen3moe',
  'gemma',
  'gemma2',
  'gemma3',
  'phi2',
  'phi3',
  'mistral3',
  'gpt2',
  'gptneox',
  'falcon',
  'mpt',
  'stablelm',
  'starcoder2',
  'deepseek2',
  'granite',
  'olmo2',
  'command-r',
])
