// Owns the contract between the host and its engine process. The page never sees it.
import * as z from 'zod'
import { call, stream } from './define.ts'
import { Backend } from './entities.ts'

export const Message = z.object({ role: z.enum(['system', 'user', 'assistant']), text: z.string() })
export type Message = z.infer<typeof Message>

export const LoadInput = z.object({
  modelPath: z.string(),
  /** auto: the best device that llama.cpp finds. off: CPU only. */
  gpu: z.enum(['auto', 'off']),
  /** Tokens of context; the engine takes the smaller of this and what the model was trained for. */
  contextSize: z.number().int().min(64).max(1_048_576),
  /** Decode threads; null lets the engine leave a core free. */
  threads: z.number().int().min(1).max(512).nullable(),
})
export const LoadedInfo = z.object({
  architecture: z.string(),
  quantisation: z.string(),
  name: z.string(),
  backend: Backend,
  device: z.string(),
  gpuLayers: z.number().int(),
  layers: z.number().int(),
  threads: z.number().int(),
  contextSize: z.number().int(),
  trainContextSize: z.number().int(),
  engine: z.string(),
})
export type LoadedInfo = z.infer<typeof LoadedInfo>
export const LoadEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: z.number().min(0).max(1) }),
  z.object({ type: z.literal('ready'), info: LoadedInfo }),
])

export const GenerateInput = z.object({
  messages: z.array(Message).min(1),
  maxTokens: z.number().int().min(1),
  /** 0 is greedy and repeatable. */
  temperature: z.number().min(0).max(2),
  seed: z.number().int().optional(),
})
export const GenerateEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('prefill'), done: z.number().int(), total: z.number().int() }),
  /** `tokens` counts the whole answer so far. */
  z.object({ type: z.literal('text'), text: z.string(), tokens: z.number().int() }),
  z.object({
    type: z.literal('done'),
    stop: z.enum(['end', 'length', 'stopped']),
    promptTokens: z.number().int(),
    tokens: z.number().int(),
    /** From the start of generate() in the engine, queueing included. */
    firstTokenMs: z.number().nullable(),
    tokensPerSecond: z.number().nullable(),
  }),
])
export type GenerateEvent = z.infer<typeof GenerateEvent>

export const engineContract = {
  /** Replaces the loaded model. Failures are MODEL_* codes. */
  'engine.load': stream(LoadInput, LoadEvent),
  'engine.unload': call(z.null(), z.null()),
  /** Tokens of the whole composed prompt, template included; `contextSize` is what they must fit in together with the answer. */
  'engine.count': call(z.object({ messages: z.array(Message).min(1) }), z.object({ tokens: z.number().int(), contextSize: z.number().int() })),
  /** One at a time, in order of arrival. An abort ends it within 150 ms with `done`, stop: 'stopped'. */
  'engine.generate': stream(GenerateInput, GenerateEvent),
} as const
export type EngineContract = typeof engineContract
