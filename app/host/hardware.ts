// Owns the hardware facts of a running program: gathered here or read from a file, the last good ones kept, looked at again when asked.
import type { HardwareFacts, PlanOverride } from '../contract/hardware.ts'
import type { Log } from '../base/log.ts'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { nothingKept, readKept, writeKept, type Kept } from './hardware-file.ts'
import { Load, memory, power, processor, readSystemInfo, system } from './machine.ts'
import { inProbe, look, type SpawnProbe } from './probes.ts'

/** Bytes a second of one thread and of all, until they are measured: one channel and two of DDR4, the least of the processors in the test profiles. */
const UNMEASURED = { oneThread: 10e9, all: 20e9 }
/** Of each of the two measurements of bandwidth. */
const MEASURE_SECONDS = 0.4
const FAILURES_KEPT = 100
type Calibration = NonNullable<HardwareProfile['calibration']>

export class Hardware {
  readonly #path: string
  readonly #spawn: SpawnProbe | null
  readonly #fixed: HardwareProfile | null
  readonly #log: Log
  readonly #cpu = processor()
  readonly #load = new Load()
  #kept: Kept
  #looking: Promise<void> | null = null
  #changed = () => {}

  /**
   * `path`: hardware.json. `fixed`: a profile from a file (`--hardware FILE`), which is taken as it stands. Without `spawnProbe` no backend is
   * looked for: only the processor is used.
   */
  constructor(parts: { path: string; spawnProbe: SpawnProbe | null; fixed: HardwareProfile | null; log: Log }) {
    this.#path = parts.path
    this.#spawn = parts.spawnProbe
    this.#fixed = parts.fixed
    this.#log = parts.log
    this.#kept = readKept(this.#path, this.#machine(), this.#log)
  }

  /** Hears of every change of what is known; the facts themselves are live. One listener: the page's topics. */
  onChange(listener: () => void): void {
    this.#changed = listener
  }

  /** The facts as they are now: memory, load and power live, devices as they were last seen. */
  profile(): HardwareProfile {
    return this.#profile(this.#load.busyCores(this.#cpu))
  }

  /** The same without a new look at the load: while an answer is written that would take its own threads for those of others. */
  seen(): HardwareProfile {
    return this.#profile(this.#load.latest(this.#cpu))
  }

  #profile(busyCores: number): HardwareProfile {
    if (this.#fixed) return { ...this.#fixed, calibration: this.#fixed.calibration ?? this.#kept.calibration }
    const { devices, rejected, calibration, lookedAt, features } = this.#kept
    const { total, free } = memory()
    const looked = lookedAt === null ? 'graphics cards not looked for yet' : `graphics cards looked for ${lookedAt}`
    return {
      source: `This computer; ${looked}; speed ${calibration ? 'measured' : 'estimated'}.`,
      os: system(),
      cpu: {
        ...this.#cpu,
        features: this.#cpu.features.length > 0 ? this.#cpu.features : features,
        ...{ memoryTotal: total, memoryFree: free, bandwidth: UNMEASURED },
      },
      ...{ devices, rejected, calibration },
      power: power(),
      load: { busyCores },
    }
  }

  /** A plan can be made without a look at the backends: one was made on this machine, there is nothing to look with, or a file says it all. */
  get known(): boolean {
    return this.#fixed !== null || this.#spawn === null || this.#kept.lookedAt !== null
  }

