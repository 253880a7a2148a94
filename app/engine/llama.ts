// Owns llama.cpp: the only import of node-llama-cpp. One model and one context of several sequences; what to do when is decided in engine.ts.
import {
  getLlama,
  InputLookupTokenPredictor,
  LlamaLogLevel,
  LlamaText,
  resolveChatWrapper,
  type Llama,
  type LlamaContext,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Adapter, GenerateEvent, GenerateInput, LoadedInfo, LoadOptions, Message } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import type { BackendFacts } from '../contract/probe.ts'
import { AdapterSwitch } from './adapter-switch.ts'
import { affordableSequences } from './affordable.ts'
import { answer, type AnswerParts } from './answer.ts'
import { ChatFormat } from './chat-format.ts'
import { ChunkSizer } from './chunks.ts'
import { fingerprint } from './fingerprint.ts'
import { readGgufHeader } from './gguf-header.ts'
import type { ModelFacts } from './gguf.ts'
import { availableMemory, refuseCard, refuseTooLarge, RefusedByEngine } from './load-failure.ts'
import { SequencePool } from './sequence-pool.ts'
import { shapeOf } from './shape.ts'
import { Shapes } from './shapes.ts'
import { SpeculationJudge } from './speculation.ts'
import { StateStore } from './state-store.ts'
import { warmPrefix, warmShapes, type PrefixStep, type WarmParts } from './warm-up.ts'

export type { ChatHistoryItem, ChatWrapper, LlamaContext, LlamaContextSequence, LlamaModel, LlamaText, Token } from 'node-llama-cpp'

/** Finds the end of what is written in the prompt, and guesses that it goes on as it did there. */
export type LookupPredictor = Pick<InputLookupTokenPredictor, 'predictTokens' | 'pushTokens'>
/** One token alone says little about the next one; more guesses than these are seldom all right. */
const LOOKUP = { patternLength: { min: 2 }, predictionLength: { max: 4 } }
const KV_TYPE = { f16: {}, q8_0: { experimentalKvCacheKeyType: 'Q8_0', experimentalKvCacheValueType: 'Q8_0' } } as const
// llama.cpp's log arrives by another queue than its failure
const LOG_MS = 50
const WORDS_KEPT = 20
/** Never disposed: in node-llama-cpp 3.21 every instance but the first of a process is deaf to llama.cpp's log. */
const engines = new Map<LoadOptions['gpu'], Promise<Llama>>()
/** What llama.cpp has said since the latest load began. */
let words: string[] = []

/** Spinning threads on every core were measured up to 36 times slower on a busy machine, so one core is left to the rest of it. */
export function decodeThreads(cores: number = availableParallelism()): number {
  return Math.max(1, cores - 1)
}

function engine(gpu: LoadOptions['gpu']): Promise<Llama> {
  const known = engines.get(gpu)
  if (known) return known
  const started = getLlama({
    gpu: gpu === 'off' ? false : gpu,
    build: 'never',
    logLevel: LlamaLogLevel.error,
    // never to standard output, where it could be mixed with what a host says
    logger: (_, text) => {
      words = [...words, text].slice(-WORDS_KEPT)
      process.stderr.write(text + '\n')
    },
  })
  engines.set(gpu, started)
  // a driver that fails now may work at the next try
  started.catch(() => engines.delete(gpu))
  return started
}

/** Starts one backend and says what it finds. For a process that is thrown away: a driver may hang or end it. Throws what llama.cpp says. */
export async function probeBackend(backend: Backend): Promise<BackendFacts> {
  const llama = await engine(backend === 'cpu' ? 'off' : backend)
  // node-llama-cpp takes the processor where a system has no such backend
  if ((llama.gpu || 'cpu') !== backend) throw new AppError('GPU_UNAVAILABLE')
  const { total, free, unifiedSize } = await llama.getVramState()
  return { names: await llama.getGpuDeviceNames(), memoryTotal: total, memoryFree: free, unified: unifiedSize > 0, system: llama.systemInfo }
}

export type AnswerInput = Pick<
  GenerateInput,
  'maxTokens' | 'temperature' | 'seed' | 'threads' | 'adapters' | 'probabilities' | 'speculation' | 'kind'
>

export class LoadedModel {
  readonly info: LoadedInfo
  readonly #llama: Llama
  readonly #context: LlamaContext
  readonly #format: ChatFormat
  readonly #loaded: readonly Adapter[]
  readonly #adapters: AdapterSwitch
  readonly #parts: AnswerParts & WarmParts
  /** Threads of the answers that are written now. */
  readonly #threads: number[] = []

