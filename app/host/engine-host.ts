// Owns which model the engine serves: chooses it, has it loaded, and joins what the library and the supervisor know into one status.
import type { GenerateEvent } from '../contract/engine.ts'
import type { Category, EngineStatus, Origin } from '../contract/entities.ts'
import type { HardwareFacts, PlanOverride, PlanPicture } from '../contract/hardware.ts'
import { AppError } from '../contract/errors.ts'
import type { Log } from '../base/log.ts'
import type { Library, ResolvedModel } from '../library/library.ts'
import type { AnswerEngine } from '../ask/ask.ts'
import type { Prompts } from '../ask/prompt.ts'
import type { Experience } from '../deploy/selection/plans.ts'
import { EngineFiles } from './engine-files.ts'
import type { EngineSupervisor, SupervisorStatus } from './engine-process.ts'
import type { Hardware } from './hardware.ts'
import { IdleWork } from './idle-work.ts'
import { Placing } from './placing.ts'
import { pictureOf } from './plan-picture.ts'
import { Prefixes } from './prefixes.ts'
import { useQuietTime } from './quiet-time.ts'

const SETTLED: ReadonlySet<string> = new Set(['ready', 'answering', 'failed'])
/** The first question must not wait for a measurement. */
const IDLE_MS = 10_000

export class EngineHost implements AnswerEngine {
  readonly #supervisor: EngineSupervisor
  readonly #library: Library
  readonly #log: Log
  readonly #publish: (status: EngineStatus) => void
  readonly #hardware: Hardware
  readonly #placing: Placing
  readonly #prefixes: Prefixes
  readonly #idle: IdleWork
  #model: ResolvedModel | null = null
  #sha256 = ''
  #refusal: { code: string; message: string } | null = null
  readonly #waiting = new Set<() => void>()

