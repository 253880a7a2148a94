// Owns backups of the database: a snapshot while it is open, the list of what there is, and the return to one with nothing thrown away.
import Database from 'better-sqlite3'
import { closeSync, copyFileSync, existsSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { guarded, type Store } from './db.ts'
import { checkWhole } from './integrity.ts'
import { migrations } from './migrations.ts'

const BACKUPS_KEPT = 7
const NAME = /^(before-\d{4}|backup-\d{8}T\d{6})$/
export interface Snapshot {
  /** File name, beside the database. */
  name: string
  bytes: number
  /** ISO 8601; when it was written. */
  at: string
}

/** `<file>.backup-20260131T120000`, complete or not there at all; the newest seven are kept. Sealed texts stay sealed in it. Throws STORE_FULL and the like. */
export function backUp(store: Store, path: string, now: Date = new Date()): string {
  const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '')
  const target = `${path}.backup-${stamp}`
  const partial = `${target}.partial`
  return guarded(() => {
    rmSync(partial, { force: true })
    try {
      store.run('VACUUM INTO ?', partial)
      toDisk(partial)
      renameSync(partial, target)
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
    const old = snapshots(path).filter(({ name }) => name.includes('.backup-'))
    for (const { name } of old.slice(BACKUPS_KEPT)) rmSync(join(dirname(path), name), { force: true })
    return basename(target)
  })
}

/** Newest first; those that migrations have made too. */
export function snapshots(path: string): Snapshot[] {
  const prefix = `${basename(path)}.`
  const names = existsSync(dirname(path)) ? readdirSync(dirname(path)) : []
  return names
    .filter((name) => name.startsWith(prefix) && NAME.test(name.slice(prefix.length)))
    .map((name) => {
      const { size, mtime } = statSync(join(dirname(path), name))
      return { name, bytes: size, at: mtime.toISOString() }
    })
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.name.localeCompare(a.name)))
}

/**
 * Puts the snapshot in the database's place. The present file, whatever its state, is kept as `<file>.damaged-TIME` with its write-ahead log.
 * The store must be closed: STORE_BUSY when any program holds it. Throws STORE_CORRUPT for a snapshot that is damaged itself,
 * STORE_FROM_FUTURE, STORE_FULL; then nothing has changed. Returns the name under which the present file is kept, or null when there was none.
 */
export function restore(path: string, name: string, now: Date = new Date()): string | null {
  if (!snapshots(path).some((snapshot) => snapshot.name === name))
    throw new AppError('STORE_CORRUPT', 'That snapshot is no longer there. Choose another one.', { name })
  const source = join(dirname(path), name)
  return guarded(() =>
    alone(path, () => {
      judge(source)
      const partial = `${path}.restoring`
      copyFileSync(source, partial)
      toDisk(partial)
      const kept = `${path}.damaged-${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}`
      const there = existsSync(path)
      // a second name, not a move: killed here, the next start must find the old database and not make an empty one
      if (there) secondName(path, kept)
      for (const part of ['-wal', '-shm']) if (existsSync(path + part)) renameSync(path + part, kept + part)
      renameSync(partial, path)
      return there ? basename(kept) : null
    }),
  )
}

/** Whole, and of a version that this program knows. Reads every page: it is the one that matters now. */
function judge(path: string): void {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    const version = Number(db.pragma('user_version', { simple: true }))
    const newest = migrations.at(-1)!.version
    if (version > newest) throw new AppError('STORE_FROM_FUTURE', undefined, { version, newest })
    if (version === 0) throw new AppError('STORE_CORRUPT', 'The snapshot is empty. Choose another one.', { name: basename(path) })
    checkWhole(db, 'all')
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'STORE_CORRUPT' || String(code).startsWith('SQLITE_'))
      throw new AppError('STORE_CORRUPT', 'The snapshot is damaged as well. Choose another one.', { name: basename(path) }, error)
    throw error
  } finally {
    db.close()
  }
}

/** Under the same lock that an open store holds. */
function alone<T>(path: string, work: () => T): T {
  const lock = new Database(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return work()
  } finally {
    lock.close()
  }
}

/** A link where the file system has them: the file may be larger than what is free. */
function secondName(path: string, name: string): void {
  try {
    linkSync(path, name)
  } catch {
    copyFileSync(path, name)
    toDisk(name)
  }
}

function toDisk(path: string): void {
  const written = openSync(path, 'r+')
  try {
    fsyncSync(written)
  } finally {
    closeSync(written)
  }
}
