// Owns the tests of the folder of prompt states without a model: seals, damage of every kind, the byte budget, what is thrown away first.
import fc from 'fast-check'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fingerprint } from '../../app/engine/fingerprint.ts'
import { isWhole, readFacts } from '../../app/engine/state-file.ts'
import { commonLength, StateStore, worth, type State } from '../../app/engine/state-store.ts'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'rushlight-states-'))))
afterEach(() => rmSync(folder, { recursive: true }))
const files = () => readdirSync(folder).sort()
const content = (bytes: number, seed = 1) => Buffer.from(Array.from({ length: bytes }, (_, n) => (n * 31 + seed * 7) % 256))
const facts = (tokens: number[], ms = 100, adapters = '', key = 'model') => ({ key, adapters, tokens, ms })
const save = (store: StateStore, tokens: number[], { ms = 100, bytes = 1000, adapters = '', key = 'model' } = {}) =>
  store.save(facts(tokens, ms, adapters, key), async (path) => writeFileSync(path, content(bytes)))
const readBack = async (store: StateStore, state: State) => {
  let read: Buffer | null = null
  const done = await store.restore(state, async (path) => void (read = readFileSync(path)))
  return done ? read!.subarray(0, 1000) : null
}
const aged = (path: string, days: number) => {
  const then = new Date(Date.now() - days * 24 * 3600_000)
  utimesSync(path, then, then)
}

describe('a state file', () => {
  it('begins with the bytes of the engine, says what it is of, and is whole', async () => {
    const store = await StateStore.open(folder, 1e6)
    const state = (await save(store, [1, 2, 3]))!
    expect(readFileSync(state.path).subarray(0, 1000)).toEqual(content(1000))
    expect(await readFacts(state.path)).toEqual(facts([1, 2, 3]))
    expect(await isWhole(state.path)).toBe(true)
    expect(state.bytes).toBe(statSync(state.path).size)
    expect(files()).toEqual([state.path.slice(-43)])
  })

  it('with one bit changed, cut short or made longer, anywhere, is refused and deleted', async () => {
    const made = await save(await StateStore.open(folder, 1e6), [1, 2, 3])
    const good = readFileSync(made!.path)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.record({ at: fc.nat(good.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
            const bad = Buffer.from(good)
            bad[at]! ^= 1 << bit
            return bad
          }),
          fc.nat(good.length - 1).map((length) => good.subarray(0, length)),
          fc.uint8Array({ minLength: 1, maxLength: 200 }).map((more) => Buffer.concat([good, more])),
          fc.uint8Array({ maxLength: 400 }).map((noise) => Buffer.from(noise)),
        ),
        async (bad) => {
          writeFileSync(made!.path, bad)
          const store = await StateStore.open(folder, 1e6)
          const found = store.best('model', '', [1, 2, 3])
          if (found) expect(await readBack(store, found.state)).toBeNull()
          expect(store.states).toEqual([])
          expect(files()).toEqual([])
        },
      ),
      { numRuns: 150 },
    )
    writeFileSync(made!.path, good)
    const store = await StateStore.open(folder, 1e6)
    expect(await readBack(store, store.best('model', '', [1, 2, 3])!.state)).toEqual(content(1000))
  })

  it('under the name of another one is refused', async () => {
    const store = await StateStore.open(folder, 1e6)
    const [a, b] = [(await save(store, [1, 2, 3]))!, (await save(store, [9, 9, 9]))!]
    writeFileSync(a.path, readFileSync(b.path))
    const again = await StateStore.open(folder, 1e6)
    expect(again.states.map(({ tokens }) => tokens)).toEqual([[9, 9, 9]])
  })
})

