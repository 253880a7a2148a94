// Owns the tests of the database on real SQLite: nothing acknowledged is lost, nothing typed can break it, every failure has its code.
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Classification } from '../../app/contract/entities.ts'
import { Conversations } from '../../app/store/conversations.ts'
import { openStore, type Store } from '../../app/store/db.ts'
import { migrate, migrations } from '../../app/store/migrations.ts'
import { ftsQuery } from '../../app/store/search.ts'
import { Settings, defaultSettings } from '../../app/store/settings.ts'

const warnings: string[] = []
const log = { error() {}, info() {}, warn: (message: string) => void warnings.push(message) }
const classification: Classification = { category: 'medication', decidedBy: 'rules', matched: ['dose'], scores: { medication: 1 } }
let folder: string
let path: string
let store: Store
let talks: Conversations

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-store-'))
  path = join(folder, 'deep', 'rushlight.db')
  store = openStore(path, { log })
  talks = new Conversations(store)
  warnings.length = 0
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (question: string, conversation: string | null = null, supersedes?: string) =>
  talks.createTurn({ conversation, question, classification, understood: [], ...(supersedes === undefined ? {} : { supersedes }) })
const answer = (question: string, text: string, conversation: string | null = null) => {
  const { turn } = ask(question, conversation)
  return talks.finishTurn(turn.id, { status: 'complete', answer: text, reasoning: '', provenance: null, error: null })
}

describe('turns', () => {
  it('are there as they were saved, after a reopening', () => {
    const saved = answer('Dose of amoxicillin?', 'Ask a human.')
    store.close()
    store = openStore(path, { log })
    expect(new Conversations(store).open(saved.conversation.id)).toEqual({ conversation: saved.conversation, turns: [saved.turn] })
  })

  it('that an earlier run left open become partial, with what was written', () => {
    const { turn } = ask('Half answered?')
    talks.saveProgress(turn.id, 'The first half', 'because')
    expect(talks.recoverUnfinished()).toBe(1)
    expect(talks.open(turn.conversation).turns[0]).toMatchObject({
      status: 'partial',
      answer: 'The first half',
      reasoning: 'because',
      error: { code: 'ENGINE_LOST' },
    })
    expect(talks.recoverUnfinished()).toBe(0)
  })

  it('replaced ones, and what followed them, leave the history of the conversation', () => {
    const first = answer('One?', '1')
    const id = first.conversation.id
    answer('Two?', '2', id)
    const { turn } = ask('One, asked better?', id, first.turn.id)
    expect(talks.open(id).turns.map((t) => t.supersededBy)).toEqual([turn.id, turn.id, null])
    expect(talks.history(id)).toEqual([])
    expect(talks.open(id).conversation.turns).toBe(1)
  })

  it('refuse what is not there', () => {
    expect(() => talks.open('nope')).toThrow(expect.objectContaining({ code: 'CONVERSATION_NOT_FOUND' }))
    expect(() => ask('x', 'nope')).toThrow(expect.objectContaining({ code: 'CONVERSATION_NOT_FOUND' }))
    const { conversation } = ask('x')
    expect(() => ask('y', conversation.id, 'nope')).toThrow(expect.objectContaining({ code: 'TURN_NOT_FOUND' }))
    expect(talks.open(conversation.id).turns).toHaveLength(1)
  })

  it('with a damaged column still open, and the damage is logged', () => {
    const { turn } = answer('Dose?', 'x')
    store.run('UPDATE turns SET classification = ?, provenance = ? WHERE id = ?', '{broken', '[]', turn.id)
    expect(talks.open(turn.conversation).turns[0]).toMatchObject({ classification: { category: 'medication', matched: [] }, provenance: null })
    expect(warnings).toEqual(['damaged column', 'damaged column'])
  })
})

describe('search', () => {
  it('finds words in questions and answers, accents and unfinished words included, and marks the place', () => {
    const a = answer('Dose of ibuprofén for a child?', 'By weight.')
    answer('Fit note wording', 'Phased return to work.')
    expect(talks.list({ search: 'ibuprofen ch', limit: 10 }).map(({ id }) => id)).toEqual([a.conversation.id])
    expect(talks.list({ search: 'phased', limit: 10 })[0]!.snippet).toBe('\ue000Phased\ue001 return to work.')
  })

  it('takes whatever is typed', () => {
    answer('a "quoted" AND NEAR( question*', 'x')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (typed) => Array.isArray(talks.list({ search: typed, limit: 5 }))),
      { numRuns: 300 },
    )
    expect(talks.list({ search: '"quoted" AND', limit: 5 })).toHaveLength(1)
    expect(ftsQuery('"*()')).toBeNull()
  })

  it('forgets what was deleted, on disk too', () => {
    const { conversation } = answer('Zebrafish syndrome?', 'Quaggaitis.')
    talks.delete(conversation.id)
    expect(talks.list({ search: 'zebrafish', limit: 5 })).toEqual([])
    for (const name of readdirSync(join(folder, 'deep')))
      expect(readFileSync(join(folder, 'deep', name)).toString('latin1')).not.toMatch(/zebrafish|quaggaitis/i)
  })
})

