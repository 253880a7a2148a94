// Owns the hardware scenes of the page tests: real plans for real machines of the test profiles, as the host would tell them.
import type { PlanStatus } from '../../app/contract/entities.ts'
import type { EngineList, HardwareFacts, PlanPicture, ServerState } from '../../app/contract/hardware.ts'
import { choose } from '../../app/deploy/choose.ts'
import { explain } from '../../app/deploy/explain.ts'
import { rungsOf, type Placed } from '../../app/host/placed.ts'
import { pictureOf } from '../../app/host/plan-picture.ts'
import { exportedShape, profiles } from '../bench/placement-plans.ts'

export interface HardwareScene {
  facts: HardwareFacts
  picture: PlanPicture
  status: PlanStatus
  list: EngineList
  server: ServerState
}

/** The 7B export on one machine of test/profiles. `server`: a clinic's server is set up and has failed. */
export function hardwareScene(machine: string, options: { server?: boolean; tried?: boolean } = {}): HardwareScene {
  const { profile } = profiles().find(({ name }) => name === machine)!
  const shape = exportedShape('qwen2-7b')
  const planning = choose(profile, shape)
  const experience = { model: 'clinical.gguf 1', learned: () => null, now: new Date() }
  const rungs = rungsOf(profile, shape, planning, 4096, null, experience)
  const placed: Placed = {
    ...{ model: 'clinical.gguf 1', contextSize: 4096, shape, profile, planning, rungs, at: 0 },
    madeAt: new Date().toISOString(),
  }
  const { plan, what } = rungs[0]!
  const tried = options.tried
    ? [{ what: '29 of 29 layers on another card (CUDA)', why: 'The graphics card has less memory free than the plan needs.' }]
    : []
  const picture = pictureOf({ name: 'Rushlight Clinical 7B', placed, plan, shape, profile, tried, override: null, experience, failed: () => false })
  const { firstTokenMs, tokensPerSecond } = picture.predicted
  const { cpu, devices, rejected } = profile
  const inUse = new Set(picture.devices.map(({ id }) => id))
  const engine = { chosen: true, state: 'ready', expected: { firstTokenMs, tokensPerSecond }, answers: 12, score: 0.71 } as const
  const terms = { first: 0.25, speed: 0.15, energy: 0.06, trust: 0.25 }
  const at = new Date().toISOString()
  return {
    picture,
    facts: {
      ...{
        source: profile.source,
        lookedAt: at,
        looking: false,
        rejected: rejected.filter(({ backend }) => backend !== 'metal'),
        battery: profile.power.battery,
        busyCores: profile.load.busyCores,
      },
      cpu: {
        ...{ model: cpu.model, physicalCores: cpu.physicalCores, logicalCores: cpu.logicalCores, features: cpu.features },
        ...{ memoryTotal: cpu.memoryTotal, memoryFree: cpu.memoryFree, bandwidth: cpu.bandwidth.all },
      },
      devices: devices.map(({ id, backend, name, driver, memoryTotal, memoryFree, unified }) => ({
        ...{ id, backend, name, driver, memoryTotal, memoryFree, shared: unified, inUse: inUse.has(id) },
      })),
    },
    status: {
      ...{ doing: '', what, reasons: explain(profile, shape, planning).map(({ text }) => text), tried, adapted: '' },
      predicted: { firstTokenMs, tokensPerSecond },
      measured: {
        ...{ firstTokenMs: firstTokenMs * 1.06, predictedFirstTokenMs: firstTokenMs },
        ...{ tokensPerSecond: tokensPerSecond * 0.97, predictedTokensPerSecond: tokensPerSecond },
      },
    },
    list: {
      engines: [
        { ...engine, id: 'computer', kind: 'computer', name: picture.devices.at(-1)!.name, terms, why: 'Nobody else can answer now.', retryAt: null },
        ...(options.server
          ? [
              {
                ...engine,
                ...{ id: 'server', kind: 'server' as const, name: '10.0.0.7:8443', chosen: false, state: 'fenced' as const, terms, answers: 3 },
                ...{ why: 'It has failed and is left alone for a while.', retryAt: new Date(Date.now() + 60_000).toISOString() },
              },
            ]
          : []),
      ],
      failures: options.server
        ? [{ at, engine: '10.0.0.7:8443', why: 'The connection to 10.0.0.7:8443 broke off. What was written so far is saved; ask again.' }]
        : [],
    },
    server: {
      ...{
        allowed: options.server ?? false,
        plainHttp: false,
        named: false,
        enabled: options.server ?? false,
        url: options.server ? 'https://10.0.0.7:8443' : '',
      },
      ...{ model: '', use: 'balance', hasKey: options.server ?? false, pin: '', hasAuthority: false },
      problem: options.server ? 'The connection to 10.0.0.7:8443 broke off. What was written so far is saved; ask again.' : '',
    },
  }
}