  private constructor(options: LoadOptions, native: Native, info: LoadedInfo, kept: Kept) {
    const { llama, model, context } = native
    this.info = info
    this.#llama = llama
    this.#context = context
    this.#loaded = options.adapters
    this.#adapters = kept.adapters
    this.#format = new ChatFormat(model, resolveChatWrapper(model), LlamaText)
    this.#parts = {
      ...{ model, contextSize: info.contextSize, judge: new SpeculationJudge(), chunks: new ChunkSizer(info.step, info.stepSeconds) },
      ...{ states: kept.states, key: kept.key, shapes: kept.shapes, pool: new SequencePool(context, kept.states, kept.key) },
      predictor: (prompt) => lookupIn(prompt),
      isAlone: () => this.#threads.length <= 1,
      threads: () => context.currentThreads,
    }
  }

  /**
   * Progress runs 0…1. `facts` are what the file's header says. Throws MODEL_TOO_LARGE before it begins, or RefusedByEngine with what
   * llama.cpp said; engine.ts gives that a code.
   */
  static async load(options: LoadOptions, facts: ModelFacts, onProgress: (progress: number) => void, signal: AbortSignal): Promise<LoadedModel> {
    if (options.kvType === 'q8_0' && options.flashAttention === 'off')
      throw new AppError('BAD_INPUT', 'A context in 8 bits needs flash attention. Leave flash attention on, or choose 16 bits (f16).')
    const threads = options.threads ?? decodeThreads()
    const llama = await engine(options.gpu).catch((error: unknown) => {
      throw options.gpu === 'auto' || options.gpu === 'off' ? error : new AppError('GPU_UNAVAILABLE', undefined, undefined, error)
    })
    if (options.gpu !== 'auto' && options.gpu !== 'off' && llama.gpu !== options.gpu) throw new AppError('GPU_UNAVAILABLE')
    llama.maxThreads = threads
    words = []
    let model: LlamaModel | null = null
    try {
      const graphics = llama.gpu === false ? 0 : (await llama.getVramState()).free
      refuseTooLarge(facts, availableMemory() + graphics)
      refuseCard(options.gpuBytes, graphics)
      // whoever counts the layers has counted the memory, and more exactly than node-llama-cpp's estimate
      const planned = options.gpuLayers !== null && options.gpuLayers > 0
      model = await llama.loadModel({
        modelPath: options.modelPath,
        ...(options.gpuLayers === null ? {} : { gpuLayers: options.gpuLayers }),
        ignoreMemorySafetyChecks: planned,
        useMmap: options.mmap,
        onLoadProgress: (progress) => onProgress(progress * 0.95),
        loadSignal: signal,
      })
      const contextSize = Math.min(options.contextSize, model.trainContextSize)
      const context = await model.createContext({
        contextSize,
        sequences: options.sequences === 1 ? 1 : await affordable({ ...options, contextSize, gpuLayers: model.gpuLayers }, llama),
        ignoreMemorySafetyChecks: planned,
        threads,
        batchSize: Math.min(options.batchSize, contextSize),
        flashAttention: options.flashAttention === 'auto' && options.kvType === 'f16' ? 'auto' : options.flashAttention !== 'off',
        ...KV_TYPE[options.kvType],
        lora: { adapters: options.adapters.filter(({ scale }) => scale !== 0).map(({ path, scale }) => ({ filePath: path, scale })) },
        createSignal: signal,
      })
      const native = { llama, model, context }
      const info = await infoOf(options, facts, threads, native)
      const loaded = new LoadedModel(options, native, info, await keep(options, info, native))
      onProgress(1)
      return loaded
    } catch (error) {
      await model?.dispose()
      if (error instanceof AppError) throw error
      await setTimeout(LOG_MS)
      throw new RefusedByEngine(words, error)
    }
  }

  async dispose(): Promise<void> {
    this.#parts.shapes.save()
    await this.#context.dispose()
    await this.#parts.model.dispose()
  }

  /** Tokens of the whole prompt in the model's own chat format. */
  tokenize(messages: readonly Message[]): Token[] {
    return this.#format.tokenize(messages)
  }

  /**
   * Reads the prompt in small steps, then writes. Ends with `done`; an abort ends it within one step or one token. As many may run at once as
   * there are sequences, all of them with the same adapters. Throws QUESTION_TOO_LONG, or ADAPTER_MISMATCH.
   */
  async *generate(messages: readonly Message[], options: AnswerInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const startedAt = performance.now()
    const { prompt, stops } = this.#format.compose(messages)
    const { contextSize } = this.info
    const limit = Math.max(0, contextSize - options.maxTokens)
    if (prompt.length > limit) throw new AppError('QUESTION_TOO_LONG', undefined, { tokens: prompt.length, limit })
    const threads = Math.min(options.threads ?? this.info.threads, this.info.threads)
    const lease = await this.#parts.pool.take(prompt, await this.#adapters.use(options.adapters ?? this.#loaded))
    this.#threads.push(threads)
    this.#llama.maxThreads = Math.max(...this.#threads)
    const { probabilities = false, speculation = 'off', kind = '' } = options
    try {
      yield* answer(lease, prompt, stops, { ...options, probabilities, speculation, kind }, this.#parts, startedAt, signal)
    } finally {
      this.#threads.splice(this.#threads.indexOf(threads), 1)
      lease.end()
    }
  }

  /** Sees to it that the state of what every prompt with these messages begins with is stored. The last step says that it is, or why not. */
  async *warm(messages: readonly Message[], adapters: readonly Adapter[] | undefined, signal: AbortSignal): AsyncGenerator<PrefixStep> {
    const named = await this.#adapters.use(adapters ?? this.#loaded)
    yield* warmPrefix(this.#format.prefix(messages), named, this.#parts, signal)
  }

  /** Runs common shapes that are not warm; yields those that are, after each. */
  async *warmShapes(signal: AbortSignal): AsyncGenerator<number[]> {
    yield* warmShapes(this.#parts, signal)
    this.#parts.shapes.save()
  }
}

interface Native {
  llama: Llama
  model: LlamaModel
  context: LlamaContext
}
interface Kept {
  adapters: AdapterSwitch
  states: StateStore | null
  shapes: Shapes
  /** Names everything that a state depends on but its prompt and its adapters. */
  key: string
}

async function affordable(options: LoadOptions & { gpuLayers: number }, llama: Llama): Promise<number> {
  const shape = shapeOf(await readGgufHeader(options.modelPath, { values: 'facts' }))
  const graphics = llama.gpu === false ? 0 : (await llama.getVramState()).free
  return affordableSequences(options.sequences, options, shape, { memory: availableMemory(), graphics })
}

async function infoOf(options: LoadOptions, facts: ModelFacts, threads: number, { llama, model, context }: Native): Promise<LoadedInfo> {
  const backend = llama.gpu === false ? 'cpu' : llama.gpu
  const names = model.gpuLayers > 0 ? await llama.getGpuDeviceNames() : []
  return {
    name: facts.name,
    architecture: facts.architecture,
    quantisation: facts.quantisation,
    backend: model.gpuLayers > 0 ? backend : 'cpu',
    device: model.gpuLayers > 0 ? (names[0] ?? backend.toUpperCase()) : 'CPU',
    devices: model.gpuLayers > 0 ? names : ['CPU'],
    gpuLayers: model.gpuLayers,
    layers: model.fileInsights.totalLayers,
    threads,
    contextSize: context.contextSize,
    trainContextSize: model.trainContextSize,
    batchSize: context.batchSize,
    step: Math.min(options.step ?? context.batchSize, context.batchSize),
    stepSeconds: options.stepSeconds,
    kvType: options.kvType,
    mmap: model.useMmap,
    adapters: options.adapters.length,
    engine: 'llama.cpp',
    sequences: context.totalSequences,
    flashAttention: context.flashAttention === 'auto' ? 'auto' : context.flashAttention ? 'on' : 'off',
  }
}

async function keep(options: LoadOptions, info: LoadedInfo, { llama, model, context }: Native): Promise<Kept> {
  const { isRecurrent, isHybrid, swaSize } = model.fileInsights
  // their state is more than what was read: it cannot be cut back to a prompt
  const whole = !isRecurrent && !isHybrid && swaSize === undefined
  // nothing that lasts is kept: nothing has to be told from another model's
  const file = options.states || options.shapes.path !== null ? await fingerprint(options.modelPath) : ''
  const { kvType, flashAttention, contextSize, sequences, backend, gpuLayers } = info
  const engine = [llama.llamaCppRelease, process.platform, process.arch, backend, gpuLayers]
  // a state of llama.cpp does not fit a context of another number of sequences
  const key = createHash('sha256').update(JSON.stringify([file, options.modelSha256, engine, kvType, flashAttention, contextSize, sequences]))
  const cut = options.shapes.cut === 'on' || (options.shapes.cut === 'auto' && gpuLayers > 0)
  return {
    adapters: new AdapterSwitch(context, options.modelPath, options.adapters),
    states: options.states && whole ? await StateStore.open(options.states.folder, options.states.bytes) : null,
    shapes: new Shapes({ path: options.shapes.path, key: `${file.slice(0, 16)} ${backend}`, cut, largest: info.step }),
    key: key.digest('hex'),
  }
}

function lookupIn(prompt: readonly Token[]): LookupPredictor {
  const predictor = new InputLookupTokenPredictor(LOOKUP)
  predictor.updateInputTokens([...prompt])
  predictor.reset({ stateTokens: [...prompt] })
  return predictor
}
