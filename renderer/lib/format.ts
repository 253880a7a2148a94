// Owns how values look: dates, days, sizes, durations, the engine in a few words. Pure; the language is that of messages.ts.
import type { EngineStatus, Provenance } from '../../app/contract/entities.ts'
import { locale, m } from './messages.ts'

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' })
const dayMonthYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' })
const short = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })

export const time = (iso: string): string => clock.format(new Date(iso))
/** 24 Nov 2026, 09:41 */
export const dateTime = (iso: string): string => short.format(new Date(iso))
export const number = (value: number): string => value.toLocaleString(locale)
/** Whole per cent of a share 0…1; only a finished share shows 100. */
export const percent = (share: number): number => (share >= 1 ? 100 : Math.min(99, Math.floor(share * 100)))

/** Today, Yesterday, or the date; the year only when it is not this one. */
export function day(iso: string, now: Date): string {
  const date = new Date(iso)
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  // an hour less or more on the days the clocks change
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000)
  if (days === 0) return m.history.today
  if (days === 1) return m.history.yesterday
  return (date.getFullYear() === now.getFullYear() ? dayMonth : dayMonthYear).format(date)
}

/** 4.84 GB; decimal units, as drives are sold. */
export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const step = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  const value = count / 1000 ** step
  return `${value.toLocaleString(locale, { maximumFractionDigits: step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2 })} ${units[step]}`
}

/** 0.3 s, 12 s, 3 min. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 0.05) return m.underTenth
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}

/** An estimate is never more exact than it deserves: whole seconds. */
export const estimate = (ms: number): string => (ms < 90_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`)
export const rate = (value: number): string => value.toFixed(value < 10 ? 1 : 0)

export const backend = (name: Provenance['engine']['backend']): string => m.engine.backends[name]

/** "CPU · 4 threads", "CUDA · 28/28 layers" or the server's host; '' while nothing is loaded. */
export function engineFacts(engine: Pick<EngineStatus, 'backend' | 'gpuLayers' | 'layers' | 'threads' | 'server'>): string {
  if (engine.server) return `${backend('remote')} · ${engine.server.host}`
  if (!engine.backend) return ''
  const amount = engine.gpuLayers > 0 ? m.engine.layers(engine.gpuLayers, engine.layers) : m.engine.threads(engine.threads)
  return `${backend(engine.backend)} · ${amount}`
}

/** Plain text parted at the marks U+E000 and U+E001 that a search hit carries. */
export function snippetParts(snippet: string): { text: string; hit: boolean }[] {
  return snippet
    .split(/(\uE000[^\uE001]*\uE001?)/)
    .filter((part) => part !== '')
    .map((part) => ({ text: part.replace(/[\uE000\uE001]/g, ''), hit: part.startsWith('\uE000') }))
}
