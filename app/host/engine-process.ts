// Owns the engine process as the host sees it: start, watch, restart once, and a status that is always true. Knows neither fork nor Electron.
import type { GenerateEvent, GenerateInput, LoadedInfo, LoadRequest, Message, WarmEvent, WarmInput } from '../contract/engine.ts'
import type { EngineStatus, ErrorInfo } from '../contract/entities.ts'
import { AppError, codes } from '../contract/errors.ts'
import type { Log } from '../base/log.ts'
import { untilStopped, watched, within } from './bounded.ts'
import { openEngine, sightOf, type EngineChild, type Running, type Sight } from './engine-child.ts'
import { visibleCards, type Environment } from './visible-cards.ts'

export type SupervisorStatus = Omit<EngineStatus, 'model'> & { engine: string; quantisation: string }

/** Milliseconds. Every wait has an end. A load or an answer may take long, but not without a sign of life. */
export const LIMITS = {
  start: 20_000,
  loadSilence: 120_000,
  answerSilence: 120_000,
  count: 10_000,
  stop: 100,
  close: 3_000,
  /** An engine that has been well for this long is a new story when it dies. */
  healthy: 60_000,
}

const nothingLoaded = { backend: null, device: '', gpuLayers: 0, layers: 0, threads: 0, contextSize: 0, engine: '', quantisation: '' } as const

export class EngineSupervisor {
  readonly #spawn: (changes: Environment) => EngineChild
  readonly #log: Log
  readonly #limits: typeof LIMITS
  readonly #listeners = new Set<() => void>()
  #running: Running | null = null
  #request: LoadRequest | null = null
  /** The latest load, whose outcome every earlier one takes over. */
  #attempt: AbortController | null = null
  #loading: Promise<LoadedInfo> | null = null
  #status: SupervisorStatus = { phase: 'starting', progress: 0, restarts: 0, error: null, ...nothingLoaded }
  #answering = 0
  /** The process has died once since it last wrote or was well for a minute. */
  #wounded = false
  #readySince = 0
  #closed = false

  /** `spawn` starts the process with `changes` laid over this one's environment. */
  constructor(parts: { spawn: (changes: Environment) => EngineChild; log: Log; limits?: Partial<typeof LIMITS> }) {
    this.#spawn = parts.spawn
    this.#log = parts.log
    this.#limits = { ...LIMITS, ...parts.limits }
  }

  status(): SupervisorStatus {
    return this.#status
  }