describe('the folder', () => {
  it('gives the state with most in common, of the same model and adapters only', async () => {
    const store = await StateStore.open(folder, 1e6)
    for (const tokens of [[1, 2], [1, 2, 3, 4], [1, 2, 9, 9, 9], [7]]) await save(store, tokens)
    await save(store, [1, 2, 3, 4, 5], { key: 'other model' })
    await save(store, [1, 2, 3, 4, 5], { adapters: 'other adapter' })
    expect(store.best('model', '', [1, 2, 3, 4, 5])).toMatchObject({ common: 4, state: { tokens: [1, 2, 3, 4] } })
    expect(store.best('model', 'other adapter', [1, 2, 3, 4, 5])!.common).toBe(5)
    expect(store.best('third model', '', [1, 2, 3])).toBeNull()
    expect(store.best('model', '', [2])).toBeNull()
  })

  it('is found again by the next start', async () => {
    await save(await StateStore.open(folder, 1e6), [1, 2, 3], { ms: 1234 })
    const store = await StateStore.open(folder, 1e6)
    const { state } = store.best('model', '', [1, 2, 3, 4])!
    expect(state).toMatchObject({ ms: 1234, whole: false })
    expect(await readBack(store, state)).toEqual(content(1000))
    expect(state.whole).toBe(true)
  })

  it('keeps within its bytes: what saves least time for its size goes first, and what was not used for long', async () => {
    const first = await StateStore.open(folder, 1e6)
    const [dear, cheap, old] = [(await save(first, [1], { ms: 900 }))!, (await save(first, [2], { ms: 10 }))!, (await save(first, [3], { ms: 900 }))!]
    aged(old.path, 70)
    aged(cheap.path, 0)
    const left = async (bytes: number) => (await StateStore.open(folder, bytes)).states.map(({ tokens }) => tokens[0]).sort()
    expect(await left(3 * dear.bytes)).toEqual([1, 2, 3])
    // 900 ms at ten half-lives are worth less than 10 ms now
    expect(await left(2.5 * dear.bytes)).toEqual([1, 2])
    expect(await left(1.5 * dear.bytes)).toEqual([1])
    expect(await left(0)).toEqual([])
    expect(files()).toEqual([])
  })

  it('does not keep what is larger than all its bytes, and throws nothing away for it', async () => {
    const store = await StateStore.open(folder, 2000)
    await save(store, [1])
    expect(await save(store, [2], { bytes: 5000 })).toBeNull()
    expect(store.states).toHaveLength(1)
    expect(files()).toHaveLength(1)
    const none = await StateStore.open(folder, 0)
    expect(await save(none, [1], { bytes: 1 })).toBeNull()
    expect(files()).toEqual([])
  })

  it('never has more than its bytes, whatever is saved', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ token: fc.nat(8), bytes: fc.nat(3000), ms: fc.nat(1000) }), { maxLength: 15 }), async (saves) => {
        const store = await StateStore.open(folder, 5000)
        for (const { token, bytes, ms } of saves) {
          await save(store, [token], { bytes, ms })
          expect(store.bytes).toBeLessThanOrEqual(5000)
        }
        expect(files().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)).toBe(store.bytes)
        rmSync(folder, { recursive: true })
      }),
      { numRuns: 20 },
    )
    folder = mkdtempSync(join(tmpdir(), 'rushlight-states-'))
  })

  it('leaves alone what is not its own, and clears what a dead process left', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    const [fresh, dead] = [1, 2].map((n) => join(folder, `${'0'.repeat(39)}${n}.kv.77.part`)) as [string, string]
    for (const path of [fresh, dead]) writeFileSync(path, 'half')
    aged(dead, 1)
    await StateStore.open(folder, 0)
    expect(files()).toEqual([fresh.slice(folder.length + 1), 'notes.txt'])
  })

  it('that cannot be made is an empty one: nothing is kept and nothing fails', async () => {
    writeFileSync(join(folder, 'file'), '')
    const store = await StateStore.open(join(folder, 'file', 'states'), 1e6)
    expect(await save(store, [1])).toBeNull()
    expect(store.states).toEqual([])
  })

  it('takes a state that disappears or fails to load for never there', async () => {
    const store = await StateStore.open(folder, 1e6)
    const [gone, bad] = [(await save(store, [1]))!, (await save(store, [2]))!]
    rmSync(gone.path)
    expect(await store.restore(gone, async () => {})).toBe(false)
    expect(await store.restore(bad, () => Promise.reject(new Error('the engine says no')))).toBe(false)
    expect(store.states).toEqual([])
    expect(files()).toEqual([])
  })

  it('does not take a clock that was set back for age', () => {
    const now = 1e12
    const state = { ms: 100, bytes: 10, usedAt: now }
    expect(worth(state, now - 1e9)).toBe(worth(state, now))
    expect(worth(state, now + 7 * 24 * 3600_000)).toBeCloseTo(5)
  })

  it('counts what two prompts have in common', () => {
    expect([commonLength([], [1]), commonLength([1, 2], [1, 3]), commonLength([1, 2], [1, 2, 3])]).toEqual([0, 1, 2])
  })
})

describe('the fingerprint of a model', () => {
  it('differs when anything differs that a fine-tuning changes, and is the same for the same file', async () => {
    const path = join(folder, 'model.gguf')
    const bytes = content(5_000_000)
    const time = new Date(1.7e12)
    const of = async (content: Buffer, then = time) => {
      writeFileSync(path, content)
      utimesSync(path, then, then)
      return fingerprint(path)
    }
    const first = await of(bytes)
    expect(await of(bytes)).toBe(first)
    expect(await of(bytes, new Date(1.7e12 + 1000))).not.toBe(first)
    expect(await of(bytes.subarray(1))).not.toBe(first)
    const tuned = Buffer.from(bytes)
    for (let at = 2_000_000; at < 4_000_000; at += 1000) tuned[at]! ^= 1
    expect(await of(tuned)).not.toBe(first)
    expect(await of(Buffer.from('tiny'))).toMatch(/^[0-9a-f]{64}$/)
  })
})
