// Owns the file of the answer cache: its tables, its pragmas, and that it is made afresh when it is damaged, foreign or of another form.
import Database from 'better-sqlite3'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { failure, type Log } from '../base/log.ts'
import { guarded, type Row } from './db.ts'

/** "RLac": tells this file from any other database. */
const APPLICATION = 0x524c6163
/** Raised with every change of the tables. Nothing is migrated: what a cache holds can be asked again. */
const FORM = 1
const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;
  INSERT INTO meta VALUES ('answers', 0), ('bytes', 0);

  -- one per model, adapter, quantisation, prompt, category and language; a dead one is found by nobody and swept
  CREATE TABLE scopes (
    id INTEGER PRIMARY KEY,
    hash TEXT UNIQUE,
    model TEXT NOT NULL,
    adapter TEXT,
    quantisation TEXT NOT NULL,
    prompt TEXT NOT NULL,
    category TEXT NOT NULL,
    language TEXT NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    form TEXT NOT NULL,
    question TEXT NOT NULL,
    standard TEXT NOT NULL,
    vector BLOB NOT NULL,
    turn TEXT NOT NULL,
    conversation TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    buckets BLOB NOT NULL,
    digest BLOB NOT NULL,
    -- last: what ranks a row is read without following a long answer from page to page
    answer TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX answers_by_form ON answers (scope, form);
  CREATE INDEX answers_by_use ON answers (used);
  CREATE INDEX answers_by_time ON answers (asked_at);
  CREATE INDEX answers_by_turn ON answers (turn);
  CREATE INDEX answers_by_conversation ON answers (conversation);
  CREATE TRIGGER answers_in AFTER INSERT ON answers BEGIN
    UPDATE meta SET value = value + CASE name WHEN 'bytes' THEN new.bytes ELSE 1 END WHERE name IN ('answers', 'bytes');
  END;
  CREATE TRIGGER answers_out AFTER DELETE ON answers BEGIN
    UPDATE meta SET value = value - CASE name WHEN 'bytes' THEN old.bytes ELSE 1 END WHERE name IN ('answers', 'bytes');
  END;

  CREATE TABLE buckets (bucket INTEGER, answer INTEGER, PRIMARY KEY (bucket, answer)) STRICT, WITHOUT ROWID;
`

/** A file apart from the conversations: whatever happens to it, they open, and it is never part of their snapshots. */
export class AnswersFile {
  readonly #path: string
  readonly #log: Log
  readonly #contents: string
  readonly #maxPages: number | undefined
  #db: Database.Database
  #prepared = new Map<string, Database.Statement>()
  #attempting = false
  /** How often the file had to be made afresh, at its opening or since. */
  rebuilt = 0

  /** `contents` names what the rows depend on (the embedder): a file made for something else is emptied. `maxPages`
   * bounds its size; tests fill it. Throws STORE_* when there can be none. */
  constructor(path: string, options: { log: Log; contents: string; maxPages?: number }) {
    this.#path = path
    this.#log = options.log
    this.#contents = options.contents
    this.#maxPages = options.maxPages
    this.#db = guarded(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return this.#open()
    })
  }

  get(sql: string, ...values: unknown[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all(sql: string, ...values: unknown[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /** The only column of each row: half the time of whole rows. */
  numbers(sql: string, ...values: unknown[]): number[] {
    return this.#statement(sql)
      .pluck()
      .all(...values) as number[]
  }

  run(sql: string, ...values: unknown[]): void {
    this.#statement(sql).run(...values)
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work).immediate()
  }

  /** What `work` returns; `otherwise` when the file fails. A damaged one is made afresh, so that the next call works. */
  attempt<T>(work: () => T, otherwise: T): T {
    // only the outermost may put another file in the place of this one
    if (this.#attempting) return work()
    if (!this.#db.open) return otherwise
    this.#attempting = true
    try {
      return work()
    } catch (error) {
      const reason = String((error as { code?: unknown }).code ?? '')
      if (!reason.startsWith('SQLITE_')) throw error
      this.#log.warn('answer cache failed', { reason })
      if (isDamage(reason)) this.#renew()
      return otherwise
    } finally {
      this.#attempting = false
    }
  }

  #renew(): void {
    this.rebuilt++
    try {
      this.empty()
    } catch (error) {
      this.#log.warn('answer cache cannot be made afresh', failure(error))
    }
  }

  /** Forgets everything: the file itself is removed, which is quicker than emptying it and leaves no trace. Throws STORE_* when it cannot be. */
  empty(): void {
    guarded(() => {
      this.close()
      this.#remove()
      this.#db = this.#open()
    })
  }

  /** Gives pages that nothing needs any more back to the disk, so many that it is not felt. */
  shrink(): void {
    this.#db.pragma('incremental_vacuum(200)')
  }

  /** Deleted rows leave the write-ahead log too. */
  scrub(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#prepared.clear()
    this.#db.close()
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#prepared.get(sql)
    if (!statement) this.#prepared.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  #open(): Database.Database {
    try {
      return this.#prepare(new Database(this.#path))
    } catch (error) {
      if (!isDamage(String((error as { code?: unknown }).code ?? ''))) throw error
      this.rebuilt++
      this.#log.warn('answer cache made afresh')
      this.#remove()
      return this.#prepare(new Database(this.#path))
    }
  }

  #prepare(db: Database.Database): Database.Database {
    try {
      // says nothing to a file that has tables already
      db.pragma('auto_vacuum = INCREMENTAL')
      db.pragma('journal_mode = WAL')
      // a power cut may cost the last answers, never the whole: what a cache loses is asked again
      db.pragma('synchronous = NORMAL')
      db.pragma('busy_timeout = 200')
      db.pragma('trusted_schema = OFF')
      db.pragma('secure_delete = ON')
      db.pragma('cache_size = -16000')
      if (this.#maxPages !== undefined) db.pragma(`max_page_count = ${this.#maxPages}`)
      const [application, form] = [db.pragma('application_id', { simple: true }), db.pragma('user_version', { simple: true })]
      const fresh = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
      if (fresh.n > 0 && (application !== APPLICATION || form !== FORM || !this.#isFor(db))) throw new Unfit()
      if (fresh.n === 0) {
        db.transaction(() => {
          db.exec(TABLES)
          db.prepare(`INSERT INTO meta VALUES ('contents', ?)`).run(this.#contents)
          db.pragma(`application_id = ${APPLICATION}`)
          db.pragma(`user_version = ${FORM}`)
        }).immediate()
      }
      return db
    } catch (error) {
      db.close()
      throw error
    }
  }

  #isFor(db: Database.Database): boolean {
    const row = db.prepare(`SELECT value FROM meta WHERE name = 'contents'`).get() as { value: unknown } | undefined
    return row?.value === this.#contents
  }

  #remove(): void {
    for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(this.#path + ending, { force: true })
  }
}

/** A sound file, but not one to go on with. */
class Unfit extends Error {
  readonly code = 'UNFIT'
}

// ERROR: a table or a column is not there
const isDamage = (reason: string) =>
  /^UNFIT$|^SQLITE_(CORRUPT|NOTADB|FORMAT|ERROR|MISMATCH|SCHEMA)|^SQLITE_IOERR_(SHORT_READ|CORRUPTFS|DATA)/.test(reason)