  /** Answers that are being written, or wait for their turn. */
  get answering(): number {
    return this.#answering
  }

  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Starts the process before it is known what to load: it comes up while that is found out. */
  prepare(request: Sight): void {
    if (!this.#closed && !this.#running) this.#start(request)
  }

  /** Gives the model's memory back, once its answers are written: what the next one may use is known only then. Nothing is ready afterwards. */
  async unload(): Promise<void> {
    const running = this.#running
    if (!running || !this.#request) return
    this.#request = null
    this.#attempt?.abort()
    this.#set({ phase: 'loading', progress: 0, error: null, ...nothingLoaded })
    await within(running.client.call('engine.unload', null), this.#limits.answerSilence).catch(() => {}) // a load that follows finds out
  }

  /**
   * Starts the process if need be and loads a model. A later load or a restart takes over: both callers then hear how that one ends.
   * A process that dies meanwhile is restarted once. Throws MODEL_*, ENGINE_FAILED or ENGINE_TIMEOUT; the status then says failed.
   */
  async load(request: LoadRequest): Promise<LoadedInfo> {
    this.#request = request
    this.#wounded = false
    return this.#begin(request, 'loading')
  }

  /** What a person asked for after a failure: a fresh process, the same model. */
  async restart(): Promise<void> {
    this.#wounded = false
    if (this.#request) await this.#begin(this.#request, 'restarting', true)
    else await this.#end()
  }

  /** Throws MODEL_NOT_LOADED, or what the status says, when no model is ready. */
  async count(messages: Message[]): Promise<{ tokens: number; contextSize: number }> {
    const running = this.#usable()
    return within(running.client.call('engine.count', { messages }), this.#limits.count, () => this.#silent(running))
  }

  /** Events of one answer. Throws ENGINE_LOST when the process dies, ENGINE_TIMEOUT when it falls silent. */
  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const running = this.#usable()
    const source = running.client.stream('engine.generate', input, signal)
    const events = watched(
      source,
      this.#limits.answerSilence,
      () => this.#silent(running),
      () => running.heard,
    )
    let seen = { promptTokens: 0, tokens: 0 }
    this.#answering++
    this.#set({ phase: 'answering' })
    try {
      for await (const event of untilStopped(events, signal, this.#limits.stop)) {
        running.heard = performance.now()
        if (event.type === 'prefill') seen = { ...seen, promptTokens: event.total }
        else if (event.type === 'text') seen = { ...seen, tokens: event.tokens }
        // it reads and writes again: what killed the one before it is over
        if (event.type === 'text' || (event.type === 'done' && event.stop !== 'stopped')) this.#wounded = false
        yield event
        if (event.type === 'done') return
      }
      // a large model on a slow processor cannot leave its chunk in time: the person is free at once, the engine a moment later
      yield { type: 'done', stop: 'stopped', ...seen, firstTokenMs: null, tokensPerSecond: null }
    } finally {
      this.#answering--
      if (this.#answering === 0 && this.#status.phase === 'answering') this.#set({ phase: 'ready' })
    }
  }

  /**
   * Events of work for a quiet time; an abort ends it at once. Throws ENGINE_LOST when the process dies. Its silence means nothing: it waits behind
   * every answer, however long, and an engine that hangs is found by whoever asks next.
   */
  async *warm(input: WarmInput, signal: AbortSignal): AsyncGenerator<WarmEvent> {
    const running = this.#usable()
    for await (const event of untilStopped(running.client.stream('engine.warm', input, signal), signal, this.#limits.stop)) {
      running.heard = performance.now()
      yield event
      if (event.type === 'done') return
    }
  }

  /** Ends the process: by word, then by force. Never takes longer than a few seconds. */
  async close(): Promise<void> {
    this.#closed = true
    this.#attempt?.abort()
    const running = this.#running
    if (!running) return
    running.expected = true
    await within(running.client.call('engine.unload', null), this.#limits.close).catch(() => {})
    running.child.kill()
    await within(running.gone, this.#limits.close).catch(() => {})
  }

  #begin(request: LoadRequest, phase: 'loading' | 'restarting', fresh = false): Promise<LoadedInfo> {
    this.#attempt?.abort()
    const attempt = (this.#attempt = new AbortController())
    this.#set({ phase, progress: 0, error: null, ...nothingLoaded })
    return (this.#loading = this.#load(attempt, request, fresh))
  }

  async #load(attempt: AbortController, request: LoadRequest, fresh: boolean): Promise<LoadedInfo> {
    let running: Running | null = null
    try {
      if (this.#closed) throw new AppError('ENGINE_LOST')
      if (fresh) await this.#end()
      else await this.#endOther(sightOf(request))
      attempt.signal.throwIfAborted()
      const used = (running = this.#running ?? this.#start(request))
      await used.started
      attempt.signal.throwIfAborted()
      const source = used.client.stream('engine.load', request, attempt.signal)
      const late = () => this.#silent(used)
      for await (const event of watched(source, this.#limits.loadSilence, late, () => used.heard)) {
        used.heard = performance.now()
        attempt.signal.throwIfAborted()
        if (event.type === 'progress') this.#set({ progress: event.progress })
        else return this.#ready(event.info)
      }
      throw new AppError('ENGINE_LOST')
    } catch (error) {
      return this.#notLoaded(attempt, running, error)
    }
  }

  /** A lost process is dealt with where its exit is heard; here only what the engine itself refused becomes the status. */
  async #notLoaded(attempt: AbortController, running: Running | null, error: unknown): Promise<LoadedInfo> {
    const { code, message, data } = AppError.wire(error)
    const died = code === 'ENGINE_LOST' || code === 'ENGINE_TIMEOUT'
    if (died && running && this.#attempt === attempt) await within(running.gone, this.#limits.close).catch(() => {})
    if (this.#closed) throw error
    if (this.#attempt !== attempt) return this.#loading!
    if (died && this.#status.error) throw AppError.unwire(this.#status.error)
    this.#log.error('model not loaded', { code, words: (data as { words?: unknown } | undefined)?.words })
    this.#fail({ code, message })
    throw error
  }

  #ready(info: LoadedInfo): LoadedInfo {
    const { backend, device, gpuLayers, layers, threads, contextSize, engine, quantisation } = info
    this.#readySince = performance.now()
    this.#set({ phase: 'ready', progress: 1, error: null, backend, device, gpuLayers, layers, threads, contextSize, engine, quantisation })
    return info
  }

  #start(request: Sight): Running {
    const { changes, repaired } = visibleCards(process.env, request)
    for (const what of repaired) this.#log.warn('environment repaired', { what })
    const child = this.#spawn(changes)
    const running = (this.#running = openEngine(child, request, this.#limits.start, (late) => this.#silent(late)))
    child.onExit((code, signal) => {
      if (this.#running === running) this.#running = null
      running.over(() => this.#exited(running, code, signal))
    })
    return running
  }

  #exited(running: Running, code: number | null, signal: string | null): void {
    if (running.expected || this.#closed) return this.#log.info('engine ended', { code, signal })
    this.#log.error('engine crashed', { code, signal })
    void running.child.lastWords?.().then((words) => words && this.#log.error('engine said', { words }))
    const recovered = this.#readySince > 0 && performance.now() - this.#readySince > this.#limits.healthy
    if ((this.#wounded && !recovered) || !this.#request) return this.#fail({ code: 'ENGINE_FAILED', message: codes.ENGINE_FAILED })
    this.#wounded = true
    this.#readySince = 0
    this.#status = { ...this.#status, restarts: this.#status.restarts + 1 }
    this.#begin(this.#request, 'restarting').catch(() => {}) // the status and the log have it
  }

  #usable(): Running {
    const { phase, error } = this.#status
    if (this.#running && (phase === 'ready' || phase === 'answering')) return this.#running
    throw error ? AppError.unwire(error) : new AppError('MODEL_NOT_LOADED')
  }

  /** A process that no longer answers is ended; its exit is then a crash like any other. */
  #silent(running: Running): AppError {
    this.#log.error('engine silent, ended by force')
    running.child.kill()
    // until its exit is heard nobody may be sent to it
    if (this.#running === running && !running.expected) this.#set({ phase: 'restarting', progress: 0, ...nothingLoaded })
    return new AppError('ENGINE_TIMEOUT')
  }

  /** A driver that is loaded stays, and sees what it saw: other cards need another process. Answers that are being written end first. */
  async #endOther(sight: string): Promise<void> {
    const old = this.#running
    if (!old || old.sight === sight) return
    await within(old.client.call('engine.unload', null), this.#limits.answerSilence).catch(() => {})
    if (this.#running === old) await this.#end()
  }

  async #end(): Promise<void> {
    const old = this.#running
    if (!old) return
    this.#running = null
    old.expected = true
    old.child.kill()
    // two models at once may not fit into the memory
    await within(old.gone, this.#limits.close).catch(() => {})
  }

  #fail(error: ErrorInfo): void {
    this.#set({ phase: 'failed', progress: 0, error, ...nothingLoaded })
  }

  #set(change: Partial<SupervisorStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of this.#listeners) listener()
  }
}
