// Owns whether the database file is whole: the check at the start, bounded in time, and the renewal of a search index that is damaged.
import type Database from 'better-sqlite3'
import { existsSync, statSync } from 'node:fs'
import { AppError } from '../contract/errors.ts'

// Reads at about 1 GB/s from the cache and 100 MB/s from an old disk: a start must not wait longer than a second for it.
const WHOLE_CHECK_BYTES = 64 * 1024 * 1024

/** How much of the file a start reads. Ask before the first access: it goes by what the last run has left. */
export function depthOf(path: string): 'all' | 'small tables' {
  // a run that closes well leaves no write-ahead log; one that was killed, or a power cut, does
  if (existsSync(`${path}-wal`)) return 'all'
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return bytes <= WHOLE_CHECK_BYTES ? 'all' : 'small tables'
}

/**
 * Throws STORE_CORRUPT. What a bounded check leaves out is not lost sight of: SQLite refuses a file that was cut short, and a damaged page is
 * STORE_CORRUPT when it is read. The search index is left out, being made from the rest: it takes four fifths of the time of a full check.
 */
export function checkWhole(db: Database.Database, depth: 'all' | 'small tables'): void {
  const tables = db.pragma('main.table_list') as { name: string; type: string }[]
  for (const { name, type } of tables) {
    if (type !== 'table' && type !== 'shadow') continue
    if (depth === 'small tables' && name.startsWith('turns')) continue
    if (db.pragma(`quick_check('${name}')`, { simple: true }) !== 'ok') throw new AppError('STORE_CORRUPT', undefined, { table: name })
  }
}

/** True for the failure that only the search index can have, also when it has its code for people already. */
export function isIndexDamage(error: unknown): boolean {
  const reason = error instanceof AppError ? error.cause : error
  return (reason as { code?: unknown } | null | undefined)?.code === 'SQLITE_CORRUPT_VTAB'
}

/** Makes the search index again from the turns; some seconds for tens of thousands of them. */
export function renewIndex(db: Database.Database): void {
  db.exec(`INSERT INTO turns_fts (turns_fts) VALUES ('rebuild')`)
}