  /**
   * `idleMs`: how long nobody must have asked before the machine is looked at and measured, and `prompts` are read ahead. `data`: the folder in
   * which the engine keeps what it has read; without it, nowhere.
   */
  constructor(parts: {
    supervisor: EngineSupervisor
    library: Library
    hardware: Hardware
    log: Log
    publish: (status: EngineStatus) => void
    idleMs?: number
    prompts?: Prompts
    data?: string
    /** What engines have shown before, by key; without it every model is placed by prediction alone. */
    learned?: Experience['learned']
  }) {
    this.#supervisor = parts.supervisor
    this.#library = parts.library
    this.#log = parts.log
    this.#publish = parts.publish
    this.#hardware = parts.hardware
    const { hardware, supervisor, log, prompts = null, learned = () => null } = parts
    const changed = () => this.#changed()
    const files = new EngineFiles(parts.data ?? null)
    const placing = new Placing({ hardware, supervisor, log, changed, learned, files: () => files.of(this.#loaded()) })
    const prefixes = new Prefixes({ supervisor, prompts, log, changed })
    const isIdle = () => this.#isQuiet()
    const work = () => useQuietTime({ hardware, placing, prefixes, isQuiet: isIdle })
    ;[this.#placing, this.#prefixes] = [placing, prefixes]
    this.#idle = new IdleWork({ quietMs: parts.idleMs ?? IDLE_MS, isIdle, work, log })
    this.#supervisor.onStatus(() => {
      this.#descend()
      this.#changed()
    })
  }

  /** Loads a model by library id or file path. Resolves when it is ready; a failure is in the status and thrown. */
  async choose(id: string): Promise<void> {
    this.#refusal = null
    try {
      const model = this.#library.resolve(id)
      this.#model = model
      this.#sha256 = model.sha256
      this.#prefixes.begin(model.promptProfile)
      this.#changed()
      await this.#placing.load(model.path, model.contextSize)
      // a hash of gigabytes takes many seconds: the answer need not wait for it, its provenance says if it is not known yet
      if (this.#sha256 === '') void this.#hash(model)
      this.#idle.wait()
    } catch (error) {
      this.#refuse(error)
      throw error
    }
  }

  /** Looks at the backends again, forgets what has failed and plans anew. */
  async lookAgain(): Promise<void> {
    await this.#hardware.look({ forget: true })
    if (this.#model) await this.choose(this.#model.id)
  }

  /** Stops what was to be done later. */
  close(): void {
    this.#idle.close()
    this.#prefixes.stop()
  }

  #refuse(error: unknown): void {
    const { code, message } = AppError.wire(error)
    this.#refusal = { code, message }
    this.#log.error('model not loaded', { code })
    this.#changed()
  }

  /** An engine that has failed for good with layers on cards goes on with the next plan. */
  #descend(): void {
    const { phase, error } = this.#supervisor.status()
    if (phase !== 'failed' || !error || this.#refusal || this.#placing.busy) return
    this.#placing.next(error)?.catch((failed: unknown) => this.#refuse(failed))
  }

  #isQuiet(): boolean {
    return this.isReady() && this.#supervisor.status().phase === 'ready'
  }

  async #hash(model: ResolvedModel): Promise<void> {
    const sha256 = await this.#library.hash(model).catch(() => '')
    if (this.#model === model) this.#sha256 = sha256
  }

  /** Starts the engine process afresh and loads the same model again. */
  async restart(): Promise<void> {
    this.#refusal = null
    if (this.#model) this.#prefixes.begin(this.#model.promptProfile)
    await this.#supervisor.restart()
    if (this.#model && this.#supervisor.status().phase !== 'ready') await this.choose(this.#model.id)
  }

  /** What runs, with what is known of it; null where the engine places a model by itself. */
  placement(): ReturnType<Placing['placement']> {
    return this.#placing.placement()
  }

  /** Answers that are being written, or wait for their turn. */
  get answering(): number {
    return this.#supervisor.answering
  }

  picture(): PlanPicture | null {
    const at = this.#placing.placement()
    if (!at || !this.#model) return null
    const failed = (key: string) => this.#hardware.hasFailed(key)
    return pictureOf({
      ...{ ...at, name: this.#model.name, tried: this.#placing.status()?.tried ?? [], override: this.#placing.override(), failed },
      experience: this.#placing.experience(at.model),
    })
  }

  facts(): HardwareFacts {
    const holds = this.#placing.placement()?.plan.devices.filter(({ blocks, output }) => blocks.count > 0 || output) ?? []
    return this.#hardware.facts(holds.map(({ id }) => id))
  }

  /** Another plan than Rushlight's own, or that again with null. Returns what was before, for an undo; how the load ends is in the status. */
  override(override: PlanOverride | null): PlanOverride | null {
    const { before, loading } = this.#placing.setOverride(override)
    this.#prefixes.stop()
    this.#refusal = null
    loading.catch((error: unknown) => this.#refuse(error))
    return before
  }

  activeId(): string | null {
    return this.#model?.id ?? null
  }

  isReady(): boolean {
    const { phase } = this.#supervisor.status()
    return this.#model !== null && !this.#placing.busy && (phase === 'ready' || phase === 'answering')
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
  readonly generate: AnswerEngine['generate'] = (input, signal) => this.#observed(input, signal)

  async *#observed(...[input, signal]: Parameters<AnswerEngine['generate']>): AsyncGenerator<GenerateEvent> {
    let first: Extract<GenerateEvent, { type: 'prefill' }> | null = null
    this.#idle.wait()
    let alone = this.answering === 0
    const threads = this.#placing.threads({ beside: this.#prefixes.stop() || !alone })
    for await (const event of this.#supervisor.generate(threads === undefined ? input : { ...input, threads }, signal)) {
      alone &&= this.answering === 1
      if (event.type === 'prefill') first ??= event
      if (event.type === 'done') this.#placing.heard(first, event, alone)
      yield event
    }
    this.#idle.wait()
  }

  origin(_category: Category): Origin {
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
      adapter: null,
      engine: { name: engine, backend: backend ?? 'cpu', gpuLayers, layers, threads: this.#placing.threadsInUse ?? threads },
    }
  }

  status(): EngineStatus {
    const at: SupervisorStatus = this.#supervisor.status()
    const model = this.#model
    const { phase, progress, backend, device, gpuLayers, layers, threads, contextSize, restarts } = at
    // between two plans the engine is in the state of the one before
    const placing = this.#placing.busy && !this.#refusal
    const error = this.#refusal ?? (placing ? null : at.error)
    const [plan, prefixes] = [this.#placing.status(), this.#prefixes.status()]
    return {
      ...(plan ? { plan } : {}),
      ...(prefixes ? { prefixes } : {}),
      phase: this.#refusal ? 'failed' : placing && SETTLED.has(phase) ? 'loading' : phase,
      progress,
      backend,
      device,
      gpuLayers,
      layers,
      threads: this.#placing.threadsInUse ?? threads,
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
