// Owns the database file: opening, pragmas, transactions, the slow-query log, and the translation of SQLite's failures into codes.
import Database from 'better-sqlite3'
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError, type Code } from '../contract/errors.ts'
import type { Log } from '../base/log.ts'
import { checkWhole, depthOf, isIndexDamage, renewIndex } from './integrity.ts'
import { migrate } from './migrations.ts'

export type Row = Record<string, unknown>
/** What the tables' owners see of SQLite. Every failure is an AppError with a STORE_* code. */
export interface Store {
  all(sql: string, ...values: unknown[]): Row[]
  get(sql: string, ...values: unknown[]): Row | undefined
  run(sql: string, ...values: unknown[]): void
  /** Hands over row by row until `take` returns false; rows after that are never made. No other statement may run meanwhile. */
  takeWhile(take: (row: Row) => boolean, sql: string, ...values: unknown[]): void
  /** All of `work` or nothing of it; it may be run twice and must do nothing but read and write here. */
  transaction<T>(work: () => T): T
  log: Log
  close(): void
}

// Above this a query is named in the log, without its values: those may be questions.
const SLOW_MS = 40

/**
 * Opens or creates the database and brings it to the present version. Throws STORE_READ_ONLY, STORE_FULL, STORE_CORRUPT, STORE_BUSY or
 * STORE_FROM_FUTURE. `maxPages` bounds the file's size; tests fill it.
 */
export function openStore(path: string, options: { log: Log; maxPages?: number }): Store {
  const { log } = options
  const lock = guarded(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return hold(path)
  })
  let db: Database.Database
  try {
    db = guarded(() => open(path, options.maxPages))
  } catch (error) {
    // else the next attempt, after the fault is mended, would find its own lock
    lock.close()
    throw error
  }

  const prepared = new Map<string, Database.Statement>()
  const statementOf = (sql: string) => {
    let statement = prepared.get(sql)
    if (!statement) prepared.set(sql, (statement = db.prepare(sql)))
    return statement
  }
  let renewed = false
  /** A damaged index must not keep a question from being stored. Once only, so that a bad disk cannot make a loop of it. */
  const withIndex = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      // within a transaction the whole of it is run again: the index may say so only at its end
      if (!isIndexDamage(error) || renewed || db.inTransaction) throw error
      renewed = true
      log.warn('search index damaged, made again')
      renewIndex(db)
      return work()
    }
  }
  const timed = <T>(sql: string, work: (statement: Database.Statement) => T): T =>
    guarded(() => {
      const started = performance.now()
      const result = withIndex(() => work(statementOf(sql)))
      const ms = performance.now() - started
      if (ms > SLOW_MS) log.warn('slow query', { ms: Math.round(ms), sql: sql.replace(/\s+/g, ' ').slice(0, 120) })
      return result
    })
  return {
    all: (sql, ...values) => timed(sql, (statement) => statement.all(...values) as Row[]),
    get: (sql, ...values) => timed(sql, (statement) => statement.get(...values) as Row | undefined),
    run: (sql, ...values) => timed(sql, (statement) => void statement.run(...values)),
    takeWhile: (take, sql, ...values) =>
      timed(sql, (statement) => {
        for (const row of statement.iterate(...values) as IterableIterator<Row>) if (!take(row)) break
      }),
    transaction: (work) => guarded(() => withIndex(() => db.transaction(work).immediate())),
    log,
    close: () => {
      db.close()
      lock.close()
    },
  }
}

function open(path: string, maxPages: number | undefined): Database.Database {
  refuseReadOnly(path)
  const depth = depthOf(path)
  const db = new Database(path)
  try {
    prepare(db, maxPages)
    checkWhole(db, depth)
    migrate(db, path)
    proveWritable(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * One program for one database: a second one would take the first one's running answers for lost. The lock is the system's own, so a
 * killed process leaves none behind.
 */
function hold(path: string): Database.Database {
  refuseReadOnly(`${path}.lock`)
  const lock = new Database(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw error
  }
}

function prepare(db: Database.Database, maxPages: number | undefined): void {
  db.pragma('journal_mode = WAL')
  // an acknowledged question survives a power cut, not only a crash
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('busy_timeout = 3000')
  db.pragma('trusted_schema = OFF')
  // what was deleted is overwritten, not only unlinked
  db.pragma('secure_delete = ON')
  if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`)
}

/** SQLite opens a read-only file well: as a lock it would lock nothing, and as a database leave read-only files beside it that outlast the fault. */
function refuseReadOnly(path: string): void {
  if (existsSync(path)) accessSync(path, constants.W_OK)
}

/** A read-only disk would be noticed only at the first question: better said now. BEGIN IMMEDIATE alone would not do, it falls back to reading. */
function proveWritable(db: Database.Database): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  db.exec(`BEGIN; PRAGMA user_version = ${version}; ROLLBACK`)
}

const CODES: readonly (readonly [RegExp, Code])[] = [
  // ENOENT: what Node says of a folder that it cannot make on a read-only or a missing disk
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|^E(ACCES|ROFS|PERM|NOTDIR|EXIST|ISDIR|NOENT)$/, 'STORE_READ_ONLY'],
  // SHMSIZE: the disk has no room for the index of the write-ahead log
  [/^SQLITE_FULL|^ENOSPC$|^EDQUOT$|^SQLITE_IOERR_(WRITE|SHMSIZE)/, 'STORE_FULL'],
  [/^SQLITE_(CORRUPT|NOTADB|FORMAT)|^SQLITE_IOERR_(SHORT_READ|CORRUPTFS|DATA)/, 'STORE_CORRUPT'],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'STORE_BUSY'],
]

/** Runs `work`; a failure of SQLite or of the disk leaves as its STORE_* code, anything else as it is. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const reason = String((error as { code?: unknown }).code ?? '')
    const code = CODES.find(([pattern]) => pattern.test(reason))?.[1]
    throw code ? new AppError(code, undefined, { reason }, error) : error
  }
}
