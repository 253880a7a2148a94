// Owns the size and age policy of the answer cache.
import type { Limits } from '../../store/answers.ts'

export interface CacheSettings {
  readonly enabled: boolean
  readonly memoryBytes: number
  /** The disk budget; 0 switches the whole cache off. */
  readonly diskBytes: number
  /** An older answer is not served any more; 0 switches the whole cache off. */
  readonly ageDays: number
}
export const usualCacheSettings: CacheSettings = { enabled: true, memoryBytes: 16 * 2 ** 20, diskBytes: 256 * 2 ** 20, ageDays: 90 }

const DAY_MS = 86_400_000
/** Clocks of a network differ by so much; an answer from further ahead means that one was moved, and its age would be a lie. */
const AHEAD_MS = 5 * 60_000

export const isOn = ({ enabled, diskBytes, ageDays }: CacheSettings): boolean => enabled && diskBytes > 0 && ageDays > 0

export const diskLimits = ({ diskBytes, ageDays }: CacheSettings): Limits => ({ bytes: diskBytes, ageMs: ageDays * DAY_MS })

/** Whether an answer of `askedAt` may be served at `now`, both in milliseconds. One from the future stays, in case the clock is put right. */
export const isCurrent = (askedAt: number, now: number, { ageDays }: CacheSettings): boolean => {
  const age = now - askedAt
  return age <= ageDays * DAY_MS && age >= -AHEAD_MS
}
