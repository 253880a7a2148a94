// Owns the tests of a damaged, locked or read-only database: each fault has its code at the start, and what can be mended is mended.
import Database from 'better-sqlite3'
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Conversations } from '../../app/store/conversations.ts'
import { guarded, openStore, type Store } from '../../app/store/db.ts'
import { depthOf } from '../../app/store/integrity.ts'

const warnings: { message: string; data: unknown }[] = []
const log = { error() {}, info() {}, warn: (message: string, data?: unknown) => void warnings.push({ message, data }) }
const opener = fileURLToPath(new URL('./store-opener.ts', import.meta.url))
const code = (expected: string) => expect.objectContaining({ code: expected })
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-faults-'))
  path = join(folder, 'rushlight.db')
  warnings.length = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A database with `count` answered questions, closed. */
function fill(count: number, answer = 'Ask a human.'): void {
  const store = openStore(path, { log })
  for (let n = 0; n < count; n++) add(store, `Question ${n}?`, `${answer} ${n}`)
  store.close()
}
function add(store: Store, question: string, answer: string) {
  const talks = new Conversations(store)
  const classification = { category: 'general', decidedBy: 'rules', matched: [], scores: {} } as const
  const { turn } = talks.createTurn({ conversation: null, question, classification: { ...classification, matched: [] }, understood: [] })
  return talks.finishTurn(turn.id, { status: 'complete', answer, reasoning: '', provenance: null, error: null })
}
/** Past the guard that keeps SQLite's users from an index's inner tables. */
function damage(sql: string): void {
  const db = new Database(path)
  db.unsafeMode(true)
  db.exec(sql)
  db.close()
}

describe('a damaged search index', () => {
  it('is made again, and neither a search nor a question fails', () => {
    fill(50)
    for (const first of ['search', 'question', 'delete'] as const) {
      damage('DELETE FROM turns_fts_data WHERE id > 100')
      const store = openStore(path, { log })
      const talks = new Conversations(store)
      if (first === 'question') add(store, 'New?', 'Answered.')
      if (first === 'delete') talks.delete(talks.list({ limit: 1 })[0]!.id)
      expect(talks.list({ search: 'human', limit: 100 }).length).toBeGreaterThanOrEqual(49)
      expect(warnings.map(({ message }) => message)).toContain('search index damaged, made again')
      warnings.length = 0
      store.close()
    }
  })
})

describe('a damaged table', () => {
  it('is said at the start, wherever the damage lies', () => {
    fill(200, 'x'.repeat(2000))
    const db = new Database(path)
    const page = Number(db.pragma('page_size', { simple: true }))
    const roots = ['turns', 'conversations', 'settings'].map((name) =>
      Number(db.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').pluck().get(name)),
    )
    db.close()
    for (const root of roots) {
      const copy = join(folder, `damaged-${root}.db`)
      const source = new Database(path)
      source.prepare('VACUUM INTO ?').run(copy)
      source.close()
      const file = openSync(copy, 'r+')
      writeSync(file, Buffer.alloc(page, 0x5a), 0, page, (root - 1) * page)
      closeSync(file)
      expect(() => openStore(copy, { log }), `root page ${root}`).toThrow(code('STORE_CORRUPT'))
    }
  })

  it('cut short is said at the start', () => {
    fill(200, 'x'.repeat(2000))
    truncateSync(path, 300_000)
    expect(() => openStore(path, { log })).toThrow(code('STORE_CORRUPT'))
  })

  it('is looked for in the whole file while that is quick, or after a run that did not close', () => {
    writeFileSync(path, '')
    expect(depthOf(path)).toBe('all')
    truncateSync(path, 65 * 1024 * 1024)
    expect(depthOf(path)).toBe('small tables')
    writeFileSync(`${path}-wal`, '')
    expect(depthOf(path)).toBe('all')
  })
})

describe('a database that cannot be written to', () => {
  const open = (user?: string) =>
    spawnSync(process.execPath, [opener, path, ...(user === undefined ? [] : [user])], { encoding: 'utf8' }).stdout.trim()

  it('is said at the start: read-only file, read-only folder, both', () => {
    fill(1)
    const root = process.getuid?.() === 0
    const other = root ? '65534' : undefined
    chmodSync(path, 0o666)
    chmodSync(folder, 0o777)
    if (existsSync(`${path}.lock`)) chmodSync(`${path}.lock`, 0o666)
    expect(open(other)).toBe('opened')
    chmodSync(path, 0o444)
    expect(open(other)).toBe('STORE_READ_ONLY')
    // Windows lets nobody make a folder read-only by its bits
    if (process.platform === 'win32') return
    chmodSync(folder, 0o555)
    expect(open(other)).toBe('STORE_READ_ONLY')
    chmodSync(path, 0o666)
    expect(open(other)).toBe('STORE_READ_ONLY')
    chmodSync(folder, 0o777)
    chmodSync(path, 0o666)
    expect(open(other)).toBe('opened')
  })

  it('opens once the fault is mended: a failed attempt leaves no lock', () => {
    mkdirSync(path)
    expect(() => openStore(path, { log })).toThrow(code('STORE_READ_ONLY'))
    rmSync(path, { recursive: true })
    writeFileSync(path, 'no database'.repeat(200))
    expect(() => openStore(path, { log })).toThrow(code('STORE_CORRUPT'))
    rmSync(path)
    openStore(path, { log }).close()
  })
})

describe('a failure', () => {
  it('of SQLite or the disk has its code; any other stays what it is', () => {
    const failing = (reason: string) => () =>
      guarded(() => {
        throw Object.assign(new Error('x'), { code: reason })
      })
    const expected = {
      SQLITE_READONLY_DBMOVED: 'STORE_READ_ONLY',
      ENOENT: 'STORE_READ_ONLY',
      EROFS: 'STORE_READ_ONLY',
      SQLITE_FULL: 'STORE_FULL',
      ENOSPC: 'STORE_FULL',
      SQLITE_IOERR_SHMSIZE: 'STORE_FULL',
      SQLITE_CORRUPT_INDEX: 'STORE_CORRUPT',
      SQLITE_IOERR_SHORT_READ: 'STORE_CORRUPT',
      SQLITE_BUSY_RECOVERY: 'STORE_BUSY',
    }
    for (const [reason, wanted] of Object.entries(expected)) expect(failing(reason), reason).toThrow(code(wanted))
    expect(failing('SQLITE_CONSTRAINT_UNIQUE')).toThrow(code('SQLITE_CONSTRAINT_UNIQUE'))
  })

  it('of a slow query is named in the log without what was asked', () => {
    const store = openStore(path, { log })
    const slow = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) AS n, ? AS secret FROM n'
    expect(store.get(slow, 'Mrs Example')).toMatchObject({ n: 3_000_000 })
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings)).toContain('WITH RECURSIVE')
    expect(JSON.stringify(warnings)).not.toContain('Example')
    store.close()
  })
})
