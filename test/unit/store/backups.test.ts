// Owns the tests of backups and of the end of what was kept: a return loses nothing, expiry takes only the old, a wrong clock takes nothing.
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Conversations } from '../../../app/store/conversations.ts'
import { openStore, type Store } from '../../../app/store/db.ts'
import { backUp, restore, snapshots } from '../../../app/store/restore.ts'
import { expire } from '../../../app/store/retention.ts'

const log = { error() {}, info() {}, warn() {} }
const code = (expected: string) => expect.objectContaining({ code: expected })
let folder: string
let path: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-backup-'))
  path = join(folder, 'rushlight.db')
  store = openStore(path, { log })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})
const classification = { category: 'general' as const, decidedBy: 'rules' as const, matched: [], scores: {} }
const add = (question: string, at = new Date().toISOString()) =>
  new Conversations(store, () => at).createTurn({ conversation: null, question, classification, understood: [], clinical: null })
const questions = () => store.all('SELECT question FROM turns ORDER BY rowid').map(({ question }) => question)

describe('a backup', () => {
  it('brings back what there was, keeps what there is, and is refused while the database is open', () => {
    add('One?')
    const name = backUp(store, path, new Date('2026-05-01T10:00:00Z'))
    expect(name).toBe('rushlight.db.backup-20260501T100000')
    add('Two?')
    expect(() => restore(path, name)).toThrow(code('STORE_BUSY'))
    store.close()
    const kept = restore(path, name, new Date('2026-05-02T10:00:00Z'))
    expect(kept).toBe('rushlight.db.damaged-20260502T100000')
    store = openStore(path, { log })
    expect(questions()).toEqual(['One?'])
    const before = new Database(join(folder, kept!), { readonly: true })
    expect(before.prepare('SELECT count(*) FROM turns').pluck().get()).toBe(2)
    before.close()
  })

  it('takes the place of a database that no longer opens', () => {
    add('Saved?')
    const name = backUp(store, path)
    store.close()
    writeFileSync(path, 'no database'.repeat(500))
    expect(() => openStore(path, { log })).toThrow(code('STORE_CORRUPT'))
    restore(path, name)
    store = openStore(path, { log })
    expect(questions()).toEqual(['Saved?'])
    expect(readdirSync(folder).some((file) => file.includes('.damaged-'))).toBe(true)
  })

  it('that is damaged, foreign, newer or gone changes nothing', () => {
    for (let n = 0; n < 200; n++) add(`Question ${n}? ${'x'.repeat(500)}`)
    const name = backUp(store, path)
    store.close()
    const present = readFileSync(path)
    expect(() => restore(path, 'rushlight.db.backup-20200101T000000')).toThrow(code('STORE_CORRUPT'))
    expect(() => restore(path, '../../etc/passwd')).toThrow(code('STORE_CORRUPT'))
    const file = join(folder, name)
    const good = readFileSync(file)
    truncateSync(file, 50_000)
    expect(() => restore(path, name)).toThrow(code('STORE_CORRUPT'))
    writeFileSync(file, '')
    expect(() => restore(path, name)).toThrow(code('STORE_CORRUPT'))
    writeFileSync(file, good)
    const db = new Database(file)
    db.pragma('user_version = 99990')
    db.close()
    expect(() => restore(path, name)).toThrow(code('STORE_FROM_FUTURE'))
    expect(readFileSync(path)).toEqual(present)
    store = openStore(path, { log })
    expect(questions()).toHaveLength(200)
  })

  it('is kept seven times, newest first', () => {
    for (let day = 10; day < 20; day++) backUp(store, path, new Date(`2026-05-${day}T10:00:00Z`))
    expect(snapshots(path).filter(({ name }) => name.includes('backup-'))).toHaveLength(7)
    expect(readdirSync(folder).some((name) => name.endsWith('.partial'))).toBe(false)
  })
})

describe('expiry', () => {
  it('takes conversations that nobody has added to for so long, and nothing with 0 days', () => {
    add('Old?', '2026-01-01T08:00:00.000Z')
    add('New?', '2026-03-01T08:00:00.000Z')
    const now = new Date('2026-03-02T08:00:00Z')
    expect(expire(store, 0, now)).toBe(0)
    expect(expire(store, 30, now)).toBe(1)
    expect(questions()).toEqual(['New?'])
  })

  it('takes nothing by a clock that is years ahead or behind', () => {
    add('Old?', '2026-01-01T08:00:00.000Z')
    add('New?', '2026-03-01T08:00:00.000Z')
    expect(expire(store, 30, new Date('2126-03-02T08:00:00Z'))).toBe(0)
    expect(expire(store, 30, new Date('2020-03-02T08:00:00Z'))).toBe(0)
    expect(questions()).toHaveLength(2)
  })
})