  /** The same for the page. `inUse`: ids of the devices that hold layers. */
  facts(inUse: readonly string[]): HardwareFacts {
    const { source, cpu, devices, rejected, power, load, calibration, os } = this.seen()
    const { model, physicalCores, logicalCores, features, memoryTotal, memoryFree } = cpu
    const measured = calibration?.bandwidthAll ?? (this.#fixed ? cpu.bandwidth.all : null)
    return {
      ...{ source, lookedAt: this.#fixed ? null : this.#kept.lookedAt, looking: this.#looking !== null },
      // that a PC has no Metal is no news
      rejected: rejected.filter(({ backend }) => backend !== 'metal' || os.platform === 'darwin'),
      cpu: { model, physicalCores, logicalCores, features, memoryTotal, memoryFree, bandwidth: measured },
      devices: devices.map(({ id, backend, name, driver, memoryTotal: total, memoryFree: free, unified }) => ({
        ...{ id, backend, name, driver, memoryTotal: total, memoryFree: free, shared: unified, inUse: inUse.includes(id) },
      })),
      ...{ battery: power.battery, busyCores: load.busyCores },
    }
  }

  /** Milliseconds since the last look; Infinity before the first. */
  get lookAge(): number {
    return this.#kept.lookedAt === null ? Infinity : Date.now() - Date.parse(this.#kept.lookedAt)
  }

  /** There was a graphics card: how much of its memory is free now only another look tells. */
  get hasCards(): boolean {
    return this.#fixed === null && this.#kept.devices.length > 0
  }

  /** A plan may put layers on one. */
  get mayUseCards(): boolean {
    return (this.#fixed ?? this.#kept).devices.length > 0
  }

  get calibrated(): boolean {
    return this.profile().calibration !== null
  }

  /**
   * Looks at every backend now; what failed before may be tried again with `forget`. Seconds; a look that runs already is joined. Never
   * throws: a backend that does not work is rejected in words, and what was known of it is gone.
   */
  look(options: { forget?: boolean } = {}): Promise<void> {
    if (options.forget) this.#keep({ failures: [] })
    if (!this.#spawn || this.#fixed) return Promise.resolve()
    this.#looking ??= this.#look(this.#spawn).finally(() => {
      this.#looking = null
      this.#changed()
    })
    this.#changed()
    return this.#looking
  }

  async #look(spawn: SpawnProbe): Promise<void> {
    const { devices, rejected, system: said } = await look(spawn)
    const features = readSystemInfo(said)
    this.#log.info('graphics cards looked for', {
      devices: devices.map(({ id, name }) => `${id} ${name}`),
      rejected: rejected.map(({ backend }) => backend),
    })
    this.#keep({ devices, rejected, lookedAt: new Date().toISOString(), ...(features.length > 0 ? { features } : {}) })
  }

  /** Measures memory bandwidth in a probe, under two seconds. Throws what keeps it from being measured. */
  async measure(): Promise<void> {
    if (!this.#spawn || this.#fixed) return
    const threads = this.#cpu.physicalCores
    const { oneThread, all } = await inProbe(this.#spawn, {}, (client) => client.call('probe.bandwidth', { threads, seconds: MEASURE_SECONDS }))
    const { calibration } = this.#kept
    this.#keep({ calibration: { rates: {}, devices: {}, ...calibration, bandwidthOneThread: oneThread, bandwidthAll: Math.max(oneThread, all) } })
    this.#log.info('memory measured', { oneThread, all })
  }

  /** What real work has shown of speed; kept for the plans to come. */
  calibrate(calibration: Calibration): void {
    this.#keep({ calibration })
  }

  /** `key`: a plan, its model and its driver. */
  failed(key: string, code: string): void {
    const others = this.#kept.failures.filter((failure) => failure.key !== key)
    this.#keep({ failures: [...others, { key, code, at: new Date().toISOString() }].slice(-FAILURES_KEPT) })
  }

  hasFailed(key: string): boolean {
    return this.#kept.failures.some((failure) => failure.key === key)
  }

  /** `model`: its file. null: the user leaves the plan to Rushlight. */
  override(model: string): PlanOverride | null {
    return this.#kept.overrides[model] ?? null
  }

  setOverride(model: string, override: PlanOverride | null): void {
    const { [model]: _, ...others } = this.#kept.overrides
    this.#keep({ overrides: override ? { ...others, [model]: override } : others })
  }

  #keep(change: Partial<Kept>): void {
    this.#kept = { ...nothingKept(this.#machine()), ...this.#kept, ...change }
    writeKept(this.#path, this.#kept, this.#log)
    this.#changed()
  }

  /** Memory in whole gigabytes: the system's share of it changes with its version. */
  #machine(): string {
    if (this.#fixed) return `profile ${this.#fixed.cpu.model} ${this.#fixed.devices.map(({ name }) => name).join(', ')}`.slice(0, 400)
    const { model, physicalCores, logicalCores } = this.#cpu
    return `${process.platform} ${process.arch} ${model} ${physicalCores}/${logicalCores} ${Math.round(memory().total / 1e9)} GB`.slice(0, 400)
  }
}
