// Owns the execution of plans: looks, plans, loads, goes down the ladder where a load or the engine fails, and compares with what was predicted.
import { basename } from 'node:path'
import type { GenerateEvent } from '../contract/engine.ts'
import type { ErrorInfo, PlanStatus } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import type { PlanOverride } from '../contract/hardware.ts'
import type { ModelShape } from '../contract/shape.ts'
import type { Log } from '../base/log.ts'
import { mostThreads, threadsNow } from '../deploy/balance.ts'
import { choose } from '../deploy/choose.ts'
import { explain } from '../deploy/explain.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import type { Plan } from '../deploy/plan.ts'
import { overridden } from '../deploy/selection/override.ts'
import type { Experience } from '../deploy/selection/plans.ts'
import { factOf, readGgufHeader } from '../engine/gguf-header.ts'
import { judgeModel } from '../engine/gguf.ts'
import { shapeOf } from '../engine/shape.ts'
import type { LoadFiles } from './engine-files.ts'
import type { EngineSupervisor } from './engine-process.ts'
import type { Hardware } from './hardware.ts'
import { paceOf, typicalPace } from './pace.ts'
import { canHelp, keyOf, nothing, PASSING, rungsOf, worthLoading, type Placed } from './placed.ts'
import { requestOf, sequencesOf } from './plan-request.ts'

/** A smaller file is read sooner than a driver is asked. */
const LOOK_FIRST_BYTES = 256e6
const fulfils = ({ backend, gpuLayers }: Plan, wanted: PlanOverride) =>
  backend === wanted.backend && (wanted.gpuLayers === null || wanted.gpuLayers === gpuLayers)

const DOES_NOT_FIT = 'That plan does not fit: the layers or the context need more memory than is free. Choose fewer layers or a smaller context.'
const CHOSEN = 'You have chosen this plan; Rushlight’s own is among the alternatives.'
const UNFIT = 'The plan that you have chosen does not fit now, so Rushlight’s own is used.'
const BEFORE = 'It has failed on this computer before. Test the hardware again to try it anew.'

export class Placing {
  readonly #hardware: Hardware
  readonly #supervisor: EngineSupervisor
  readonly #log: Log
  readonly #changed: () => void
  readonly #files: () => LoadFiles
  #status: PlanStatus | null = null
  #placed: Placed | null = null
  /** The latest load; an earlier one ends as it does. */
  #latest: Promise<void> | null = null
  #busy = 0
  /** Threads of the load, and of the next answer. */
  #most = 0
  #threads = 0
  readonly #reconsidered = new Set<string>()
  #path = ''

  readonly #learned: Experience['learned']

  /** `learned`: what an engine has shown in earlier answers, by its key. `files`: what the model that is loaded now keeps on the disk. */
  constructor(parts: {
    hardware: Hardware
    supervisor: EngineSupervisor
    log: Log
    changed: () => void
    learned: Experience['learned']
    files: () => LoadFiles
  }) {
    this.#hardware = parts.hardware
    this.#supervisor = parts.supervisor
    this.#log = parts.log
    this.#changed = parts.changed
    this.#learned = parts.learned
    this.#files = parts.files
  }

  /** null before the first model, and for one that the engine places by itself. */
  status(): PlanStatus | null {
    return this.#status
  }

  /** What runs now, on the facts as they are now; null before, and where the engine places a model by itself. */
  placement(): { model: string; shape: ModelShape; profile: HardwareProfile; plan: Plan; placed: Placed } | null {
    const placed = this.#placed
    const plan = placed?.rungs[placed.at]?.plan
    if (!placed || !plan) return null
    const { load, power } = this.#hardware.seen()
    return { model: placed.model, shape: placed.shape, profile: { ...placed.profile, load, power }, plan, placed }
  }