describe('export', () => {
  it('keeps the model’s text inside its frame', () => {
    const { conversation } = answer('# Not a heading?', '# Fake heading\n\n---\n## Another')
    const { fileName, markdown } = talks.exportMarkdown(conversation.id)
    expect(fileName).toMatch(/^rushlight-\d{4}-\d\d-\d\d-Not-a-heading\.md$/)
    expect(markdown.split('\n').filter((line) => /^#/.test(line))).toEqual([
      '# \\# Not a heading?',
      expect.stringMatching(/^## .* medication$/),
      '### Written by the model',
    ])
  })
})

describe('settings', () => {
  it('have defaults, keep what is set, and fall back one by one', () => {
    const settings = new Settings(store)
    expect(settings.get()).toEqual(defaultSettings)
    settings.set({ theme: 'dark', model: 'x' })
    store.run('UPDATE settings SET value = ? WHERE key = ?', '"purple"', 'theme')
    expect(settings.get()).toEqual({ ...defaultSettings, model: 'x' })
  })
})

describe('migrations', () => {
  it('bring a database of each earlier version to the present one, with a snapshot before', () => {
    const old = join(folder, 'old.db')
    const db = new Database(old)
    migrate(db, old, migrations.slice(0, 1))
    db.exec(`INSERT INTO conversations VALUES ('c', 'Old title', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
      INSERT INTO turns (id, conversation, question, category, classification, understood, status, answer, created_at)
      VALUES ('t', 'c', 'Levothyroxine timing?', 'medication', '{}', '[]', 'complete', 'Before breakfast.', '2026-01-01T00:00:00.000Z')`)
    db.close()
    const opened = openStore(old, { log })
    expect(new Conversations(opened).list({ search: 'levothyroxine', limit: 5 })).toHaveLength(1)
    opened.close()
    const snapshot = new Database(`${old}.before-0020`, { readonly: true })
    expect(snapshot.pragma('user_version', { simple: true })).toBe(10)
    expect(snapshot.prepare('SELECT count(*) FROM turns').pluck().get()).toBe(1)
    snapshot.close()
  })

  it('leave the old version whole when one fails, and refuse a file from the future', () => {
    const db = new Database(join(folder, 'x.db'))
    migrate(db, join(folder, 'x.db'))
    const broken = { version: 9000, sql: 'CREATE TABLE extra (a TEXT) STRICT; SELECT nonsense' }
    expect(() => migrate(db, join(folder, 'x.db'), [...migrations, broken])).toThrow(/nonsense/)
    expect(db.pragma('user_version', { simple: true })).toBe(migrations.at(-1)!.version)
    expect(db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").pluck().get()).toBe(0)
    db.pragma('user_version = 9000')
    db.close()
    expect(() => openStore(join(folder, 'x.db'), { log })).toThrow(expect.objectContaining({ code: 'STORE_FROM_FUTURE' }))
  })

  it('rise in tens', () => {
    const versions = migrations.map(({ version }) => version)
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(versions.every((version) => version % 10 === 0)).toBe(true)
  })
})

describe('a disk that fails', () => {
  it('full: the question is refused with its code and what was stored stays', () => {
    store.close()
    const pages = new Database(path).pragma('page_count', { simple: true }) as number
    store = openStore(path, { log, maxPages: pages + 30 })
    talks = new Conversations(store)
    const kept = answer('Kept?', 'Yes.')
    expect(() => {
      for (let n = 0; n < 50; n++) answer(`${n}`, 'x'.repeat(20_000))
    }).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
    expect(talks.open(kept.conversation.id).turns).toHaveLength(1)
  })

  it('no folder to write to: said at the start', () => {
    // as root no permission bit refuses, but a file where the folder should be does
    writeFileSync(join(folder, 'file'), '')
    expect(() => openStore(join(folder, 'file', 'rushlight.db'), { log })).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }))
    mkdirSync(join(folder, 'is-a-folder.db'))
    expect(() => openStore(join(folder, 'is-a-folder.db'), { log })).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }))
  })

  it('in use by another program: said at the start', () => {
    expect(() => openStore(path, { log })).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
    store.close()
    store = openStore(path, { log })
  })

  it('damaged: said at the start, the file untouched', () => {
    const bad = join(folder, 'bad.db')
    writeFileSync(bad, 'This is no database. '.repeat(500))
    expect(() => openStore(bad, { log })).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(readFileSync(bad, 'utf8')).toContain('no database')
  })
})
