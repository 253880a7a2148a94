// Owns the database's version: the ordered list of changes, a snapshot before the first, and the refusal of a file from the future.
import type Database from 'better-sqlite3'
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { initial } from './migrations/0010-initial.ts'
import { search } from './migrations/0020-search.ts'
import { clinical } from './migrations/0040-clinical.ts'
import { outcomes } from './migrations/0050-outcomes.ts'
import { audit } from './migrations/0060-audit.ts'

/** `version` is a multiple of ten, so that a fix can be put between two releases. */
export interface Migration {
  version: number
  sql: string
}
export const migrations: readonly Migration[] = [initial, search, clinical, outcomes, audit]
const SNAPSHOTS_KEPT = 3

/** Runs what is missing, each in its own transaction. Throws STORE_FROM_FUTURE for a version that this program does not know. */
export function migrate(db: Database.Database, path: string, list: readonly Migration[] = migrations): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  const newest = list.at(-1)?.version ?? 0
  if (version > newest) throw new AppError('STORE_FROM_FUTURE', undefined, { version, newest })
  // a fresh file has nothing to lose; of several changes only the first meets what a person knows, and the others fall back to it
  const first = list.find((migration) => migration.version > version)
  if (version > 0 && first) snapshot(db, path, first.version)
  for (const migration of list) {
    if (migration.version <= version) continue
    db.transaction(() => {
      db.exec(migration.sql)
      db.pragma(`user_version = ${migration.version}`)
    }).immediate()
  }
}

/** `<file>.before-0020`, complete or not there at all; the newest three are kept. */
function snapshot(db: Database.Database, path: string, version: number): void {
  const target = `${path}.before-${String(version).padStart(4, '0')}`
  const partial = `${target}.partial`
  rmSync(partial, { force: true })
  db.prepare('VACUUM INTO ?').run(partial)
  // on the disk before it has its name: a power cut must not leave an empty file that looks like a snapshot
  const written = openSync(partial, 'r+')
  fsyncSync(written)
  closeSync(written)
  renameSync(partial, target)
  const prefix = `${basename(path)}.before-`
  const all = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix) && /\d{4}$/.test(name))
  for (const old of all.sort().slice(0, -SNAPSHOTS_KEPT)) rmSync(join(dirname(path), old), { force: true })
}
