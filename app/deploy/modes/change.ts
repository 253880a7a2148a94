// Owns what a change of mode takes: seconds until the new one can answer, and whether the old one can serve meanwhile.
import { modes, type Mode } from './situation.ts'

export interface ChangeFacts {
  /** Of the model file that the mode needs: base for base and adapter. */
  fileBytes: Readonly<Record<'base' | 'merged', number>>
  /** Of the adapters that are not in memory while the base serves alone. */
  adapterBytes: number
  /** What loads have shown on this computer; null before the first. */
  bytesPerSecond: number | null
  /** Seconds of reading a category's prompt, which the first question after a change pays when no state of it is kept for that mode. */
  promptSeconds: number
}
/** An ordinary disk, the file not in the system's memory. */
const ORDINARY = 300e6
/** Of a load beside reading: buffers, threads, warming up. Allowances. */
const LOAD_SECONDS = 1
/** Of a change of adapter with both in memory: llama.cpp plans its graph anew at the next token, milliseconds. */
const ADAPTER_SECONDS = 0.01

/** Seconds until `to` can answer, by the mode that serves now. Without `merged` bytes nothing leads from or to it. */
export function changesTo(to: Mode, { fileBytes, adapterBytes, bytesPerSecond, promptSeconds }: ChangeFacts): Partial<Record<Mode, number>> {
  const speed = bytesPerSecond ?? ORDINARY
  const load = (bytes: number) => LOAD_SECONDS + bytes / speed + promptSeconds
  const adapters = adapterBytes / speed
  const seconds = (from: Mode): number => {
    if (to === 'merged') return load(fileBytes.merged)
    if (from === 'merged') return load(fileBytes.base + (to === 'adapter' ? adapterBytes : 0))
    return ADAPTER_SECONDS + promptSeconds + (to === 'adapter' ? adapters : 0)
  }
  return Object.fromEntries(modes.filter((from) => from !== to).map((from) => [from, seconds(from)]))
}

/**
 * Whether the mode that serves can go on while the next one loads: base and adapter share one model, everything else is in memory twice.
 * Bytes resident of each.
 */
export function servesMeanwhile(from: { mode: Mode; bytes: number }, to: { mode: Mode; bytes: number }, usableBytes: number): boolean {
  if (from.mode !== 'merged' && to.mode !== 'merged') return true
  return from.bytes + to.bytes <= usableBytes
}
