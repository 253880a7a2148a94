// Owns what each processor of a machine reaches: bandwidth by threads, matrix rates by ggml type, the price of a neighbour, threads to use.
import type { Backend } from '../contract/entities.ts'
import type { Device, HardwareProfile } from './hardware.ts'
import { isRepacked } from './memory.ts'

/** Rates of one processor, in seconds, bytes and FLOP. */
export interface Processor {
  id: string
  backend: Backend
  /** Bytes a second that reading weights reaches. */
  bandwidth: number
  /** FLOP/s of a matrix product with weights of this type, for many tokens at once. */
  rate(type: string): number
  /** Tokens in a batch at which half of `rate` is reached; 0: every batch is as good. */
  halfBatch: number
  /** A few tokens at once take other kernels: each further one costs this share of reading the weights. null: there are none. */
  furtherToken: number | null
  /** Seconds a layer costs in each pass whatever its size. */
  launch: number
  /** Bytes a second from and to RAM; Infinity for the CPU itself. */
  link: number
  /** Share of `rate` that attention reaches, by the type of the KV cache. */
  attention: Readonly<Record<'f16' | 'q8_0', number>>
}

/**
 * FLOP/s of one thread with 8-bit or repacked 4-bit weights, where nothing was measured. 130e9 is what prefill of the 0.5B and 7B shapes gave
 * on Zen 4; the others are half to a twentieth of it, as published llama.cpp runs on such processors are. Calibration replaces them.
 */
const THREAD_RATES = [
  { needs: ['avx512', 'vnni'], rate: 130e9 },
  { needs: ['avx2', 'vnni'], rate: 60e9 },
  { needs: ['avx2'], rate: 40e9 },
  { needs: ['dotprod'], rate: 50e9 },
  { needs: ['neon'], rate: 25e9 },
] as const
/** SSE or AVX without integer products. */
const PLAIN_RATE = 8e9
/** Beside an 8-bit type on a CPU. The four of 1 were measured within 5 % of each other; the rest are estimates. */
const CPU_FACTORS: Readonly<Record<string, number>> = { Q8_0: 1, Q4_0: 1, Q4_K: 1, IQ4_NL: 1, Q6_K: 0.6, F16: 0.4, BF16: 0.4, F32: 0.3 }
const OTHER_FACTOR = 0.5
/** What rearranging is worth: prefill of an export without it ran at this share (measured). */
const UNPACKED = 0.72
/** Measured: 0.25 ms a block beside the time its bytes take; norms, rotation, barriers. */
const CPU_LAUNCH = 0.25e-3
/** Kernels of a block, from published decode speeds of small models on cards (RTX 2080: 1B at 304 tokens/s). */
const GPU_LAUNCH = 70e-6
/**
 * Share of the published bandwidth that decode reaches, launches apart, from published runs: Qwen2.5-7B Q4_K_M at 77 tokens/s on an RTX 2080
 * (448 GB/s) and 48.7 on a laptop's RTX 4060 (256); Llama-3.1-8B Q4_K_M at 20.9 on an M4 (120) and 16.3 on a Radeon 780M (102, Vulkan).
 */
const REACHED: Readonly<Record<Backend, number>> = { cpu: 1, cuda: 0.9, metal: 0.84, vulkan: 0.75 }
/** The same of a device in the processor: Iris Xe reached 26 of 68 GB/s with Vulkan. One that is known to do better says so in `reached`. */
const REACHED_INTEGRATED = 0.4
/** A published series of batch sizes (P40, llama.cpp pull request 7716) fits n / (n + 32). */
const HALF_BATCH = 32
/** A published series of 1 to 8 tokens (8B Q4_0 on an RTX 3090, llama.cpp pull request 15802): 6.5 ms for one, 14 ms for eight. */
const FURTHER_TOKEN = 0.17
/** FLOP for a byte of bandwidth of a GPU about which nothing else is known: the least of the cards and chips in the test profiles. */
const FLOP_PER_BYTE = 8
const UNKNOWN_BANDWIDTH = 100e9
/** PCIe 3.0 with 16 lanes in practice. */
const PCIE = 12e9
/** 8 bits cost a quarter of prefill at 0.5B on a CPU (measured); on a GPU its own kernels read them, and it is a guess. */
const CPU_ATTENTION = { f16: 1 / 3, q8_0: 1 / 16 }
const GPU_ATTENTION = { f16: 1 / 4, q8_0: 1 / 6 }

/** llama.cpp rearranges weights on x86 with AVX2 and on ARM with dot products. */
export const repacks = ({ cpu }: HardwareProfile): boolean => cpu.features.includes('avx2') || cpu.features.includes('dotprod')

