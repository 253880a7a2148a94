// Owns how long conversations are kept, and their end: expiry by age, and the wipe of every conversation and of the copies beside the database.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Store } from './db.ts'
import { scrub } from './sealing.ts'

const DAY_MS = 86_400_000

/** Deletes conversations that nobody has added to for `days`; 0 keeps all. Returns how many turns went. A clock that stands before the newest turn deletes nothing. */
export function expire(store: Store, days: number, now: Date = new Date()): number {
  if (days <= 0) return 0
  const newest = store.get('SELECT max(updated_at) AS at FROM conversations')?.['at']
  // a clock a century ahead would empty the database: then the newest turn looks far older than a computer is left alone
  if (typeof newest !== 'string' || now.getTime() - Date.parse(newest) > (days + FORGOTTEN_DAYS) * DAY_MS || now.toISOString() < newest) return 0
  const before = new Date(now.getTime() - days * DAY_MS).toISOString()
  return removed(store, 'updated_at < ?', before)
}
/** A computer that stood unused for longer is asked about, not emptied. */
const FORGOTTEN_DAYS = 365

/** Deletes every conversation and overwrites where it was; the answer cache has a file of its own. Returns how many turns went. The audit log stays. */
export function wipe(store: Store): number {
  const turns = removed(store, '1 = 1')
  scrub(store)
  return turns
}

/** Removes the copies that migrations and backups have left beside the database: they hold what the database no longer does. Returns their names. */
export function removeCopies(path: string): string[] {
  const folder = dirname(path)
  if (!existsSync(folder)) return []
  const prefix = `${basename(path)}.`
  const copies = readdirSync(folder).filter((name) => name.startsWith(prefix) && /^(before|backup|damaged)-/.test(name.slice(prefix.length)))
  for (const name of copies) rmSync(join(folder, name), { force: true })
  return copies.sort()
}

function removed(store: Store, which: string, ...values: unknown[]): number {
  return store.transaction(() => {
    const chosen = `SELECT id FROM conversations WHERE ${which}`
    const turns = Number(store.get(`SELECT count(*) AS n FROM turns WHERE conversation IN (${chosen})`, ...values)?.['n'] ?? 0)
    store.run(`DELETE FROM conversations WHERE ${which}`, ...values)
    return turns
  })
}
