// Owns the tests of the answer cache's disk level under damage: no broken row is ever handed out, and a file that is lost is made afresh.
import Database from 'better-sqlite3'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnswersRig, bucket, entry, scope } from './answers-rig.ts'

let rig: AnswersRig
beforeEach(() => {
  rig = new AnswersRig()
})
afterEach(() => rig.close())

describe('damage', () => {
  it.each(['answer', 'question', 'standard', 'turn', 'conversation'])('to the %s of a row: dropped, counted, never handed out', (column) => {
    rig.put('a')
    rig.put('b')
    rig.meddle((db) => db.exec(`UPDATE answers SET ${column} = ${column} || ' poison' WHERE form = (SELECT form FROM answers ORDER BY id LIMIT 1)`))
    expect(rig.byForm('a')).toBeNull()
    expect(rig.answers.facts()).toMatchObject({ damaged: 1, answers: 1 })
    expect(rig.inBuckets([bucket('shared')]).map(({ answer }) => answer)).toEqual(['Answer b.'])
  })

  it('by a row put under the form or the scope of another: dropped', () => {
    rig.put('a')
    rig.put('b')
    rig.answers.put({ ...scope, model: 'm2' }, 'form c', [], entry('c'))
    rig.meddle((db) => {
      const [a, b] = db.prepare('SELECT id, form FROM answers ORDER BY id').all() as { id: number; form: string }[]
      db.exec(`UPDATE answers SET form = 'x' WHERE id = ${a!.id}; UPDATE answers SET form = '${a!.form}' WHERE id = ${b!.id}`)
      db.exec(`UPDATE answers SET scope = (SELECT id FROM scopes WHERE model = 'm1') WHERE scope = (SELECT id FROM scopes WHERE model = 'm2')`)
    })
    expect(rig.byForm('a')).toBeNull()
    expect(rig.byForm('c')).toBeNull()
    expect(rig.answers.facts().damaged).toBe(2)
  })

  it.each([
    ['text', (file: string) => writeFileSync(file, 'this is not a database, but it is long enough to be taken for one '.repeat(100))],
    ['half of it', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size >> 1))],
    ['a database of another program', (file: string) => (rmSync(file), new Database(file).exec('CREATE TABLE answers (x)').close())],
    ['nothing at all', (file: string) => writeFileSync(file, '')],
  ])('to the file, which now holds %s: made afresh', (_, spoil) => {
    for (let n = 0; n < 200; n++) rig.put(`n${n}`, { answer: 'x'.repeat(2000) })
    rig.answers.close()
    spoil(rig.path)
    rig.open()
    for (let n = 0; n < 200; n++) rig.byForm(`n${n}`)
    rig.put('a')
    expect(rig.byForm('a')).toMatchObject({ answer: 'Answer a.' })
    expect(rig.answers.facts()).toMatchObject({ answers: 1 })
  })

  it('to pages in the middle: what is read is right or missing, and the cache goes on', () => {
    for (let n = 0; n < 300; n++) rig.put(`n${n}`, { answer: `${n} `.repeat(400) })
    rig.answers.close()
    const bytes = readFileSync(rig.path)
    for (let at = 8192; at < bytes.length; at += 3001) bytes[at] = bytes[at]! ^ 0x5a
    writeFileSync(rig.path, bytes)
    rig.open()
    for (let n = 0; n < 300; n++) {
      const found = rig.byForm(`n${n}`)
      if (found) expect(found.answer).toBe(`${n} `.repeat(400))
    }
    rig.put('after')
    rig.put('after')
    expect(rig.byForm('after')).toMatchObject({ answer: 'Answer after.' })
    const { damaged, rebuilt } = rig.answers.facts()
    expect(damaged + rebuilt).toBeGreaterThan(0)
  })

  it('a table that is gone while the program runs: made afresh at the next call', () => {
    rig.put('a')
    const other = new Database(rig.path)
    other.exec('DROP TABLE buckets; DROP TABLE answers')
    other.close()
    expect(rig.byForm('a')).toBeNull()
    rig.put('b')
    expect(rig.byForm('b')).toMatchObject({ answer: 'Answer b.' })
    expect(rig.answers.facts().rebuilt).toBe(1)
  })

  it('a file that cannot be made afresh: nothing is found, nothing is kept, nothing is thrown, until it can', () => {
    rig.put('a')
    const other = new Database(rig.path)
    other.exec('DROP TABLE answers')
    other.close()
    // a folder in the place of the log: neither can it be removed as a file nor opened
    rmSync(`${rig.path}-journal`, { force: true })
    mkdirSync(`${rig.path}-journal`)
    writeFileSync(join(`${rig.path}-journal`, 'x'), '')
    expect(rig.byForm('a')).toBeNull()
    expect(rig.put('b')).toBeNull()
    expect(() => rig.answers.forget({ turn: 't' })).toThrow()
    rmSync(`${rig.path}-journal`, { recursive: true })
    rig.answers.forget({ turn: 't' })
    expect(rig.put('b')).not.toBeNull()
  })

  it('a file made with another embedder is emptied', () => {
    rig.put('a')
    rig.answers.close()
    rig.open({ contents: 'e2' })
    expect(rig.answers.facts()).toMatchObject({ answers: 0 })
  })
})

it('a full disk keeps nothing more, loses nothing, and is no error', () => {
  rig.answers.close()
  rig.open({ maxPages: 60 })
  const kept = Array.from({ length: 100 }, (_, n) => rig.put(`n${n}`, { answer: 'x'.repeat(3000) }))
  const first = kept.indexOf(null)
  expect(first).toBeGreaterThan(5)
  expect(kept.slice(first).every((id) => id === null)).toBe(true)
  for (let n = 0; n < first; n++) expect(rig.byForm(`n${n}`)).not.toBeNull()
  expect(rig.answers.facts()).toMatchObject({ answers: first, damaged: 0, rebuilt: 0 })
})
