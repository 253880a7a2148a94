// Owns the execution of plans: looks, plans, loads, goes down the ladder where a load or the engine fails, and compares with what was predicted.
import { basename } from 'node:path'
import type { GenerateEvent } from '../contract/engine.ts'
import type { ErrorInfo, PlanStatus } from '../contract/entities.ts'
import { AppError, type Code } from '../contract/errors.ts'
import type { ModelShape } from '../contract/shape.ts'
import type { Log } from '../base/log.ts'
import { TYPICAL } from '../deploy/affinity.ts'
import { better, mostThreads, threadsNow } from '../deploy/balance.ts'
import { choose } from '../deploy/choose.ts'
import { explain } from '../deploy/explain.ts'
import { calibrate, ENOUGH, forecast } from '../deploy/forecast.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { ladder, type Rung } from '../deploy/ladder.ts'
import type { Plan } from '../deploy/plan.ts'
import { contention } from '../deploy/processors.ts'
import { factOf, readGgufHeader } from '../engine/gguf-header.ts'
import { judgeModel } from '../engine/gguf.ts'
import { shapeOf } from '../engine/shape.ts'
import type { EngineSupervisor } from './engine-process.ts'
import type { Hardware } from './hardware.ts'
import { requestOf } from './plan-request.ts'

/** What another plan may change; anything else is wrong with the file itself, and no plan helps. */
const CAN_HELP: ReadonlySet<Code> = new Set([
  ...(['GPU_MEMORY', 'GPU_UNAVAILABLE', 'MODEL_TOO_LARGE', 'MODEL_LOAD_FAILED'] as const),
  ...(['ENGINE_FAILED', 'ENGINE_LOST', 'ENGINE_TIMEOUT', 'INTERNAL'] as const),
])
/** On the processor a file that is refused is refused in any context, but for a context in 8 bits. */
const canHelp = (code: Code, { gpuLayers, kvType }: Plan) =>
  CAN_HELP.has(code) && (code !== 'MODEL_LOAD_FAILED' || gpuLayers > 0 || kvType === 'q8_0')
/** Memory that other programs have now they may give back: not remembered. */
const PASSING: ReadonlySet<Code> = new Set(['GPU_MEMORY', 'MODEL_TOO_LARGE'])
/** A smaller file is read sooner than a driver is asked. */
const LOOK_FIRST_BYTES = 256e6
/** Of the latest answer in the calibration; the first one counts whole. */
const WEIGHT = 0.3

const BEFORE = 'It has failed on this computer before. Test the hardware again to try it anew.'

interface Placed {
  model: string
  contextSize: number
  shape: ModelShape
  profile: HardwareProfile
  rungs: readonly Rung[]
  at: number
}
/** Under which a failure is remembered. */
const keyOf = ({ model }: Placed, key: string) => `${model} | ${key}`.slice(0, 500)
const nothing: PlanStatus = { doing: '', what: '', reasons: [], tried: [], adapted: '', predicted: null, measured: null }

export class Placing {
  readonly #hardware: Hardware
  readonly #supervisor: EngineSupervisor
  readonly #log: Log
  readonly #changed: () => void
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

  constructor(parts: { hardware: Hardware; supervisor: EngineSupervisor; log: Log; changed: () => void }) {
    this.#hardware = parts.hardware
    this.#supervisor = parts.supervisor
    this.#log = parts.log
    this.#changed = parts.changed
  }

  /** null before the first model, and for one that the engine places by itself. */
  status(): PlanStatus | null {
    return this.#status
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
      await this.#supervisor.load({ modelPath: path, gpu: 'auto', contextSize, threads: null })
      return
    }
    if (facts.bytes >= LOOK_FIRST_BYTES && (!this.#hardware.known || this.#hardware.hasCards)) {
      this.#set({ ...nothing, doing: 'Looking for graphics cards' })
      await this.#hardware.look()
      if (superseded()) return
    }
    const [shape, profile] = [shapeOf(header), this.#hardware.profile()]
    const planning = choose(profile, shape, { contextSize })
    const reasons = explain(profile, shape, planning, { contextSize }).map(({ text }) => text)
    if (!planning.plan) {
      this.#set({ ...nothing, reasons })
      throw new AppError('MODEL_TOO_LARGE', reasons[0], { ...planning.shortage })
    }
    const placed: Placed = {
      contextSize,
      model: `${basename(path)} ${facts.bytes}`,
      shape,
      profile,
      rungs: ladder(profile, shape, planning, { contextSize }),
      at: 0,
    }
    this.#set({ ...nothing, reasons })
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
        const info = await this.#supervisor.load(requestOf(rung.plan, path, mostThreads(placed.profile)))
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

  /** Threads for the answer that begins now; undefined where the engine decides. What changes is in the status. */
  threads(): number | undefined {
    if (!this.#placed || this.#most === 0) return undefined
    const { threads, why } = threadsNow(this.#hardware.profile(), this.#most)
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
    const { shape, contextSize } = placed
    const refused = (key: string) => this.#reconsidered.has(key) || this.#hardware.hasFailed(keyOf(placed, key))
    const found = better(this.#hardware.profile(), shape, rung.plan, { contextSize }, refused)
    if (!found || found.key === rung.key) return
    this.#reconsidered.add(found.key)
    this.#log.info('a better plan is possible now', { now: rung.what, then: found.what })
    await this.load(this.#path, contextSize)
  }

  /** What an answer took, once it is over: published beside its prediction, and learned from. */
  heard(first: Extract<GenerateEvent, { type: 'prefill' }> | null, done: Extract<GenerateEvent, { type: 'done' }>): void {
    const placed = this.#placed
    const rung = placed?.rungs[placed.at]
    // from here on the cores are busy with others only
    this.#hardware.profile()
    if (!placed || !rung || done.firstTokenMs === null) return
    const readTokens = done.promptTokens - (first?.done ?? 0)
    const tokensPerSecond = done.tokens >= ENOUGH ? done.tokensPerSecond : null
    const predicted = forecast(placed.profile, placed.shape, rung.plan, { promptTokens: readTokens, answerTokens: done.tokens })
    this.#set({
      measured: {
        ...{ firstTokenMs: done.firstTokenMs, predictedFirstTokenMs: predicted.firstTokenSeconds * 1000, tokensPerSecond },
        predictedTokensPerSecond: predicted.tokensPerSecond,
      },
    })
    // what a busy machine took says little of an idle one
    if (contention(placed.profile, rung.plan.threads) > 1) return
    const learned = placed.profile.calibration !== null && Object.keys(placed.profile.calibration.rates).length > 0
    const observed = { readTokens, readSeconds: done.firstTokenMs / 1000, tokensPerSecond }
    const calibration = calibrate(placed.profile, placed.shape, rung.plan, observed, learned ? WEIGHT : 1)
    if (!calibration) return
    placed.profile = { ...placed.profile, calibration }
    this.#hardware.calibrate(calibration)
    const { firstTokenSeconds, tokensPerSecond: now } = forecast(placed.profile, placed.shape, rung.plan, TYPICAL)
    this.#set({ predicted: { firstTokenMs: firstTokenSeconds * 1000, tokensPerSecond: now } })
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
