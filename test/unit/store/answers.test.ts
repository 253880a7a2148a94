// Owns the tests of the answer cache's disk level on real SQLite: what is kept, how it is found, what goes first, and what is forgotten for good.
import Database from 'better-sqlite3'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnswersRig, bucket, DAY, entry, NOW, roomy, scope } from './answers-rig.ts'

let rig: AnswersRig
beforeEach(() => {
  rig = new AnswersRig()
})
afterEach(() => rig.close())

describe('an answer', () => {
  it('is found by its form, as it was kept, after a reopening', () => {
    const id = rig.put('a')
    rig.reopen()
    expect(rig.byForm('a')).toEqual({ ...entry('a'), id })
    expect(rig.byForm('b')).toBeNull()
  })

  it('takes the place of an earlier one of its form, with its buckets', () => {
    rig.put('a', {}, [bucket('old')])
    rig.put('a', { answer: 'Newer.' }, [bucket('new')])
    expect(rig.byForm('a')).toMatchObject({ answer: 'Newer.' })
    expect(rig.inBuckets([bucket('old')])).toEqual([])
    expect(rig.inBuckets([bucket('new')])).toHaveLength(1)
    expect(rig.answers.facts()).toMatchObject({ answers: 1 })
  })

  it.each(['model', 'adapter', 'quantisation', 'prompt', 'category', 'language'] as const)('of another %s is not found', (field) => {
    rig.put('a')
    const other = { ...scope, [field]: 'other' }
    expect(rig.answers.byForm(other, 'form a')).toBeNull()
    expect(rig.answers.inBuckets(other, [bucket('shared')], 9)).toEqual([])
    rig.answers.put(other, 'form a', [bucket('shared')], entry('b'))
    expect(rig.answers.byForm(other, 'form a')).toMatchObject({ answer: 'Answer b.' })
    expect(rig.byForm('a')).toMatchObject({ answer: 'Answer a.' })
  })

  it('is found by its buckets, those that share most first, never more than asked for', () => {
    rig.put('one', {}, [bucket('x'), bucket('y')])
    rig.put('two', {}, [bucket('x'), bucket('z', 8)])
    rig.put('three', {}, [bucket('q')])
    const found = rig.inBuckets([bucket('x', 1), bucket('y', 2), bucket('z', 8)])
    expect(found.map(({ question }) => question)).toEqual(['Question two?', 'Question one?'])
    for (let n = 0; n < 100; n++) rig.put(`n${n}`, {}, [bucket('common')])
    expect(rig.inBuckets([bucket('common')], 16)).toHaveLength(16)
    expect(rig.inBuckets([bucket('common')], 16)[0]).toMatchObject({ question: 'Question n99?' })
  })

  it('that alone would take a sixteenth of the budget is not kept', () => {
    rig.answers.limit({ ...roomy, bytes: 160_000 })
    expect(rig.put('long', { answer: 'x'.repeat(10_000) })).toBeNull()
    expect(rig.put('short', { answer: 'x'.repeat(1_000) })).not.toBeNull()
  })
})

describe('forgetting', () => {
  it('of a turn or a conversation leaves no letter of it in any file', () => {
    rig.put('a', { answer: 'zanzibarite', turn: 't1', conversation: 'c1' })
    rig.put('b', { answer: 'xylophonite', turn: 't2', conversation: 'c1' })
    rig.put('c', { answer: 'kept', turn: 't3', conversation: 'c2' })
    rig.answers.forget({ turn: 't1' })
    expect(rig.byForm('a')).toBeNull()
    expect(rig.byForm('b')).not.toBeNull()
    rig.answers.forget({ conversation: 'c1' })
    expect(rig.answers.facts()).toMatchObject({ answers: 1 })
    rig.answers.close()
    const left = ['', '-wal', '-shm'].filter((end) => existsSync(rig.path + end)).map((end) => readFileSync(rig.path + end).toString('latin1'))
    expect(left.join('')).not.toMatch(/zanzibarite|xylophonite/)
    rig.open()
    expect(rig.byForm('c')).not.toBeNull()
  })

  it('of everything leaves an empty file that works', () => {
    for (let n = 0; n < 50; n++) rig.put(`n${n}`, { answer: 'zanzibarite '.repeat(100) })
    rig.answers.clear()
    expect(rig.answers.facts()).toMatchObject({ answers: 0, bytes: 0, rebuilt: 0 })
    expect(readFileSync(rig.path).includes('zanzibarite')).toBe(false)
    rig.put('a')
    expect(rig.byForm('a')).not.toBeNull()
  })

  it('of a scope hides its answers at once and removes them by and by', () => {
    for (let n = 0; n < 30; n++) rig.put(`n${n}`)
    rig.answers.put({ ...scope, model: 'm2' }, 'form a', [], entry('other'))
    rig.answers.invalidate({ model: 'm1' })
    expect(rig.byForm('n1')).toBeNull()
    expect(rig.inBuckets([bucket('shared')])).toEqual([])
    rig.put('fresh')
    let rounds = 0
    while (rig.answers.sweep(NOW, 8)) rounds++
    expect(rounds).toBeGreaterThan(2)
    expect(rig.answers.facts()).toMatchObject({ answers: 2 })
    expect(rig.byForm('fresh')).not.toBeNull()
  })
})

