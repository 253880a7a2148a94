// Owns llama.cpp: the only import of node-llama-cpp. One model, one context, one sequence; what to do when is decided in engine.ts.
import {
  getLlama,
  LlamaLogLevel,
  LlamaText,
  resolveChatWrapper,
  type ChatHistoryItem,
  type ChatWrapper,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { GenerateEvent, LoadedInfo, LoadOptions, Message } from '../contract/engine.ts'
import type { Backend } from '../contract/entities.ts'
import type { BackendFacts } from '../contract/probe.ts'
import { AppError } from '../contract/errors.ts'
import { ChunkSizer } from './chunks.ts'
import { createDetokenizer } from './detokenizer.ts'
import type { ModelFacts } from './gguf.ts'
import { availableMemory, refuseCard, refuseTooLarge, RefusedByEngine } from './load-failure.ts'

type Composed = ReturnType<ChatWrapper['generateContextState']>
// llama.cpp can read a quantised V cache only in its flash attention
const QUANTISED_KV = { flashAttention: true, experimentalKvCacheKeyType: 'Q8_0', experimentalKvCacheValueType: 'Q8_0' } as const
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

export class LoadedModel {
  readonly info: LoadedInfo
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #context: LlamaContext
  readonly #sequence: LlamaContextSequence
  readonly #wrapper: ChatWrapper
  readonly #chunks: ChunkSizer

  private constructor(parts: { llama: Llama; model: LlamaModel; context: LlamaContext; info: LoadedInfo }) {
    this.info = parts.info
    this.#llama = parts.llama
    this.#model = parts.model
    this.#context = parts.context
    this.#sequence = parts.context.getSequence()
    this.#chunks = new ChunkSizer(parts.info.step, parts.info.stepSeconds)
    this.#wrapper = resolveChatWrapper(parts.model)
  }

  /**
   * Progress runs 0…1. `facts` are what the file's header says. Throws MODEL_TOO_LARGE before it begins, or RefusedByEngine with what
   * llama.cpp said; engine.ts gives that a code.
   */
  static async load(options: LoadOptions, facts: ModelFacts, onProgress: (progress: number) => void, signal: AbortSignal): Promise<LoadedModel> {
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
        ignoreMemorySafetyChecks: planned,
        threads,
        batchSize: Math.min(options.batchSize, contextSize),
        ...(options.kvType === 'q8_0' ? QUANTISED_KV : {}),
        lora: { adapters: options.adapters.map(({ path, scale }) => ({ filePath: path, scale })) },
        createSignal: signal,
      })
      const backend = llama.gpu === false ? 'cpu' : llama.gpu
      const names = model.gpuLayers > 0 ? await llama.getGpuDeviceNames() : []
      const step = Math.min(options.step ?? context.batchSize, context.batchSize)
      const info: LoadedInfo = {
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
        step,
        stepSeconds: options.stepSeconds,
        kvType: options.kvType,
        mmap: model.useMmap,
        adapters: options.adapters.length,
        engine: 'llama.cpp',
      }
      const loaded = new LoadedModel({ llama, model, context, info })
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
    await this.#context.dispose()
    await this.#model.dispose()
  }

  /**
   * Tokens of the whole prompt in the model's own chat format. What a person wrote is plain text inside it and is tokenised without
   * control tokens, so `<|im_end|>` in a question stays ten characters and not the end of the turn.
   */
  tokenize(messages: Message[]): Token[] {
    return this.#tokens(this.#compose(messages))
  }

  /** Reads the prompt in small chunks, then writes. Ends with `done`; an abort ends it within one chunk or one token. */
  async *generate(
    messages: Message[],
    options: { maxTokens: number; temperature: number; seed?: number | undefined; threads?: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    this.#llama.maxThreads = Math.min(options.threads ?? this.info.threads, this.info.threads)
    const startedAt = performance.now()
    const composed = this.#compose(messages)
    const prompt = this.#tokens(composed)
    const size = this.info.contextSize
    if (prompt.length + options.maxTokens > size) {
      throw new AppError('QUESTION_TOO_LONG', undefined, { tokens: prompt.length, limit: Math.max(0, size - options.maxTokens) })
    }
    const finish = (stop: 'end' | 'length' | 'stopped', tokens = 0, firstAt: number | null = null): GenerateEvent => {
      const seconds = firstAt === null ? 0 : (performance.now() - firstAt) / 1000
      const firstTokenMs = firstAt === null ? null : firstAt - startedAt
      return {
        type: 'done',
        stop,
        promptTokens: prompt.length,
        tokens,
        firstTokenMs,
        tokensPerSecond: tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null,
        threads: this.#context.currentThreads,
      }
    }

    // what is already in the sequence and equal is kept; the last token must be evaluated again to give logits
    await this.#sequence.adaptStateToTokens(prompt.slice(0, -1), false)
    const body = prompt.length - 1
    yield { type: 'prefill', done: this.#sequence.nextTokenIndex, total: prompt.length }
    for (let at = this.#sequence.nextTokenIndex; at < body;) {
      if (signal.aborted) return yield finish('stopped')
      const chunk = prompt.slice(at, Math.min(body, at + this.#chunks.size))
      const chunkAt = performance.now()
      await this.#sequence.evaluateWithoutGeneratingNewTokens(chunk)
      this.#chunks.measured(chunk.length, performance.now() - chunkAt)
      at += chunk.length
      yield { type: 'prefill', done: at, total: prompt.length }
    }
    if (signal.aborted) return yield finish('stopped')

    const stops = this.#stops(composed)
    const detokenizer = createDetokenizer<Token>((tokens, last) => this.#model.detokenize(tokens, false, last), stops.texts)
    let tokens = 0
    let firstAt: number | null = null
    const evaluation = this.#sequence.evaluate(prompt.slice(body), {
      temperature: options.temperature,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      yieldEogToken: true,
    })
    for await (const token of evaluation) {
      firstAt ??= performance.now()
      if (this.#model.isEogToken(token) || stops.tokens.has(token)) break
      tokens++
      const { text, stopped } = detokenizer.push(token)
      if (text !== '') yield { type: 'text', text, tokens }
      if (stopped) break
      if (signal.aborted || tokens >= options.maxTokens) {
        const rest = detokenizer.end()
        if (rest !== '') yield { type: 'text', text: rest, tokens }
        return yield finish(signal.aborted ? 'stopped' : 'length', tokens, firstAt)
      }
    }
    const rest = detokenizer.end()
    if (rest !== '') yield { type: 'text', text: rest, tokens }
    yield finish('end', tokens, firstAt)
  }

  #compose(messages: Message[]): Composed {
    // Qwen's tokeniser begins with this step, llama.cpp's leaves it out; for every other it changes nothing that can be seen
    const chatHistory: ChatHistoryItem[] = messages.map(({ role, text: typed }) => {
      const text = typed.normalize('NFC')
      return role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text }
    })
    // the empty answer is where the model begins to write
    return this.#wrapper.generateContextState({ chatHistory: [...chatHistory, { type: 'model', response: [''] }] })
  }

  #tokens({ contextText }: Composed): Token[] {
    const tokens = contextText.tokenize(this.#model.tokenizer)
    // the wrapper always begins with BOS; a model whose header forbids it was trained without
    const { bos, shouldPrependBosToken } = this.#model.tokens
    return bos !== null && tokens[0] === bos && !shouldPrependBosToken ? tokens.slice(1) : tokens
  }

  /** What ends an answer beside the end-of-generation tokens: single tokens, and texts that the model may write in several. */
  #stops({ stopGenerationTriggers }: Composed): { tokens: Set<Token>; texts: string[] } {
    const triggers = stopGenerationTriggers.map((trigger) => LlamaText(trigger).tokenize(this.#model.tokenizer))
    return {
      tokens: new Set(triggers.filter(({ length }) => length === 1).map(([token]) => token!)),
      texts: triggers.filter(({ length }) => length > 1).map((trigger) => this.#model.detokenize(trigger, true)),
    }
  }
}
