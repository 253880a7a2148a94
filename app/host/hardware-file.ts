// Owns hardware.json in the data folder: the last good look at this computer, what was measured, and which plans have failed here.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import * as z from 'zod'
import type { Log } from '../base/log.ts'
import { HardwareProfile } from '../deploy/hardware.ts'

const { devices, rejected, calibration, cpu } = HardwareProfile.shape

export const Failure = z.strictObject({
  /** What was tried, by everything that decides whether it works. */
  key: z.string().max(500),
  code: z.string().max(40),
  at: z.iso.datetime(),
})
export type Failure = z.infer<typeof Failure>

export const Kept = z.strictObject({
  version: z.literal(1),
  /** Another processor, another amount of memory: then nothing of it holds. */
  machine: z.string().max(400),
  /** When the backends were looked at; null: not yet. */
  lookedAt: z.iso.datetime().nullable(),
  devices,
  rejected,
  features: cpu.shape.features,
  calibration,
  failures: z.array(Failure).max(200),
})
export type Kept = z.infer<typeof Kept>

export const nothingKept = (machine: string): Kept => ({
  ...{ version: 1, machine, lookedAt: null, devices: [], rejected: [], features: [], calibration: null, failures: [] },
})

/** What an earlier run kept on this machine. A missing, damaged or foreign file is the same as none: everything in it can be found again. */
export function readKept(path: string, machine: string, log: Log): Kept {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return nothingKept(machine)
  }
  try {
    const kept = Kept.parse(JSON.parse(text))
    if (kept.machine === machine) return kept
    log.info('hardware facts are those of another computer')
  } catch {
    log.warn('hardware facts are damaged and found again')
  }
  return nothingKept(machine)
}

/** Whole or not at all: written beside, then renamed. A folder that cannot be written costs a new look at the next start and nothing else. */
export function writeKept(path: string, kept: Kept, log: Log): void {
  const partial = `${path}.${process.pid}.partial`
  try {
    const file = openSync(partial, 'w', 0o600)
    try {
      writeSync(file, JSON.stringify(kept, null, 1))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(partial, path)
  } catch (error) {
    log.warn('hardware facts not kept', { code: (error as NodeJS.ErrnoException).code })
    rmSync(partial, { force: true })
  }
}
