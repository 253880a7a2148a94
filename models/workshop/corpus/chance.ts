// Owns seeded chance by name: the same seed and the same labels give the same numbers whatever else was drawn before.
import { random, type Random } from '../twin/random.ts'

export type { Random }

/** FNV-1a over UTF-16 units, 32 bits; for drawing only. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

/** A generator of its own for what `labels` name: adding a record changes nothing for the others. */
export const chance = (seed: number, ...labels: readonly (string | number)[]): Random => random(seed * 2 ** 32 + hash(labels.join('\u0000')))

/** One of a list that is not empty. */
export const pick = <T>(list: readonly T[], { below }: Random): T => list[below(list.length)]!

/** A new list in random order (Fisher and Yates). */
export function shuffled<T>(list: readonly T[], { below }: Random): T[] {
  const mixed = [...list]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = below(at + 1)
    ;[mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!]
  }
  return mixed
}
