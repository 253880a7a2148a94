// Owns the tests of recorded outcomes on real SQLite: what is kept, for how long, and that no text is ever among it.
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Classification } from '../../../app/contract/entities.ts'
import { Conversations } from '../../../app/store/conversations.ts'
import { openStore, type Store } from '../../../app/store/db.ts'
import { migrate, migrations } from '../../../app/store/migrations.ts'
import { Outcomes, type Outcome } from '../../../app/store/outcomes.ts'

const warnings: string[] = []
const log = { error() {}, info() {}, warn: (message: string) => void warnings.push(message) }
const classification: Classification = { category: 'medication', decidedBy: 'rules', matched: [], scores: {} }
let folder: string
let store: Store
let outcomes: Outcomes
let talks: Conversations

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-outcomes-'))
  store = openStore(join(folder, 'r.db'), { log })
  outcomes = new Outcomes(store)
  talks = new Conversations(store)
  warnings.length = 0
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const turn = () => talks.createTurn({ conversation: null, question: 'Zebrafish dose?', classification, understood: [] }).turn
const one = (given: Partial<Outcome> = {}): Outcome => ({
  ...{ turn: null, family: 'f', mode: 'adapter', category: 'medication', promptTokens: 120, tokens: 80, firstTokenMs: 412.5 },
  ...{ tokensPerSecond: 21.25, outcome: 'accepted', at: '2026-02-01T08:00:00.000Z' },
  ...given,
})

describe('outcomes', () => {
  it('come back as they were recorded, oldest first, of one family', () => {
    const rows = [one({ turn: turn().id }), one({ mode: 'merged', firstTokenMs: null, tokensPerSecond: null, tokens: 0, outcome: 'failed' })]
    for (const row of rows) outcomes.record(row)
    outcomes.record(one({ family: 'another' }))
    expect(outcomes.recent('f', 10)).toEqual(rows)
    expect(outcomes.recent('f', 1)).toEqual(rows.slice(1))
  })

  it('become regenerated when the answer is asked for again, but not when it had failed', () => {
    const [good, bad] = [turn().id, turn().id]
    outcomes.record(one({ turn: good }))
    outcomes.record(one({ turn: bad, outcome: 'failed' }))
    outcomes.regenerated(good)
    outcomes.regenerated(bad)
    outcomes.regenerated('not known')
    expect(outcomes.recent('f', 10).map(({ outcome }) => outcome)).toEqual(['regenerated', 'failed'])
  })

  it('of one turn are one row, the last that was recorded', () => {
    const { id } = turn()
    outcomes.record(one({ turn: id, outcome: 'failed' }))
    outcomes.record(one({ turn: id }))
    expect(outcomes.recent('f', 10)).toEqual([one({ turn: id })])
  })

  it('lose the link to a turn that is deleted or was never stored, and keep the figures', () => {
    const asked = turn()
    outcomes.record(one({ turn: asked.id }))
    outcomes.record(one({ turn: 'gone', tokens: 7 }))
    talks.delete(asked.conversation)
    expect(outcomes.recent('f', 10)).toEqual([one(), one({ tokens: 7 })])
  })

  it('are kept up to a number, the oldest go first', () => {
    const few = new Outcomes(store, 3)
    for (let tokens = 1; tokens <= 8; tokens++) few.record(one({ tokens }))
    expect(few.recent('f', 100).map(({ tokens }) => tokens)).toEqual([6, 7, 8])
    expect(store.get('SELECT count(*) AS n FROM outcomes')!['n']).toBe(3)
  })

  it('give the clinic’s mix of the latest questions, over all families', () => {
    for (const category of ['emergency', 'medication', 'medication', 'diagnosis'] as const) outcomes.record(one({ category }))
    outcomes.record(one({ category: 'medication', family: 'another' }))
    expect(outcomes.mix(4)).toEqual({ medication: 3, diagnosis: 1 })
    outcomes.forget()
    expect(outcomes.mix(4)).toEqual({})
  })

  it('that are damaged are left out and logged', () => {
    outcomes.record(one())
    store.run(`UPDATE outcomes SET category = 'x', at = 'y'`)
    expect(outcomes.recent('f', 10)).toEqual([])
    expect(outcomes.mix(10)).toEqual({})
    expect(warnings).toEqual(['damaged outcome'])
  })

  it('refuse values that cannot be', () => {
    expect(() => outcomes.record(one({ mode: 'other' as 'base' }))).toThrow(/CHECK/)
    expect(() => outcomes.record(one({ tokens: -1 }))).toThrow(/CHECK/)
    expect(outcomes.recent('f', 10)).toEqual([])
  })

  it('hold no text: every column is a number, a time, an id or one of a few words', () => {
    outcomes.record(one({ turn: turn().id }))
    const row = store.get('SELECT * FROM outcomes')!
    expect(Object.keys(row).sort()).toEqual(
      ['at', 'category', 'family', 'first_token_ms', 'mode', 'outcome', 'prompt_tokens', 'rowid', 'tokens', 'tokens_per_second', 'turn'].sort(),
    )
    expect(JSON.stringify(row)).not.toMatch(/zebrafish/i)
  })
})

it('a database from before has its turns after the change, and room for outcomes', () => {
  const path = join(folder, 'old.db')
  const db = new Database(path)
  migrate(
    db,
    path,
    migrations.filter(({ version }) => version < 50),
  )
  db.exec(`INSERT INTO conversations VALUES ('c', 'T', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
    INSERT INTO turns (id, conversation, question, category, classification, understood, status, created_at)
    VALUES ('t', 'c', 'Q?', 'medication', '{}', '[]', 'complete', '2026-01-01T00:00:00.000Z')`)
  db.close()
  const opened = openStore(path, { log })
  try {
    new Outcomes(opened).record(one({ turn: 't' }))
    expect(new Outcomes(opened).recent('f', 5)).toEqual([one({ turn: 't' })])
  } finally {
    opened.close()
  }
})