  experience(model: string): Experience {
    return { model, learned: this.#learned, now: new Date() }
  }

  override(): PlanOverride | null {
    return this.#placed ? this.#hardware.override(this.#placed.model) : null
  }

  /** Keeps what the user wants for this model, and loads it so. Returns what was before. Throws MODEL_NOT_LOADED, or MODEL_TOO_LARGE where it does not fit. */
  setOverride(override: PlanOverride | null): { before: PlanOverride | null; loading: Promise<void> } {
    const placed = this.#placed
    if (!placed) throw new AppError('MODEL_NOT_LOADED')
    // judged on the facts before the load: what the model holds now is free then
    if (override && !overridden(placed.profile, placed.shape, override, placed.contextSize)) throw new AppError('MODEL_TOO_LARGE', DOES_NOT_FIT)
    const before = this.#hardware.override(placed.model)
    this.#hardware.setOverride(placed.model, override)
    this.#log.info('plan override', { override })
    return { before, loading: this.load(this.#path, placed.contextSize) }
  }

  /** Plans or climbs: what the supervisor says is of the model before. */
  get busy(): boolean {
    return this.#busy > 0
  }

  /** Loads the model by the best plan that works. Throws what the last rung threw, MODEL_TOO_LARGE with what would fit, or MODEL_* of the file. */
  load(path: string, contextSize: number): Promise<void> {
    return this.#take((superseded) => this.#load(path, contextSize, superseded))
  }

  /** The next rung for a model whose engine has failed for good, if cards were in use: null when there is none. */
  next(error: ErrorInfo): Promise<void> | null {
    const placed = this.#placed
    const rung = placed?.rungs[placed.at]
    if (!placed || !rung || rung.plan.gpuLayers === 0 || placed.at + 1 >= placed.rungs.length) return null
    this.#left(placed, AppError.unwire(error))
    return this.#take((superseded) => this.#climb(placed, placed.at + 1, superseded))
  }

  /** Of several at once the latest counts, and the others end as it does. */
  #take(work: (superseded: () => boolean) => Promise<void>): Promise<void> {
    this.#busy++
    const superseded = () => this.#latest !== mine
    const mine: Promise<void> = Promise.resolve()
      .then(() => work(superseded))
      .catch((error: unknown) => {
        if (!superseded()) throw error
      })
      .then(() => (superseded() ? this.#latest! : undefined))
      .finally(() => {
        this.#busy--
        this.#changed()
      })
    this.#latest = mine
    return mine
  }

  async #load(path: string, contextSize: number, superseded: () => boolean): Promise<void> {
    this.#placed = null
    this.#most = this.#threads = 0
    this.#set({ ...nothing, doing: 'Reading the model' })
    await this.#supervisor.unload()
    if (superseded()) return
    if (!this.#hardware.mayUseCards) this.#supervisor.prepare({ gpu: 'off' })
    const header = await readGgufHeader(path, { values: 'facts' })
    const facts = judgeModel(header)
    if (superseded()) return
    if (Number(factOf(header, 'split.count') ?? 1) > 1) {
      // only the first part's tensors are known: the engine decides
      this.#status = null
      await this.#supervisor.load({ modelPath: path, gpu: 'auto', contextSize, threads: null, ...this.#files() })
      return
    }
    if (facts.bytes >= LOOK_FIRST_BYTES && (!this.#hardware.known || this.#hardware.hasCards)) {
      this.#set({ ...nothing, doing: 'Looking for graphics cards' })
      await this.#hardware.look()
      if (superseded()) return
    }
    const [shape, profile] = [shapeOf(header), this.#hardware.profile()]
    const planning = choose(profile, shape, { contextSize })
    if (!planning.plan) {
      const reasons = explain(profile, shape, planning, { contextSize }).map(({ text }) => text)
      this.#set({ ...nothing, reasons })
      throw new AppError('MODEL_TOO_LARGE', reasons[0], { ...planning.shortage })
    }
    const model = `${basename(path)} ${facts.bytes}`
    const wanted = this.#hardware.override(model)
    const rungs = rungsOf(profile, shape, planning, contextSize, wanted, this.experience(model))
    const plans = [planning.plan, ...planning.others]
    const first = rungs[0]!.plan
    const own = plans.includes(first)
    const others = plans.filter(({ backend }) => backend !== first.backend)
    const reasons = own ? explain(profile, shape, { ...planning, plan: first, others }, { contextSize }).map(({ text }) => text) : [CHOSEN]
    const placed: Placed = { model, contextSize, shape, profile, planning, rungs, at: 0, madeAt: new Date().toISOString() }
    this.#set({ ...nothing, reasons: wanted && own && !fulfils(first, wanted) ? [UNFIT, ...reasons] : reasons })
    await this.#climb(placed, 0, superseded, path)
  }

  /** Each rung once, from `from` down. */
  async #climb(placed: Placed, from: number, superseded: () => boolean, path = this.#path): Promise<void> {
    this.#path = path
    this.#placed = placed
    for (placed.at = from; placed.at < placed.rungs.length; placed.at++) {
      const rung = placed.rungs[placed.at]!
      const last = placed.at + 1 === placed.rungs.length
      if (!last && this.#hardware.hasFailed(keyOf(placed, rung.key))) {
        this.#set({ tried: [...this.#tried(), { what: rung.what, why: BEFORE }] })
        continue
      }
      const { firstTokenSeconds, tokensPerSecond } = rung.plan.predicted
      this.#set({ doing: '', what: rung.what, predicted: { firstTokenMs: firstTokenSeconds * 1000, tokensPerSecond }, measured: null })
      try {
        const request = requestOf(rung.plan, path, mostThreads(placed.profile))
        const info = await this.#supervisor.load({ ...request, sequences: sequencesOf(rung.plan), ...this.#files() })
        if (superseded()) return
        this.#most = info.threads
        // the load itself kept cores busy: what others do shows from here on
        this.#hardware.profile()
        this.#log.info('model placed', { rung: rung.what, gpuLayers: info.gpuLayers, device: info.device, threads: info.threads })
        return
      } catch (error) {
        if (superseded()) return
        const known = AppError.unwire(AppError.wire(error))
        if (last || !canHelp(known.code, rung.plan)) throw error
        this.#left(placed, known)
        if (known.code !== 'GPU_UNAVAILABLE') continue
        // without its driver every rung of this backend is the same
        const next = placed.rungs.findIndex(({ plan }, n) => n > placed.at && plan.backend !== rung.plan.backend)
        if (next < 0) throw error
        for (const same of placed.rungs.slice(placed.at + 1, next)) this.#hardware.failed(keyOf(placed, same.key), known.code)
        placed.at = next - 1
      }
    }
  }

  /**
   * Threads for the answer that begins now; undefined where the engine decides. What changes is in the status. `beside`: the engine itself was
   * at work until now, which must not be taken for others.
   */
  threads({ beside }: { beside: boolean }): number | undefined {
    if (!this.#placed || this.#most === 0) return undefined
    const { threads, why } = threadsNow(beside ? this.#hardware.seen() : this.#hardware.profile(), this.#most)
    if (threads !== this.#threads) this.#log.info('threads adapted', { threads, most: this.#most })
    this.#threads = threads
    if (why !== this.#status?.adapted) this.#set({ adapted: why })
    return threads
  }

  /** Of the latest answer or, before one, of the load; null where the engine decides. */
  get threadsInUse(): number | null {
    return this.#placed && this.#most > 0 ? this.#threads || this.#most : null
  }

  /**
   * For a quiet time: where memory has come back or a card was found, loads the plan that is now worth it. Each at most once in a run, as what
   * made it fail before may be back as well. Resolves at once where the plan is still the best.
   */
  async reconsider(): Promise<void> {
    const placed = this.#placed
    const rung = placed?.rungs[placed.at]
    if (!placed || !rung || this.busy) return
    // what a person has chosen stays
    if (this.#hardware.override(placed.model)) return
    const refused = (key: string) => this.#reconsidered.has(key) || this.#hardware.hasFailed(keyOf(placed, key))
    const found = worthLoading(placed, this.#hardware.profile(), this.experience(placed.model), refused)
    if (!found) return
    this.#reconsidered.add(found.key)
    this.#log.info('a better plan is possible now', { now: rung.what, then: found.what })
    await this.load(this.#path, placed.contextSize)
  }

  /** What an answer took, once it is over: published beside its prediction, and learned from. `alone`: none ran or waited beside it. */
  heard(first: Extract<GenerateEvent, { type: 'prefill' }> | null, done: Extract<GenerateEvent, { type: 'done' }>, alone: boolean): void {
    const placed = this.#placed
    // from here on the cores are busy with others only
    this.#hardware.profile()
    // nothing was predicted for one that shared the engine
    const pace = placed && alone ? paceOf(placed, first, done) : null
    if (!placed || !pace) return
    this.#set({ measured: pace.measured })
    if (!pace.calibration) return
    placed.profile = { ...placed.profile, calibration: pace.calibration }
    this.#hardware.calibrate(pace.calibration)
    this.#set({ predicted: typicalPace(placed) })
  }

  /** A rung is left: visible, in the log, and remembered unless the reason may pass. */
  #left(placed: Placed, { code, message }: AppError): void {
    const rung = placed.rungs[placed.at]!
    this.#log.warn('plan left for the next one', { rung: rung.what, code })
    if (!PASSING.has(code) && rung.plan.gpuLayers > 0) this.#hardware.failed(keyOf(placed, rung.key), code)
    this.#set({ tried: [...this.#tried(), { what: rung.what, why: message }] })
  }

  #tried(): PlanStatus['tried'] {
    return this.#status?.tried ?? []
  }

  #set(change: Partial<PlanStatus>): void {
    this.#status = { ...(this.#status ?? nothing), ...change }
    this.#changed()
  }
}
