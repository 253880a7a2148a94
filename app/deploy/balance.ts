// Owns what changes between two answers without loading anything: threads, by what other programs and the battery leave; and whether to plan anew.
import type { ModelShape } from '../contract/shape.ts'
import { choose, type Wish } from './choose.ts'
import { forecast } from './forecast.ts'
import type { HardwareProfile } from './hardware.ts'
import { ladder, type Rung } from './ladder.ts'
import type { Plan } from './plan.ts'
import { threadsFor } from './processors.ts'

/** Threads of an idle computer on mains: what a context must be able to use. */
export const mostThreads = (profile: HardwareProfile): number =>
  threadsFor({ ...profile, load: { busyCores: 0 }, power: { battery: false, percent: null } })

/** Threads for the next answer, at most `most`, and why they are fewer; '' when they are not. */
export function threadsNow(profile: HardwareProfile, most: number): { threads: number; why: string } {
  const threads = Math.min(most, threadsFor(profile))
  if (threads >= most) return { threads, why: '' }
  const { battery } = profile.power
  const without = Math.min(most, threadsFor({ ...profile, power: { battery: false, percent: null } }))
  const reason =
    battery && threads < without ? 'on battery half of the cores rest' : `other programs keep ${profile.load.busyCores.toFixed(1)} cores busy`
  return { threads, why: `The next answer uses ${threads} of ${most} threads: ${reason}.` }
}

/** A new load takes seconds, in which nobody is answered: it has to be worth it. */
const WORTH = 1.25

/**
 * The plan that should replace `current`, or null. `now`: the facts with the model loaded; what `current` itself holds is counted as free again,
 * but not the pages of a mapped file, which already are. `refused`: keys of rungs that are not to be tried.
 */
export function better(now: HardwareProfile, shape: ModelShape, current: Plan, wish: Partial<Wish>, refused: (key: string) => boolean): Rung | null {
  const profile = freed(now, current)
  // a card that is gone: the plan cannot be judged on these facts
  if (current.devices.slice(1).some(({ id }) => !profile.devices.some((device) => device.id === id))) return null
  const rung = ladder(profile, shape, choose(profile, shape, wish), wish).find(({ key }) => !refused(key))
  if (!rung) return null
  if (rung.plan.contextSize > current.contextSize) return rung
  const gain = forecast(profile, shape, current).questionSeconds / forecast(profile, shape, rung.plan).questionSeconds
  const moved = rung.plan.gpuLayers !== current.gpuLayers || rung.plan.backend !== current.backend
  return moved && rung.plan.contextSize === current.contextSize && gain >= WORTH ? rung : null
}

function freed(profile: HardwareProfile, { devices, mmap }: Plan): HardwareProfile {
  const held = (id: string) => {
    const memory = devices.find((device) => device.id === id)?.memory
    return memory ? memory.total - (id === 'cpu' && mmap ? memory.weights : 0) : 0
  }
  const free = (id: string, now: number, total: number) => Math.min(total, Math.round(now + held(id)))
  return {
    ...profile,
    cpu: { ...profile.cpu, memoryFree: free('cpu', profile.cpu.memoryFree, profile.cpu.memoryTotal) },
    devices: profile.devices.map((device) => ({ ...device, memoryFree: free(device.id, device.memoryFree, device.memoryTotal) })),
  }
}
