// Owns what the operating system tells of this computer without loading any native code: processor, memory, power supply, what other programs take.
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { HardwareProfile } from '../deploy/hardware.ts'
import { availableMemory } from '../engine/load-failure.ts'

type Cpu = HardwareProfile['cpu']
type Processor = Pick<Cpu, 'model' | 'physicalCores' | 'logicalCores' | 'features'>

/** Names of a profile ← names in /proc/cpuinfo and in what llama.cpp says of itself. */
const FEATURES: Readonly<Record<string, readonly string[]>> = {
  avx: ['avx'],
  avx2: ['avx2'],
  fma: ['fma'],
  f16c: ['f16c'],
  avx512: ['avx512', 'avx512f'],
  vnni: ['avx512_vnni', 'avx_vnni'],
  neon: ['neon', 'asimd'],
  dotprod: ['dotprod', 'arm_dotprod', 'asimddp'],
  i8mm: ['i8mm', 'matmul_int8'],
  sve: ['sve'],
}
const named = (words: Iterable<string>): string[] => {
  const has = new Set(words)
  return Object.keys(FEATURES).filter((feature) => FEATURES[feature]!.some((word) => has.has(word)))
}

/** Of /proc/cpuinfo. Zero cores where it does not tell them (ARM): each processor is then one. */
export function readCpuinfo(text: string): { cores: number; features: string[] } {
  const all = (key: string) => [...text.matchAll(new RegExp(`^${key}\\s*:\\s*(.*)$`, 'gim'))].map((found) => found[1]!)
  const packages = all('physical id')
  const cores = new Set(all('core id').map((core, n) => `${packages[n] ?? '0'}.${core}`)).size
  return { cores, features: named((all('flags')[0] ?? all('features')[0] ?? '').toLowerCase().split(/\s+/)) }
}

/** Of llama.cpp's own words on any system: "CPU : AVX2 = 1 | …". */
export const readSystemInfo = (system: string): string[] => named([...system.matchAll(/(\w+) = 1/g)].map((found) => found[1]!.toLowerCase()))

/** Windows does not tell cores from threads without another program; two threads a core are usual there, and too few cores are the safer mistake. */
export function processor(): Processor {
  const logicalCores = Math.max(1, cpus().length)
  const model = cpus()[0]?.model.trim() || 'unknown processor'
  let [physical, features]: [number, string[]] = [process.platform === 'win32' && process.arch === 'x64' ? Math.ceil(logicalCores / 2) : 0, []]
  if (process.platform === 'linux') {
    const known = readCpuinfo(textOf('/proc/cpuinfo') ?? '')
    ;[physical, features] = [known.cores, known.features]
  }
  // a container may be given fewer than there are
  const allowed = Math.max(1, availableParallelism())
  return { model, logicalCores, features, physicalCores: Math.max(1, Math.min(physical || logicalCores, logicalCores, allowed)) }
}

/** Bytes. `total` is what this process may have, where that is less than the machine has. */
export function memory(): { total: number; free: number } {
  const allowed = process.constrainedMemory()
  const total = Math.min(totalmem(), allowed > 0 ? allowed : Infinity)
  return { total, free: Math.min(total, availableMemory()) }
}

export function system(): HardwareProfile['os'] {
  const platform = process.platform === 'win32' || process.platform === 'darwin' ? process.platform : 'linux'
  return { platform, version: release().slice(0, 100) }
}

/** Linux only; elsewhere a computer counts as one on mains. `folder` as the kernel has it. */
export function power(folder = '/sys/class/power_supply'): HardwareProfile['power'] {
  let names: string[] = []
  try {
    names = readdirSync(folder)
  } catch {
    // not Linux, or a machine without any supply that it knows of
  }
  const read = (name: string, key: string) => textOf(join(folder, name, key))?.trim() ?? ''
  // a mouse has a battery too; its scope is its own device
  const batteries = names.filter((name) => read(name, 'type') === 'Battery' && read(name, 'scope') !== 'Device')
  const percent = batteries.map((name) => Number(read(name, 'capacity'))).find((value) => value >= 0 && value <= 100) ?? null
  const mains = names.some((name) => /^(Mains|USB)/.test(read(name, 'type')) && read(name, 'online') === '1')
  return { battery: !mains && batteries.some((name) => read(name, 'status') === 'Discharging'), percent }
}

/** Shorter than this, the clock ticks of the system say little. */
const ENOUGH_MS = 250

/** Watches how many cores are busy; costs nothing between two looks. */
export class Load {
  #before = ticks()
  #at = performance.now()
  #busy: number | null = null

  /** Cores (physical ones, of `processor`) busy since the last look; at the very first the average of the last minute, where a system has one. */
  busyCores({ logicalCores, physicalCores }: Pick<Processor, 'logicalCores' | 'physicalCores'>): number {
    if (performance.now() - this.#at >= ENOUGH_MS) {
      const now = ticks()
      const all = now.all - this.#before.all
      if (all > 0) this.#busy = ((now.all - now.idle - (this.#before.all - this.#before.idle)) / all) * physicalCores
      ;[this.#before, this.#at] = [now, performance.now()]
    }
    return this.latest({ logicalCores, physicalCores })
  }

  /** The same as it was found last: a look from now on begins where that one ended. */
  latest({ logicalCores, physicalCores }: Pick<Processor, 'logicalCores' | 'physicalCores'>): number {
    const average = () => (loadavg()[0]! * physicalCores) / logicalCores
    return Math.max(0, Math.min(physicalCores, this.#busy ?? average()))
  }
}

function ticks(): { all: number; idle: number } {
  let [all, idle] = [0, 0]
  for (const { times } of cpus()) {
    idle += times.idle
    all += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { all, idle }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
