// Owns the look at each backend: a process that is thrown away, a time limit, every device by itself, and words for whatever does not work.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createClient, type Client } from '../contract/client.ts'
import type { BackendFacts, ProbeContract } from '../contract/probe.ts'
import type { Backend } from '../contract/entities.ts'
import { AppError } from '../contract/errors.ts'
import { portTransport } from '../contract/port.ts'
import type { Device, HardwareProfile } from '../deploy/hardware.ts'
import { within } from './bounded.ts'
import type { EngineChild } from './engine-child.ts'
import { visibleCards, VARIABLES, type Environment } from './visible-cards.ts'

export type SpawnProbe = (changes: Environment) => EngineChild
export interface Found {
  devices: Device[]
  rejected: HardwareProfile['rejected']
  /** llama.cpp's words on the processor; '' where it could not be asked. */
  system: string
}
/** Milliseconds. A driver that wakes a sleeping card takes seconds, one that hangs takes for ever. */
export const PROBE_MS = 20_000
const GPUS = ['cuda', 'vulkan', 'metal'] as const
type Gpu = (typeof GPUS)[number]
/** llama.cpp takes no more. */
const MOST_DEVICES = 16

/** Runs `work` in a fresh probe, which is ended whatever happens. Throws GPU_UNAVAILABLE in words, ENGINE_TIMEOUT included. */
export async function inProbe<T>(
  spawn: SpawnProbe,
  changes: Environment,
  work: (client: Client<ProbeContract>) => Promise<T>,
  limitMs = PROBE_MS,
): Promise<T> {
  const child = spawn(changes)
  const transport = portTransport(child.port, { code: 'ENGINE_LOST', message: '' })
  let how = ''
  child.onExit((code, signal) => {
    how = signal ?? (code === null ? '' : `code ${code}`)
    transport.close()
  })
  try {
    return await within(work(createClient<ProbeContract>(transport)), limitMs, () => new AppError('ENGINE_TIMEOUT'))
  } catch (error) {
    const { code } = AppError.wire(error)
    if (code === 'ENGINE_TIMEOUT')
      throw new AppError(
        'GPU_UNAVAILABLE',
        `The driver did not answer within ${Math.round(limitMs / 1000)} seconds. Restart the computer, then test again.`,
      )
    if (code === 'ENGINE_LOST')
      throw new AppError(
        'GPU_UNAVAILABLE',
        `The driver ended the test program${how ? ` (${how})` : ''}. Install its newest version, then test again.`,
      )
    throw error
  } finally {
    child.kill()
  }
}

/** Looks at `backends` and the processor, all at once. Never throws: what fails is among the rejected. */
export async function look(spawn: SpawnProbe, backends: readonly Gpu[] = GPUS, limitMs = PROBE_MS): Promise<Found> {
  const facts = (backend: Backend, devices: readonly number[] | null) => {
    const { changes } = visibleCards(process.env, { gpu: backend === 'cpu' ? 'off' : backend, devices: devices && [...devices] })
    return inProbe(spawn, changes, (client) => client.call('probe.backend', { backend }), limitMs)
  }
  const [processor, ...found] = await Promise.all([
    facts('cpu', null).catch(() => null),
    ...backends.map(async (backend): Promise<Found> => {
      try {
        const devices = await devicesOf(backend, (devices) => facts(backend, devices))
        if (devices.length > 0) return { devices, rejected: [], system: '' }
        return {
          devices: [],
          rejected: [{ backend, why: 'The driver is there but names no card. Check that the card is switched on, then test again.' }],
          system: '',
        }
      } catch (error) {
        const why = AppError.wire(error).message || 'It could not be tried.'
        return { devices: [], rejected: [{ backend, why: why.slice(0, 500) }], system: '' }
      }
    }),
  ])
  return {
    devices: found.flatMap(({ devices }) => devices),
    rejected: found.flatMap(({ rejected }) => rejected),
    system: processor?.system ?? '',
  }
}

/** With several cards their memory is one sum, and Vulkan leaves numbers out: each is looked at alone, by its driver's number. */
async function devicesOf(backend: Gpu, facts: (devices: readonly number[] | null) => Promise<BackendFacts>): Promise<Device[]> {
  const all = await facts(null)
  const driver = await driverOf(backend)
  if (all.names.length === 0) return []
  // another card alone may be the first of Vulkan's numbers, so a single one is looked for as well
  if (!Object.hasOwn(VARIABLES, backend) || (backend === 'cuda' && all.names.length === 1)) return [deviceOf(backend, 0, all, driver)]
  const devices: Device[] = []
  const wanted = [...all.names]
  for (let number = 0; number < MOST_DEVICES && wanted.length > 0; number++) {
    // a number beyond the last one ends the probe
    const one = await facts([number]).catch(() => null)
    if (!one) break
    const at = wanted.indexOf(one.names[0] ?? '')
    if (at < 0) continue
    wanted.splice(at, 1)
    devices.push(deviceOf(backend, number, one, driver))
  }
  return devices
}

function deviceOf(backend: Gpu, number: number, { names, memoryTotal, memoryFree, unified }: BackendFacts, driver: string | null): Device {
  const bytes = (value: number) => Math.max(0, Math.round(value))
  const name = (names[0] ?? backend).replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 200) || backend
  const total = bytes(memoryTotal)
  return {
    ...{ id: `${backend}:${number}`, backend, name, driver, unified, integrated: unified },
    memoryTotal: total,
    memoryFree: Math.min(total, bytes(memoryFree)),
  }
}

/** The driver's number of a device of a profile. */
export const numberOf = (id: string): number => Number(/:(\d+)$/.exec(id)?.[1] ?? 0)

const DRIVER_FILES = ['/sys/module/nvidia/version', '/sys/module/amdgpu/version']
/** Its version where the system tells it at once; null elsewhere. */
async function driverOf(backend: Gpu): Promise<string | null> {
  if (backend === 'metal') return null
  const file = DRIVER_FILES.find((path) => existsSync(path))
  if (file) return readFileSync(file, 'utf8').trim().slice(0, 100)
  if (backend !== 'cuda') return null
  return new Promise((resolve) => {
    const args = ['--query-gpu=driver_version', '--format=csv,noheader']
    execFile('nvidia-smi', args, { timeout: 3000, windowsHide: true }, (error, said) =>
      resolve(error ? null : said.split('\n')[0]!.trim().slice(0, 100) || null),
    )
  })
}
