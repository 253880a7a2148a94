// Owns the engine process as the host sees it: start, watch, restart once, and a status that is always true. Knows neither fork nor Electron.
import { createClient, type Client } from '../contract/client.ts'
import type { EngineContract, GenerateEvent, LoadedInfo, Message } from '../contract/engine.ts'
import type { EngineStatus, ErrorInfo } from '../contract/entities.ts'
import { AppError, codes } from '../contract/errors.ts'
import { portTransport, type Port } from '../contract/port.ts'
import type { Log } from '../base/log.ts'
import { untilStopped, watched, within } from './bounded.ts'

/** One running process, however it was started. */
export interface EngineChild {
  readonly port: Port
  readonly pid: number | undefined
  kill(): void
  /** Called once, also when the process has ended already. */
  onExit(listener: (code: number | null, signal: string | null) => void): void
}
export interface LoadRequest {
  modelPath: string
  gpu: 'auto' | 'off'
  contextSize: number
  threads: number | null
}
export type SupervisorStatus = Omit<EngineStatus, 'model'> & { engine: string; quantisation: string }

/** Every wait has an end. A load or an answer may take long, but not without a sign of life. */
export const LIMITS = { loadSilence: 120_000, answerSilence: 120_000, count: 10_000, stop: 100, close: 3_000 } as const
// An engine that has been well for this long is a new story when it dies.
const HEALTHY_MS = 60_000

const nothingLoaded = { backend: null, device: '', gpuLayers: 0, layers: 0, threads: 0, contextSize: 0, engine: '', quantisation: '' } as const

export class EngineSupervisor {
  readonly #spawn: () => EngineChild
  readonly #log: Log
  readonly #listeners = new Set<() => void>()
  #running: { child: EngineChild; client: Client<EngineContract>; close(): void; expected: boolean } | null = null
  #request: LoadRequest | null = null
  #status: SupervisorStatus = { phase: 'starting', progress: 0, restarts: 0, error: null, ...nothingLoaded }
  #answering = 0
  /** The process has died once since it last proved itself. */
  #wounded = false
  #readySince = 0
  #closed = false

  constructor(parts: { spawn: () => EngineChild; log: Log }) {
    this.#spawn = parts.spawn
    this.#log = parts.log
  }

  status(): SupervisorStatus {
    return this.#status
  }

  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Starts the process if need be and loads a model. Throws MODEL_*, ENGINE_LOST or ENGINE_TIMEOUT; the status then says failed. */
  async load(request: LoadRequest): Promise<LoadedInfo> {
    this.#request = request
    this.#wounded = false
    return this.#load(request, 'loading')
  }

  /** What a person asked for after a failure: a fresh process, the same model. */
  async restart(): Promise<void> {
    this.#wounded = false
    this.#end()
    if (this.#request) await this.#load(this.#request, 'restarting')
  }

  async count(messages: Message[]): Promise<{ tokens: number; contextSize: number }> {
    return this.#bounded(this.#client().call('engine.count', { messages }), LIMITS.count)
  }

  /** Events of one answer. Throws ENGINE_LOST when the process dies, ENGINE_TIMEOUT when it falls silent. */
  async *generate(input: { messages: Message[]; maxTokens: number; temperature: number }, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const events = watched(this.#client().stream('engine.generate', input, signal), LIMITS.answerSilence, () => this.#silent())
    let seen = { promptTokens: 0, tokens: 0 }
    this.#answering++
    this.#set({ phase: 'answering' })
    try {
      for await (const event of untilStopped(events, signal, LIMITS.stop)) {
        if (event.type === 'prefill') seen = { ...seen, promptTokens: event.total }
        else if (event.type === 'text') seen = { ...seen, tokens: event.tokens }
        else if (event.stop !== 'stopped') this.#wounded = false
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

  /** Ends the process: by word, then by force. Never takes longer than a few seconds. */
  async close(): Promise<void> {
    this.#closed = true
    const running = this.#running
    if (!running) return
    running.expected = true
    const gone = new Promise<void>((resolve) => running.child.onExit(() => resolve()))
    await within(running.client.call('engine.unload', null), LIMITS.close).catch(() => {})
    running.child.kill()
    await within(gone, LIMITS.close).catch(() => {})
    running.close()
  }

  async #load(request: LoadRequest, phase: 'loading' | 'restarting'): Promise<LoadedInfo> {
    this.#set({ phase, progress: 0, error: null, ...nothingLoaded })
    try {
      const client = this.#start().client
      const events = client.stream('engine.load', request, new AbortController().signal)
      for await (const event of watched(events, LIMITS.loadSilence, () => this.#silent())) {
        if (event.type === 'progress') this.#set({ progress: event.progress })
        else return this.#ready(event.info)
      }
      throw new AppError('ENGINE_LOST')
    } catch (error) {
      const wire = AppError.wire(error)
      // a lost process is handled where its exit is heard; here only what the engine itself refused
      if (wire.code !== 'ENGINE_LOST') this.#fail({ code: wire.code, message: wire.message })
      throw error
    }
  }

  #ready(info: LoadedInfo): LoadedInfo {
    const { backend, device, gpuLayers, layers, threads, contextSize, engine, quantisation } = info
    this.#readySince = performance.now()
    this.#set({ phase: 'ready', progress: 1, error: null, backend, device, gpuLayers, layers, threads, contextSize, engine, quantisation })
    return info
  }

  #start() {
    if (this.#running) return this.#running
    const child = this.#spawn()
    const lost = { code: 'ENGINE_LOST', message: codes.ENGINE_LOST }
    const transport = portTransport(child.port, lost)
    const running = { child, client: createClient<EngineContract>(transport), close: () => transport.close(), expected: false }
    this.#running = running
    child.onExit((code, signal) => this.#exited(running, code, signal))
    return running
  }

  #exited(running: { close(): void; expected: boolean }, code: number | null, signal: string | null): void {
    if (this.#running === running) this.#running = null
    // answers that wait for this process end now, with ENGINE_LOST
    running.close()
    if (running.expected || this.#closed) return this.#log.info('engine ended', { code, signal })
    this.#log.error('engine crashed', { code, signal })
    const recovered = this.#readySince > 0 && performance.now() - this.#readySince > HEALTHY_MS
    if ((this.#wounded && !recovered) || !this.#request) return this.#fail({ code: 'ENGINE_FAILED', message: codes.ENGINE_FAILED })
    this.#wounded = true
    this.#readySince = 0
    this.#status = { ...this.#status, restarts: this.#status.restarts + 1 }
    this.#load(this.#request, 'restarting').catch((error: unknown) => this.#log.error('engine not restarted', { code: AppError.wire(error).code }))
  }

  #client(): Client<EngineContract> {
    const { phase, error } = this.#status
    if (this.#running && (phase === 'ready' || phase === 'answering')) return this.#running.client
    throw error ? AppError.unwire(error) : new AppError('MODEL_NOT_LOADED')
  }

  /** A process that no longer answers is ended; its exit is then a crash like any other. */
  #silent(): AppError {
    this.#log.error('engine silent, ended by force')
    this.#running?.child.kill()
    return new AppError('ENGINE_TIMEOUT')
  }

  async #bounded<T>(work: Promise<T>, ms: number): Promise<T> {
    return within(work, ms, () => this.#silent())
  }

  #end(): void {
    const running = this.#running
    if (!running) return
    running.expected = true
    this.#running = null
    running.child.kill()
  }

  #fail(error: ErrorInfo): void {
    this.#set({ phase: 'failed', progress: 0, error, ...nothingLoaded })
  }

  #set(change: Partial<SupervisorStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of this.#listeners) listener()
  }
}