describe('the policy', () => {
  const sweepAll = (now = NOW) => {
    while (rig.answers.sweep(now, 8));
  }

  it('removes what is too old and nothing else', () => {
    rig.put('old', { askedAt: NOW - 91 * DAY })
    rig.put('young', { askedAt: NOW - 89 * DAY })
    sweepAll()
    expect([rig.byForm('old'), rig.byForm('young')?.answer]).toEqual([null, 'Answer young.'])
  })

  it('removes what was used longest ago when there is too much, whatever the clock said', () => {
    // asked in the opposite order of their use
    for (let n = 0; n < 40; n++) rig.put(`n${n}`, { askedAt: NOW - n * DAY, answer: 'x'.repeat(500) })
    const first = rig.byForm('n0')!
    rig.answers.touch(first.id)
    const { bytes } = rig.answers.facts()
    rig.answers.limit({ ...roomy, bytes: bytes / 2 })
    sweepAll()
    expect(rig.answers.facts().bytes).toBeLessThanOrEqual(bytes / 2)
    expect(rig.answers.facts().bytes).toBeGreaterThan(bytes / 2 - 3000)
    expect(rig.byForm('n0')).not.toBeNull()
    expect(rig.byForm('n1')).toBeNull()
    expect(rig.byForm('n39')).not.toBeNull()
  })

  it('with a budget of 0 keeps nothing and removes all', () => {
    rig.put('a')
    rig.answers.limit({ ...roomy, bytes: 0 })
    expect(rig.put('b')).toBeNull()
    sweepAll()
    expect(rig.answers.facts()).toMatchObject({ answers: 0, bytes: 0 })
  })

  it('gives the disk back what a smaller budget frees', () => {
    for (let n = 0; n < 400; n++) rig.put(`n${n}`, { answer: 'x'.repeat(4000) })
    const sizeNow = () => {
      rig.answers.close()
      const { size } = statSync(rig.path)
      rig.open()
      return size
    }
    const before = sizeNow()
    rig.answers.limit({ ...roomy, bytes: rig.answers.facts().bytes / 4 })
    sweepAll()
    expect(sizeNow()).toBeLessThan(before / 2)
  })

  it('counts about what the file takes', () => {
    rig.answers.together(() => {
      for (let n = 0; n < 3000; n++)
        rig.put(
          `n${n}`,
          { answer: `${n} `.repeat(120), vector: new Int8Array(128).fill(n % 100) },
          Array.from({ length: 8 }, (_, at) => bucket(`${n}/${at}`)),
        )
    })
    const { bytes } = rig.answers.facts()
    rig.answers.close()
    const real = statSync(rig.path).size
    rig.open()
    expect(bytes / real).toBeGreaterThan(0.8)
    expect(bytes / real).toBeLessThan(1.6)
  })
})

it('no statement of a lookup reads a whole table', () => {
  rig.put('a')
  rig.answers.close()
  const db = new Database(rig.path)
  const plan = (sql: string) => (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ')
  const lookups = [
    `SELECT a.id FROM scopes s JOIN answers a ON a.scope = s.id WHERE s.hash = 'x' AND a.form = 'y'`,
    'SELECT answer FROM buckets WHERE bucket = 1 ORDER BY answer DESC LIMIT 24',
    'SELECT a.id, s.hash FROM answers a JOIN scopes s ON s.id = a.scope WHERE a.id = 1',
    'SELECT standard, vector, asked_at FROM answers WHERE id = 1',
    'SELECT id FROM answers WHERE asked_at < 1 ORDER BY asked_at LIMIT 8',
    'SELECT id FROM answers ORDER BY used LIMIT 8',
    `SELECT id FROM answers WHERE turn = 'x'`,
    `SELECT id FROM answers WHERE conversation = 'x'`,
  ]
  for (const sql of lookups) expect(plan(sql)).not.toMatch(/SCAN (?!answers USING (COVERING )?INDEX)|TEMP B-TREE/)
  db.close()
  rig.open()
})
