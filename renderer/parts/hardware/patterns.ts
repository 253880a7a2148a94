// Owns which pattern a device has on the hardware page: pattern first, colour second, the same in strip, bars and legend.
import type { PlanPicture } from '../../../app/contract/hardware.ts'

export type Pattern = 'cpu' | 'gpu' | 'gpu2'

/** Device id → pattern: the processor dots, the first card diagonal, every further one crossed. */
export function patternsOf(devices: PlanPicture['devices']): Map<string, Pattern> {
  let cards = 0
  return new Map(devices.map(({ id, backend }) => [id, backend === 'cpu' ? 'cpu' : cards++ === 0 ? 'gpu' : 'gpu2']))
}

export interface Part {
  name: 'weights' | 'kv' | 'compute' | 'process' | 'shared' | 'other' | 'kept' | 'free'
  bytes: number
}

/** The memory of one device from left to right; the parts fill its capacity. What a card shares with RAM is a part of RAM. */
export function partsOf(device: PlanPicture['devices'][number], all: PlanPicture['devices']): Part[] {
  const { memory, capacity, free, usable, id } = device
  const sum = (one: typeof memory) => one.weights + one.kv + one.compute + one.process
  const lent = id === 'cpu' ? all.filter(({ shared }) => shared).reduce((bytes, one) => bytes + sum(one.memory), 0) : 0
  const taken = sum(memory) + lent
  const kept = Math.max(0, Math.min(free - usable, free - taken))
  const parts: Part[] = [
    { name: 'weights', bytes: memory.weights },
    { name: 'kv', bytes: memory.kv },
    { name: 'compute', bytes: memory.compute },
    { name: 'process', bytes: memory.process },
    { name: 'shared', bytes: lent },
    { name: 'other', bytes: Math.max(0, capacity - free) },
    { name: 'kept', bytes: kept },
    { name: 'free', bytes: Math.max(0, free - taken - kept) },
  ]
  return parts.filter(({ bytes, name }) => bytes > 0 || name === 'free')
}
