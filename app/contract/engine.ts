// Owns the contract between the host and its engine process. The page never sees it.
import * as z from 'zod'
import { call, stream } from './define.ts'
import { Backend } from './entities.ts'

export const Message = z.object({ role: z.enum(['system', 'user', 'assistant']), text: z.string() })
export type Message = z.infer<typeof Message>

export const KvType = z.enum(['f16', 'q8_0'])
/** A LoRA file that changes the model while it runs; 0 switches it off, 1 is what it was trained for. */
export const Adapter = z.object({ path: z.string(), scale: z.number().min(-10).max(10) })
export type Adapter = z.infer<typeof Adapter>

export const LoadInput = z.object({
  modelPath: z.string(),
  /** auto: the best backend that llama.cpp finds. off: CPU only. A backend by name is used or the load fails; there is no other in its place. */
  gpu: z.enum(['auto', 'off', 'cuda', 'vulkan', 'metal']),
  /** The output and the blocks before it, as llama.cpp counts; null lets the engine decide. */
  gpuLayers: z.number().int().min(0).max(10_000).nullable().default(null),
  /** Cards that the engine process may see, by their driver's numbers; null: all. Drivers read it once: another list needs another process. */
  devices: z.array(z.number().int().min(0).max(63)).min(1).max(16).nullable().default(null),
  /** Bytes of graphics memory that the plan counts on; with less free the load fails before it begins. */
  gpuBytes: z.number().int().min(0).default(0),
  /** Tokens of context; the engine takes the smaller of this and what the model was trained for. */
  contextSize: z.number().int().min(64).max(1_048_576),
  /** Decode threads; null lets the engine leave a core free. */
  threads: z.number().int().min(1).max(512).nullable(),
  /**
   * Most prompt tokens read in one step; fewer are read where a step would keep a stop waiting. Each takes 0.3 MB with a 7B model, and on a
   * graphics card 4 bytes more for every token of the vocabulary.
   */
  batchSize: z.number().int().min(32).max(2048).default(256),
  /** Most prompt tokens of a step where a plan wants fewer than a batch; null: a batch. */
  step: z.number().int().min(1).max(2048).nullable().default(null),
  /** Longest step in seconds: half of the 150 ms that a stop may take, as the next one may turn out slower than the last. */
  stepSeconds: z.number().min(0.01).max(10).default(0.075),
  /** What the context is kept in: q8_0 takes 53 % of the memory of f16 and reads prompts more slowly. */
  kvType: KvType.default('f16'),
  /** Weights that are used as they lie in the file stay its pages, which the system can drop and read again; else they are copied. */
  mmap: z.boolean().default(true),
  /** Applied together, each times its scale. */
  adapters: z
    .array(Adapter)
    .max(8)
    .refine((adapters) => new Set(adapters.map(({ path }) => path)).size === adapters.length, 'the same adapter twice')
    .default([]),
})
/** What a caller gives; what it leaves out has the defaults above. */
export type LoadRequest = z.input<typeof LoadInput>
/** The same with the defaults filled in. */
export type LoadOptions = z.output<typeof LoadInput>

export const LoadedInfo = z.object({
  architecture: z.string(),
  quantisation: z.string(),
  name: z.string(),
  backend: Backend,
  device: z.string(),
  /** All that hold layers. */
  devices: z.array(z.string()),
  gpuLayers: z.number().int(),
  layers: z.number().int(),
  threads: z.number().int(),
  contextSize: z.number().int(),
  trainContextSize: z.number().int(),
  batchSize: z.number().int(),
  step: z.number().int(),
  stepSeconds: z.number(),
  kvType: KvType,
  /** False also where the system cannot map files. */
  mmap: z.boolean(),
  /** How many are in effect. */
  adapters: z.number().int(),
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
  /** Of this answer, at most those of the load; without a value those. */
  threads: z.number().int().min(1).max(512).optional(),
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
    /** That were used; absent where nothing was evaluated. */
    threads: z.number().int().optional(),
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