/**
 * Read bandwidth of `threads`, bytes a second. It saturates: B(t) = B₁ t / (1 + (t − 1) s), with s such that all physical cores reach what
 * was measured for all (the form of Amdahl's law; t = 1 and t = all are met exactly).
 */
export function bandwidthOf({ cpu, calibration }: HardwareProfile, threads: number): number {
  const one = calibration?.bandwidthOneThread ?? cpu.bandwidth.oneThread
  const all = Math.max(one, calibration?.bandwidthAll ?? cpu.bandwidth.all)
  const cores = cpu.physicalCores
  const s = cores > 1 ? Math.max(0, ((one * cores) / all - 1) / (cores - 1)) : 0
  return (one * threads) / (1 + (threads - 1) * s)
}

/** What a thread of ggml waits at its barriers, spinning, for each thread that shares its core: 7 times a token's time at the median of three
 * alternations on two cores (1.3 to 36). */
const BARRIER = 8

/**
 * How many times longer `threads` take because other programs keep cores busy, 1 or more. One thread has no barrier and only shares its
 * core; with several, the slowest holds up the rest.
 */
export function contention({ cpu, load }: HardwareProfile, threads: number): number {
  const free = Math.max(0.25, cpu.physicalCores - load.busyCores)
  if (threads <= free) return 1
  return threads === 1 ? 1 / free : Math.max(threads / free, 1 + BARRIER * (threads - free))
}

/**
 * Threads for this machine: every core but one (or the fast ones, where cores differ), fewer where others are busy, half on battery. Never
 * all, unless there is one.
 */
export function threadsFor({ cpu, load, power }: HardwareProfile): number {
  const { physicalCores, performanceCores = physicalCores } = cpu
  const most = performanceCores < physicalCores ? performanceCores : physicalCores - 1
  const idle = Math.floor(physicalCores - load.busyCores)
  const allowed = power.battery ? Math.ceil(most / 2) : most
  return Math.max(1, Math.min(allowed, idle))
}

/** The CPU with so many threads. `beside`: the backend loaded with it; next to CUDA or Vulkan its weights are not repacked. */
export function cpuProcessor(profile: HardwareProfile, threads: number, beside: Backend = 'cpu'): Processor {
  const { cpu, calibration } = profile
  const slower = contention(profile, threads)
  const known = calibration?.rates ?? cpu.rates ?? {}
  const packed = repacks(profile) && (beside === 'cpu' || beside === 'metal')
  const rate = (type: string) => {
    const unpacked = !packed && repacks(profile) && isRepacked({ name: '', type }) ? UNPACKED : 1
    return ((known[type] ?? estimate(known, type, cpu.features)) * unpacked * threads) / slower
  }
  return {
    ...{ id: 'cpu', backend: 'cpu', rate, halfBatch: 0, furtherToken: null, launch: CPU_LAUNCH * slower, link: Infinity, attention: CPU_ATTENTION },
    bandwidth: bandwidthOf(profile, threads) / slower,
  }
}

/** From a type that was measured, by the ratio of the two; from the processor's features where none was. */
function estimate(known: Readonly<Record<string, number>>, type: string, features: readonly string[]): number {
  const factor = (name: string) => CPU_FACTORS[name] ?? OTHER_FACTOR
  const [measured, rate] = Object.entries(known)[0] ?? []
  if (measured !== undefined && rate !== undefined) return (rate * factor(type)) / factor(measured)
  return (THREAD_RATES.find(({ needs }) => needs.every((feature) => features.includes(feature)))?.rate ?? PLAIN_RATE) * factor(type)
}

export function gpuProcessor({ cpu, calibration }: HardwareProfile, device: Device): Processor {
  const measured = calibration?.devices[device.id]
  const share = device.integrated && device.backend === 'vulkan' ? REACHED_INTEGRATED : REACHED[device.backend]
  const published = device.bandwidth ?? (device.unified ? cpu.bandwidth.all : UNKNOWN_BANDWIDTH)
  const bandwidth = measured?.bandwidth ?? device.reached ?? published * share
  const known = measured?.rates ?? device.rates ?? {}
  const other = Math.max(0, ...Object.values(known)) || bandwidth * FLOP_PER_BYTE
  return {
    ...{
      id: device.id,
      backend: device.backend,
      bandwidth,
      halfBatch: HALF_BATCH,
      furtherToken: FURTHER_TOKEN,
      launch: GPU_LAUNCH,
      attention: GPU_ATTENTION,
    },
    rate: (type) => known[type] ?? other,
    link: device.link ?? (device.unified ? bandwidth : PCIE),
  }
}
