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
const onlyOnce = (adapters: readonly Adapter[]) => new Set(adapters.map(({ path }) => path)).size === adapters.length

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
  adapters: z.array(Adapter).max(8).refine(onlyOnce, 'the same adapter twice').default([]),
  /** Answers at once, each with a context of its own of `contextSize` tokens; fewer where their memory is not free. */
  sequences: z.number().int().min(1).max(16).default(1),
  /** auto: where llama.cpp finds that the backend can. A context in q8_0 cannot be read without it. */
  flashAttention: z.enum(['auto', 'on', 'off']).default('auto'),
  /** SHA-256 of the model file where it is known; beside it the file itself is always looked at. */
  modelSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
  /** Where the states of prompts are kept that `engine.warm` has read, and the bytes that all of them may take; null: nowhere. */
  states: z
    .object({ folder: z.string(), bytes: z.number().int().min(0) })
    .nullable()
    .default(null),
  /**
   * Batch shapes. `path`: the file that remembers which ones come up; null: none does. `cut`: prompts are read in sizes that are warm, which lets
   * recorded graphs and compiled pipelines be used again; auto: on graphics cards, as each further step costs a processor a pass over the weights.
   */
  shapes: z
    .object({ path: z.string().nullable().default(null), cut: z.enum(['auto', 'on', 'off']).default('auto') })
    .default({ path: null, cut: 'auto' }),
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
  /** Absent from an engine that does not say: 1. */
  sequences: z.number().int().optional(),
  flashAttention: z.enum(['auto', 'on', 'off']).optional(),
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
  /** Of this answer, in place of those of the load; switched without a reload, but never beside an answer with others. */
  adapters: z.array(Adapter).max(8).refine(onlyOnce, 'the same adapter twice').optional(),
  /** Say how likely each piece of text was. With a large vocabulary this takes a processor some milliseconds a token. */
  probabilities: z.boolean().optional(),
  /** Guess the next tokens from the prompt and check them in one step; auto: while it is measured to pay. Greedy answers only; absent: off. */
  speculation: z.enum(['auto', 'on', 'off']).optional(),
  /** What kind of question this is: whether speculation pays is learnt for each kind. */
  kind: z.string().max(40).optional(),
  /** Who asks: several of them take turns, however much one of them asks. */
  client: z.string().max(100).optional(),
})
export type GenerateInput = z.infer<typeof GenerateInput>
export const GenerateEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('prefill'), done: z.number().int(), total: z.number().int() }),
  /** `tokens` counts the whole answer so far. */
  z.object({
    type: z.literal('text'),
    text: z.string(),
    tokens: z.number().int(),
    /**
     * Of the tokens of this text: the geometric mean of what the model gave each. At temperature 0 among all tokens, above it among those
     * that were left to choose from, at that temperature. Only when asked for.
     */
    probability: z.number().min(0).max(1).optional(),
  }),
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
    /** Tokens of the prompt that came from a stored state. */
    restored: z.number().int().optional(),
    /** Tokens that were guessed and held, of those that were guessed; absent where none was. */
    guessed: z.object({ held: z.number().int(), all: z.number().int() }).optional(),
  }),
])
export type GenerateEvent = z.infer<typeof GenerateEvent>

export const WarmInput = z.object({
  /** Beginnings of prompts, such as the system prompt of a category; `messages` are all that stands before what a person asks. */
  prefixes: z
    .array(z.object({ id: z.string(), messages: z.array(Message).min(1), adapters: z.array(Adapter).max(8).refine(onlyOnce).optional() }))
    .max(64),
  /** Also run the batch shapes that are common and not yet warm. */
  shapes: z.boolean().default(true),
})
export type WarmInput = z.infer<typeof WarmInput>
export const WarmEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('prefix'), id: z.string(), done: z.number().int(), total: z.number().int() }),
  z.object({
    type: z.literal('warm'),
    id: z.string(),
    /** Tokens whose state is at hand. */
    tokens: z.number().int(),
    /** read: just now; stored: it was there. none: it is too short to be worth it, or states are not kept. */
    from: z.enum(['read', 'stored', 'none']),
    /** Milliseconds that reading took. */
    ms: z.number(),
  }),
  z.object({ type: z.literal('shapes'), sizes: z.array(z.number().int()) }),
  /** `stopped`: by an abort, or because another model was loaded. */
  z.object({ type: z.literal('done'), stopped: z.boolean() }),
])
export type WarmEvent = z.infer<typeof WarmEvent>

export const engineContract = {
  /** Replaces the loaded model. Failures are MODEL_* codes. */
  'engine.load': stream(LoadInput, LoadEvent),
  'engine.unload': call(z.null(), z.null()),
  /** Tokens of the whole composed prompt, template included; `contextSize` is what they must fit in together with the answer. */
  'engine.count': call(z.object({ messages: z.array(Message).min(1) }), z.object({ tokens: z.number().int(), contextSize: z.number().int() })),
  /**
   * As many at once as the load has sequences, the others in order of arrival, in turn among those who ask. An abort ends it within 150 ms with
   * `done`, stop: 'stopped'. Throws BAD_INPUT when too many wait already.
   */
  'engine.generate': stream(GenerateInput, GenerateEvent),
  /** Work for idle moments, a step at a time and never while an answer is written or waited for. */
  'engine.warm': stream(WarmInput, WarmEvent),
} as const
export type EngineContract = typeof engineContract
