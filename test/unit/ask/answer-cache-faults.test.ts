// Owns the tests of the answer cache under time and faults: age, a clock that is moved, deletion, damage, a full budget.
import Database from 'better-sqlite3'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { usualCacheSettings as usual } from '../../../app/ask/answer-cache/settings.ts'
import { DAY, embedder, Rig } from './answer-cache-rig.ts'

let rig: Rig
beforeEach(() => {
  rig = new Rig()
})
afterEach(() => rig.close())

describe('the clock', () => {
  it('makes an answer too old', async () => {
    await rig.keep('dose of amoxicillin')
    rig.now += 90 * DAY
    expect(await rig.kindOf('dose of amoxicillin')).toBe('hit')
    rig.now += 1
    expect(await rig.kindOf('dose of amoxicillin')).toBe('miss')
    while (rig.cache.sweep());
    expect(rig.cache.facts()).toMatchObject({ answers: 0 })
  })

  it('moved back serves nothing from the future, keeps it, and takes a fresh answer instead', async () => {
    await rig.keep('dose of amoxicillin', 'From the future.')
    await rig.keep('dose of ramipril')
    rig.now -= 30 * DAY
    expect(await rig.kindOf('dose of amoxicillin')).toBe('miss')
    expect(await rig.kindOf('amoxicillin dose')).toBe('miss')
    while (rig.cache.sweep());
    expect(rig.cache.facts()).toMatchObject({ answers: 2 })
    await rig.keep('dose of amoxicillin', 'Now.')
    expect(await rig.lookup('dose of amoxicillin')).toMatchObject({ answer: 'Now.' })
    rig.now += 30 * DAY
    expect(await rig.kindOf('dose of ramipril')).toBe('hit')
  })
})

describe('forgetting', () => {
  it('of a turn, a conversation, a scope, or everything reaches both levels', async () => {
    await rig.keep('dose of amoxicillin', 'A', { turn: 't1', conversation: 'c1' })
    await rig.keep('dose of ramipril', 'B', { turn: 't2', conversation: 'c2' })
    await rig.keep('dose of naproxen', 'C', { turn: 't3', conversation: 'c2' })
    rig.cache.forget({ turn: 't1' })
    expect([await rig.kindOf('dose of amoxicillin'), await rig.kindOf('dose of ramipril')]).toEqual([expect.not.stringMatching('hit'), 'hit'])
    rig.cache.forget({ conversation: 'c2' })
    expect(rig.cache.facts()).toMatchObject({ answers: 0, inMemory: 0, memoryBytes: 0 })
    await rig.keep('dose of naproxen')
    rig.cache.invalidate({ model: 'm2' })
    expect(await rig.kindOf('dose of naproxen')).toBe('hit')
    rig.cache.invalidate({ model: 'm1', adapter: null })
    expect(await rig.kindOf('dose of naproxen')).toBe('miss')
    await rig.keep('dose of naproxen')
    rig.cache.clear()
    expect(await rig.kindOf('dose of naproxen')).toBe('miss')
    expect(rig.cache.facts()).toMatchObject({ answers: 0, inMemory: 0 })
  })
})

it('an answer that is forgotten while it is being kept is not kept', async () => {
  let go = () => {}
  const waits = new Promise<void>((resolve) => (go = resolve))
  rig.reopen(usual, { embedder: { ...embedder, embed: (text) => waits.then(() => embedder.embed(text)) } })
  const kept = rig.keep('dose of amoxicillin', 'Gone.', { conversation: 'c1' })
  rig.cache.forget({ conversation: 'c1' })
  go()
  expect(await kept).toBe('forgotten')
  expect(rig.cache.facts()).toMatchObject({ answers: 0, inMemory: 0 })
})

describe('faults', () => {
  it('a poisoned row is a miss, counted, and replaced by the next answer', async () => {
    await rig.keep('dose of amoxicillin', 'Right.')
    rig.disk.close()
    new Database(rig.path).exec(`UPDATE answers SET answer = 'Ten times as much.'`).close()
    rig.open()
    expect(await rig.kindOf('dose of amoxicillin')).toBe('miss')
    expect(rig.cache.facts()).toMatchObject({ damaged: 1, answers: 0 })
    await rig.keep('dose of amoxicillin', 'Right again.')
    expect(await rig.lookup('dose of amoxicillin')).toMatchObject({ answer: 'Right again.' })
  })

  it('a damaged file is a miss and works again at once', async () => {
    for (let n = 0; n < 50; n++) await rig.keep(`dose of amoxicillin in week ${n}`)
    rig.disk.close()
    writeFileSync(rig.path, 'x'.repeat(50_000))
    rig.open()
    expect(await rig.kindOf('dose of amoxicillin in week 7')).toBe('miss')
    await rig.keep('dose of amoxicillin')
    rig.reopen()
    expect(await rig.kindOf('dose of amoxicillin')).toBe('hit')
  })

  it('without a disk the memory level works alone', async () => {
    rig.reopen(usual, { disk: null })
    expect(await rig.keep('dose of amoxicillin')).toBeNull()
    expect([await rig.kindOf('Dose of amoxicillin?'), await rig.kindOf('dose of ramipril')]).toEqual(['hit', 'miss'])
  })

  it('a gate or an embedder that fails is a miss, not an error', async () => {
    await rig.keep('dose of amoxicillin 5 mg')
    rig.reopen(usual, { embedder: { ...embedder, embed: () => Promise.reject(new Error('no engine')) } })
    expect(await rig.kindOf('amoxicillin 5 mg dose')).toBe('miss')
    expect(await rig.keep('dose of ramipril')).toBe('failed')
    expect(await rig.kindOf('dose of amoxicillin 5 mg')).toBe('hit')
  })

  it('an embedder that answers later serves as well', async () => {
    rig.reopen(usual, { embedder: { ...embedder, embed: (text) => new Promise((resolve) => setImmediate(() => resolve(embedder.embed(text)))) } })
    await rig.keep('dose of amoxicillin 5 mg')
    expect(await rig.kindOf('amoxicillin 5 mg dose')).toBe('hit')
  })
})

it('keeps within its budget while answers keep coming, the ones in use above all', async () => {
  rig.reopen({ ...usual, diskBytes: 200_000, memoryBytes: 20_000 })
  await rig.keep('dose of amoxicillin', 'Asked every day.')
  for (let n = 0; n < 400; n++) {
    await rig.keep(`question ${n} about drug number ${n}`, 'x'.repeat(300))
    if (n % 20 === 0) expect(await rig.kindOf('dose of amoxicillin')).toBe('hit')
    expect(rig.cache.facts().memoryBytes).toBeLessThanOrEqual(20_000)
  }
  expect(rig.cache.facts().bytes).toBeLessThanOrEqual(200_000)
  expect(rig.cache.facts().answers).toBeGreaterThan(80)
})
