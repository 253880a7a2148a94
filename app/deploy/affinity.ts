// Owns the affinity matrix: what each layer costs on each device, in seconds, while a prompt is read and while an answer is written.
import type { LoadOptions } from '../contract/engine.ts'
import type { ModelShape } from '../contract/shape.ts'
import type { Layer } from './layers.ts'
import { kvBytesOf, STREAMED_FROM } from './memory.ts'
import type { Processor } from './processors.ts'

type KvType = LoadOptions['kvType']
/** Lengths in tokens: what is asked and what is answered. */
export interface Question {
  promptTokens: number
  answerTokens: number
}
/** The clinic's: a category's prompt with a question, and an answer of a page. */
export const TYPICAL: Question = { promptTokens: 400, answerTokens: 250 }

/** All in seconds, layer × device; crossings from device × to device, between one layer and the next. */
export interface Affinity {
  layers: readonly Layer[]
  processors: readonly Processor[]
  /** Of the whole prompt. */
  prefill: readonly (readonly number[])[]
  /** Of one token of the answer, in the middle of it. */
  decode: readonly (readonly number[])[]
  /** Of one full step of the prefill: what a stop may have to wait for. */
  step: readonly (readonly number[])[]
  crossing: { prefill: readonly (readonly number[])[]; decode: readonly (readonly number[])[]; step: readonly (readonly number[])[] }
  question: Question
}

/** Of a device to take notice of another's result. An allowance: not measured here. */
const WAIT = 30e-6

/**
 * seconds(layer, device, n tokens) = weights + attention + launch, with
 *   weights   = max(R, min(Σ 2 parameters (n + half batch) / rate(type), R (1 + (n − 1) further))), R = bytes / bandwidth,
 *   attention = max(KV bytes / bandwidth, n · attention FLOPs · context / attention rate):
 * the roofline of Williams, Waterman and Patterson (2009), applied to a layer, and the better of llama.cpp's kernels for few and for many
 * tokens. `context`: tokens in the cache, their mean over the pass. A looked-up layer reads its rows and nothing else.
 */
export function passSeconds(layer: Layer, on: Processor, tokens: number, context: number, kvType: KvType): number {
  if (layer.row > 0) return (tokens * layer.row) / on.bandwidth
  return weighing(layer, on, tokens) + attending(layer, on, tokens, context, kvType) + on.launch
}

function weighing({ weights }: Layer, on: Processor, tokens: number): number {
  let [bytes, product] = [0, 0]
  for (const { type, bytes: some, parameters } of weights) {
    bytes += some
    product += (2 * parameters) / on.rate(type)
  }
  const reading = bytes / on.bandwidth
  const many = product * (tokens + on.halfBatch)
  return Math.max(reading, on.furtherToken === null ? many : Math.min(many, reading * (1 + (tokens - 1) * on.furtherToken)))
}

function attending(layer: Layer, on: Processor, tokens: number, context: number, kvType: KvType): number {
  if (layer.kvValues === 0) return 0
  const seconds = (tokens * layer.attention * context) / (on.rate('Q8_0') * on.attention[kvType])
  return Math.max((kvBytesOf(layer, kvType) * context) / on.bandwidth, seconds)
}

/**
 * A block of the CPU while a GPU is at hand and at least STREAMED_FROM tokens are read: llama.cpp copies its weights over the link, matrix
 * by matrix, and multiplies there; attention stays where the cache is.
 */
function streamedSeconds(layer: Layer, cpu: Processor, gpu: Processor, tokens: number, context: number, kvType: KvType): number {
  return layer.bytes / gpu.link + weighing(layer, gpu, tokens) + attending(layer, cpu, tokens, context, kvType) + cpu.launch + gpu.launch
}

/** The matrix for prompts read `step` tokens at a time. `processors`: the CPU first, then GPUs in the order in which llama.cpp fills them. */
export function affinity(
  shape: ModelShape,
  layers: readonly Layer[],
  processors: readonly Processor[],
  { step, kvType, question }: { step: number; kvType: KvType; question: Question },
): Affinity {
  const { answerTokens } = question
  const promptTokens = Math.max(1, question.promptTokens)
  const whole = Math.min(step, promptTokens)
  const times = Math.floor(promptTokens / whole)
  const rest = promptTokens - times * whole
  const gpu = processors[1]
  const pass = (layer: Layer, on: Processor, tokens: number, context: number) => {
    if (tokens === 0) return 0
    const streamed = gpu && on.backend === 'cpu' && tokens >= STREAMED_FROM && layer.kvValues > 0
    return streamed ? streamedSeconds(layer, on, gpu, tokens, context, kvType) : passSeconds(layer, on, tokens, context, kvType)
  }
  // the logits of a token go back to where it is chosen
  const logits = (on: Processor) => (on.backend === 'cpu' ? 0 : crossSeconds(processors[0]!, on, shape.vocabulary * 4))
  const [prefill, decode, steps]: number[][][] = [[], [], []]
  for (const layer of layers) {
    const isOutput = layer === layers.at(-1)
    const one = processors.map((on) => pass(layer, on, 1, promptTokens + answerTokens / 2) + (isOutput ? logits(on) : 0))
    const full = processors.map((on) => (isOutput ? 0 : pass(layer, on, whole, promptTokens / 2)))
    decode!.push(one)
    steps!.push(full)
    // only the last token of a prompt needs the output
    prefill!.push(processors.map((on, d) => (isOutput ? one[d]! : times * full[d]! + pass(layer, on, rest, promptTokens / 2))))
  }
  const crossing = (tokens: number, times: number) =>
    processors.map((from) => processors.map((to) => (from === to ? 0 : times * crossSeconds(from, to, tokens * shape.embedding * 4))))
  const passes = times + (rest > 0 ? 1 : 0)
  return {
    ...{ layers, processors, question, prefill: prefill!, decode: decode!, step: steps! },
    crossing: { prefill: crossing(promptTokens / passes, passes), decode: crossing(1, 1), step: crossing(whole, 1) },
  }
}

/** From one GPU to another the bytes go over RAM, so over both links. */
const crossSeconds = (from: Processor, to: Processor, bytes: number) => bytes / from.link + bytes / to.link + WAIT
