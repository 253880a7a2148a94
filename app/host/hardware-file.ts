// Owns hardware.json in the data folder: the last good look at this computer, what was measured, and which plans have failed here.
import * as z from 'zod'
import type { Log } from '../base/log.ts'
import { PlanOverride } from '../contract/hardware.ts'
import { HardwareProfile } from '../deploy/hardware.ts'
import { readWhole, writeWhole } from './whole-file.ts'

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
  /** By model: the plan that the user wants instead of Rushlight's own. */
  overrides: z.record(z.string().max(400), PlanOverride).default({}),
})
export type Kept = z.infer<typeof Kept>

export const nothingKept = (machine: string): Kept => ({
  ...{ version: 1, machine, lookedAt: null, devices: [], rejected: [], features: [], calibration: null, failures: [], overrides: {} },
})

/** What an earlier run kept on this machine. A missing, damaged or foreign file is the same as none: everything in it can be found again. */
export function readKept(path: string, machine: string, log: Log): Kept {
  const kept = readWhole(path, Kept, WHAT, log)
  if (kept && kept.machine !== machine) log.info(`${WHAT} are those of another computer`)
  return kept?.machine === machine ? kept : nothingKept(machine)
}
const WHAT = 'hardware facts'

/** A folder that cannot be written costs a new look at the next start and nothing else. */
export const writeKept = (path: string, kept: Kept, log: Log): boolean => writeWhole(path, kept, WHAT, log)
