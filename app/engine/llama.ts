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
import type { GenerateEvent, LoadedInfo, Message } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import { ChunkSizer } from './chunks.ts'
import { createDetokenizer } from './detokenizer.ts'

export interface LoadOptions {
  modelPath: string
  gpu: 'auto' | 'off'
  contextSize: number
  threads: number | null
}
// One batch must stay short enough that a stop is honoured within 150 ms; larger batches also cost memory for logits.
const BATCH = 256

/** Spinning threads on every core were measured up to 36 times slower on a busy machine, so one core is left to the rest of it. */
export function decodeThreads(cores: number = availableParallelism()): number {
  return Math.max(1, cores - 1)
}

export class LoadedModel {
  readonly info: LoadedInfo
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #context: LlamaContext
  readonly #sequence: LlamaContextSequence
  readonly #wrapper: ChatWrapper
  readonly #chunks = new ChunkSizer(BATCH)

  private constructor(parts: { llama: Llama; model: LlamaModel; context: LlamaContext; info: LoadedInfo }) {
    this.info = parts.info
    this.#llama = parts.llama
    this.#model = parts.model
    this.#context = parts.context
    this.#sequence = parts.context.getSequence()
    this.#wrapper = resolveChatWrapper(parts.model)
  }

  /** Progress runs 0…1. Throws what llama.cpp throws; engine.ts gives it a code. `facts` are what the file's header says. */
  static async load(
    options: LoadOptions,
    facts: { name: string; quantisation: string; architecture: string },
    onProgress: (progress: number) => void,
    signal: AbortSignal,
  ): Promise<LoadedModel> {
    const threads = options.threads ?? decodeThreads()
    const llama = await getLlama({
      gpu: options.gpu === 'off' ? false : 'auto',
      build: 'never',
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
      logger: (_, text) => void process.stderr.write(text + '\n'),
    })
    try {
      const model = await llama.loadModel({
        modelPath: options.modelPath,
        onLoadProgress: (progress) => onProgress(progress * 0.95),
        loadSignal: signal,
      })
      const context = await model.createContext({
        contextSize: Math.min(options.contextSize, model.trainContextSize),
        threads,
        batchSize: BATCH,
        createSignal: signal,
      })
      const backend = llama.gpu === false ? 'cpu' : llama.gpu
      const device = llama.gpu === false ? 'CPU' : ((await llama.getGpuDeviceNames())[0] ?? backend.toUpperCase())
      const info: LoadedInfo = {
        ...facts,
        backend: model.gpuLayers > 0 ? backend : 'cpu',
        device: model.gpuLayers > 0 ? device : 'CPU',
        gpuLayers: model.gpuLayers,
        layers: model.fileInsights.totalLayers,
        threads,
        contextSize: context.contextSize,
        trainContextSize: model.trainContextSize,
        engine: 'llama.cpp',
      }
      const loaded = new LoadedModel({ llama, model, context, info })
      onProgress(1)
      return loaded
    } catch (error) {
      await llama.dispose()
      throw error
    }
  }

  async dispose(): Promise<void> {
    await this.#context.dispose()
    await this.#model.dispose()
    await this.#llama.dispose()
  }

  /**
   * Tokens of the whole prompt in the model's own chat format. What a person wrote is plain text inside it and is tokenised without
   * control tokens, so `<|im_end|>` in a question stays seven characters and not the end of the turn.
   */
  tokenize(messages: Message[]): Token[] {
    return this.#compose(messages).contextText.tokenize(this.#model.tokenizer)
  }

  /** Reads the prompt in small chunks, then writes. Ends with `done`; an abort ends it within one chunk or one token. */
  async *generate(
    messages: Message[],
    options: { maxTokens: number; temperature: number; seed?: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    const startedAt = performance.now()
    const prompt = this.tokenize(messages)
    const size = this.info.contextSize
    if (prompt.length + options.maxTokens > size) {
      throw new AppError('QUESTION_TOO_LONG', undefined, { tokens: prompt.length, limit: size - options.maxTokens })
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

    const detokenizer = createDetokenizer<Token>((tokens, last) => this.#model.detokenize(tokens, false, last), this.#stopTexts(messages))
    let tokens = 0
    let firstAt: number | null = null
    const stopTokens = this.#stopTokens(messages)
    const evaluation = this.#sequence.evaluate(prompt.slice(body), {
      temperature: options.temperature,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      yieldEogToken: true,
    })
    for await (const token of evaluation) {
      firstAt ??= performance.now()
      if (this.#model.isEogToken(token) || stopTokens.has(token)) break
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

  #compose(messages: Message[]) {
    const chatHistory: ChatHistoryItem[] = messages.map(({ role, text }) =>
      role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text },
    )
    // the empty answer is where the model begins to write
    return this.#wrapper.generateContextState({ chatHistory: [...chatHistory, { type: 'model', response: [''] }] })
  }

  #stops(messages: Message[]): Token[][] {
    return this.#compose(messages).stopGenerationTriggers.map((trigger) => LlamaText(trigger).tokenize(this.#model.tokenizer))
  }

  #stopTokens(messages: Message[]): Set<Token> {
    return new Set(
      this.#stops(messages)
        .filter((trigger) => trigger.length === 1)
        .map(([token]) => token!),
    )
  }

  #stopTexts(messages: Message[]): string[] {
    return this.#stops(messages)
      .filter((trigger) => trigger.length > 1)
      .map((trigger) => this.#model.detokenize(trigger, true))
  }
}
