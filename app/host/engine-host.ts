// Owns which model the engine serves: chooses it, has it loaded, and joins what the library and the supervisor know into one status.
import type { EngineStatus, Provenance } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import type { Log } from '../base/log.ts'
import type { Library, ResolvedModel } from '../library/library.ts'
import type { AnswerEngine } from '../ask/ask.ts'
import type { EngineSupervisor, SupervisorStatus } from './engine-process.ts'

export class EngineHost implements AnswerEngine {
  readonly #supervisor: EngineSupervisor
  readonly #library: Library
  readonly #log: Log
  readonly #publish: (status: EngineStatus) => void
  #model: ResolvedModel | null = null
  #sha256 = ''
  #refusal: { code: string; message: string } | null = null
  readonly #waiting = new Set<() => void>()

  constructor(parts: { supervisor: EngineSupervisor; library: Library; log: Log; publish: (status: EngineStatus) => void }) {
    this.#supervisor = parts.supervisor
    this.#library = parts.library
    this.#log = parts.log
    this.#publish = parts.publish
    this.#supervisor.onStatus(() => this.#changed())
  }

  /** Loads a model by library id or file path. Resolves when it is ready; a failure is in the status and thrown. */
  async choose(id: string): Promise<void> {
    this.#refusal = null
    try {
      const model = this.#library.resolve(id)
      this.#model = model
      this.#sha256 = model.sha256
      this.#changed()
      await this.#supervisor.load({ modelPath: model.path, gpu: 'auto', contextSize: model.contextSize, threads: null })
      // a hash of gigabytes takes many seconds: the answer need not wait for it, its provenance says if it is not known yet
      if (this.#sha256 === '') void this.#hash(model)
    } catch (error) {
      const { code, message } = AppError.wire(error)
      this.#refusal = { code, message }
      this.#log.error('model not loaded', { code })
      this.#changed()
      throw error
    }
  }

  async #hash(model: ResolvedModel): Promise<void> {
    const sha256 = await this.#library.hash(model).catch(() => '')
    if (this.#model === model) this.#sha256 = sha256
  }

  /** Starts the engine process afresh and loads the same model again. */
  async restart(): Promise<void> {
    this.#refusal = null
    await this.#supervisor.restart()
    if (this.#model && this.#supervisor.status().phase !== 'ready') await this.choose(this.#model.id)
  }

  activeId(): string | null {
    return this.#model?.id ?? null
  }

  isReady(): boolean {
    const { phase } = this.#supervisor.status()
    return this.#model !== null && (phase === 'ready' || phase === 'answering')
  }

  /** Waits for a loading or restarting engine. Throws what keeps it from getting ready. */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      if (this.isReady()) return
      const status = this.status()
      if (status.phase === 'failed') throw AppError.unwire(status.error ?? { code: 'ENGINE_FAILED', message: '' })
      await new Promise<void>((resolve) => {
        const go = () => {
          this.#waiting.delete(go)
          signal.removeEventListener('abort', go)
          resolve()
        }
        this.#waiting.add(go)
        signal.addEventListener('abort', go, { once: true })
      })
    }
  }

  limits() {
    const model = this.#loaded()
    return { profile: model.promptProfile, maxAnswerTokens: model.maxAnswerTokens }
  }

  readonly count: AnswerEngine['count'] = (messages) => this.#supervisor.count(messages)
  readonly generate: AnswerEngine['generate'] = (input, signal) => this.#supervisor.generate(input, signal)

  origin(): Pick<Provenance, 'model' | 'mode' | 'engine'> {
    const model = this.#loaded()
    const { backend, gpuLayers, layers, threads, engine, quantisation } = this.#supervisor.status()
    return {
      model: {
        id: model.id,
        name: model.name,
        version: model.version,
        demonstration: model.demonstration,
        sha256: this.#sha256,
        quantisation: quantisation || model.quantisation,
      },
      mode: 'base',
      engine: { name: engine, backend: backend ?? 'cpu', gpuLayers, layers, threads },
    }
  }

  status(): EngineStatus {
    const at: SupervisorStatus = this.#supervisor.status()
    const model = this.#model
    const { phase, progress, backend, device, gpuLayers, layers, threads, contextSize, restarts } = at
    const error = this.#refusal ?? at.error
    return {
      phase: this.#refusal ? 'failed' : phase,
      progress,
      backend,
      device,
      gpuLayers,
      layers,
      threads,
      contextSize,
      restarts,
      error,
      model: model && { id: model.id, name: model.name, quantisation: at.quantisation || model.quantisation, demonstration: model.demonstration },
    }
  }

  #loaded(): ResolvedModel {
    if (!this.#model) throw new AppError('MODEL_NOT_LOADED')
    return this.#model
  }

  #changed(): void {
    this.#publish(this.status())
    for (const go of [...this.#waiting]) go()
  }
}
