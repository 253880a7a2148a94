// Owns the form of a hardware profile: what is known of one machine. Every plan is made from such a value, gathered here or read from a file.
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'
import { Backend } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'

/** Above any machine of the next decade; a larger number is a slip of the unit. */
const Bytes = z.number().int().min(0).max(1e15)
const PerSecond = z.number().positive().max(1e18)
const Cores = z.number().int().min(1).max(4096)
/** FLOP/s of matrix products by the ggml type of the weights ("Q8_0"). */
const Rates = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'is no ggml type'), PerSecond)

export const Device = z
  .strictObject({
    /** Of this profile only: "cuda:0". In the order in which the driver counts them, which is the order llama.cpp fills. */
    id: z.string().min(1).max(64),
    backend: Backend.exclude(['cpu']),
    name: z.string().min(1).max(200),
    driver: z.string().max(100).nullable(),
    memoryTotal: Bytes,
    memoryFree: Bytes,
    /** Its memory is a part of the RAM: what it takes, the processor cannot have. */
    unified: z.boolean(),
    /** Part of the processor. llama.cpp uses such a device only where there is no card. */
    integrated: z.boolean(),
    /** As published, bytes a second; calibration has what is reached. */
    bandwidth: PerSecond.optional(),
    /** What writing an answer has reached of it in published runs of this or a like device; calibration goes before. */
    reached: PerSecond.optional(),
    /** Of large batches, from published measurements of this or a like device; calibration goes before. */
    rates: Rates.optional(),
    /** Bytes a second from RAM to the device; for a card that of its PCIe slot. */
    link: PerSecond.optional(),
  })
  .refine(({ memoryFree, memoryTotal }) => memoryFree <= memoryTotal, { path: ['memoryFree'], error: 'is more than memoryTotal' })
export type Device = z.infer<typeof Device>

export const HardwareProfile = z.strictObject({
  /** Where the numbers come from, in words. */
  source: z.string().min(1).max(2000),
  os: z.strictObject({ platform: z.enum(['win32', 'linux', 'darwin']), version: z.string().max(100) }),
  cpu: z
    .strictObject({
      model: z.string().min(1).max(200),
      physicalCores: Cores,
      logicalCores: Cores,
      /** Where cores differ: how many are fast. Threads that wait for each other must not run on slow ones. */
      performanceCores: Cores.optional(),
      /** avx2, avx512, vnni, neon, dotprod, i8mm… as the operating system names them, in small letters. */
      features: z.array(z.string().regex(/^[a-z0-9_]{1,32}$/, 'is no feature of a processor')).max(200),
      memoryTotal: Bytes,
      /** What a new program may take; caches that the system would give up count as free. */
      memoryFree: Bytes,
      /** What reading from RAM reaches, bytes a second. */
      bandwidth: z.strictObject({ oneThread: PerSecond, all: PerSecond }),
      /** Of one thread. */
      rates: Rates.optional(),
    })
    .refine(({ memoryFree, memoryTotal }) => memoryFree <= memoryTotal, { path: ['memoryFree'], error: 'is more than memoryTotal' })
    .refine(({ physicalCores, logicalCores }) => physicalCores <= logicalCores, { path: ['physicalCores'], error: 'is more than logicalCores' })
    .refine(({ physicalCores, performanceCores = 1 }) => performanceCores <= physicalCores, {
      ...{ path: ['performanceCores'], error: 'is more than physicalCores' },
    }),
  devices: z
    .array(Device)
    .max(16)
    .refine((devices) => new Set(devices.map(({ id }) => id)).size === devices.length, 'has the same id twice'),
  /** Backends that cannot be used here, and why, for a person to read. */
  rejected: z.array(z.strictObject({ backend: Backend, why: z.string().min(1).max(500) })).max(8),
  /** Measured on this machine; null until then. */
  calibration: z
    .strictObject({
      bandwidthOneThread: PerSecond,
      bandwidthAll: PerSecond,
      /** Of one thread. */
      rates: Rates,
      /** By the id of the device: bandwidth that is reached, and rates of large batches. */
      devices: z.record(z.string(), z.strictObject({ bandwidth: PerSecond.optional(), rates: Rates.optional() })),
    })
    .nullable(),
  power: z.strictObject({ battery: z.boolean(), percent: z.number().min(0).max(100).nullable() }),
  /** Cores that other programs keep busy, on average. */
  load: z.strictObject({ busyCores: z.number().min(0).max(4096) }),
})
export type HardwareProfile = z.infer<typeof HardwareProfile>

// a profile has a few kilobytes; anything larger is another file
const LARGEST = 1_000_000

/** Reads a profile, as `--hardware FILE` names one. Throws BAD_INPUT, which says the field and what is wrong with it. */
export function readHardware(path: string): HardwareProfile {
  const file = basename(path)
  let text: string
  try {
    if (statSync(path).size > LARGEST) throw new AppError('BAD_INPUT', `${file} is too large for a hardware profile. Choose another file.`)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('BAD_INPUT', `${file} cannot be read. Check its name and its permissions.`, { file }, error)
  }
  return parseHardware(text, file)
}

/** The profile that `text` holds as JSON; `file` is its name for a person. Throws BAD_INPUT. */
export function parseHardware(text: string, file: string): HardwareProfile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AppError('BAD_INPUT', `The hardware profile ${file} is not JSON. Correct it, or measure this computer again.`, { file })
  }
  const result = HardwareProfile.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = inWords(issue.path)
  const more = result.error.issues.length > 1 ? ` ${result.error.issues.length - 1} more fields are wrong.` : ''
  throw new AppError('BAD_INPUT', `In the hardware profile ${file}, ${field}: ${issue.message}.${more} Correct it and try again.`, { file, field })
}

/** ["devices", 1, "memoryFree"] → "memoryFree of devices, entry 2". */
function inWords(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole file'
  const words: string[] = []
  for (const key of path) {
    if (typeof key === 'number') words[words.length - 1] += `, entry ${key + 1}`
    else words.push(String(key))
  }
  return words.reverse().join(' of ')
}
