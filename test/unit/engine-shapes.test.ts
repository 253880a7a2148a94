// Owns the tests of warm batch shapes: what is remembered of a damaged file, how a prompt is cut, and that a warm-up changes no answer.
import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Shapes } from '../../app/engine/shapes.ts'
import { engineHere, user, type Answer } from './engine-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-shapes-'))
const path = join(folder, 'shapes.json')
const shapes = (options: Partial<ConstructorParameters<typeof Shapes>[0]> = {}) =>
  new Shapes({ path, key: 'model', cut: true, largest: 64, ...options })
const see = (of: Shapes, sizes: number[]) => sizes.forEach((size) => of.next(size, 64))
const { load, ask, warm, unload } = engineHere()
afterAll(async () => {
  await unload()
  rmSync(folder, { recursive: true })
})

describe('batch shapes', () => {
  it('are powers of two up to the largest step at first, then what comes up often', () => {
    const fresh = shapes({ path: null })
    expect(fresh.cold()).toEqual([1, 2, 4, 8, 16, 32, 64])
    see(fresh, [44, 44, 44, 44, 30, 30, 30, 7])
    expect(fresh.cold()).toEqual([1, 2, 4, 8, 16, 32, 64, 44, 30])
    for (const size of fresh.cold()) fresh.warmed(size)
    expect(fresh.cold()).toEqual([])
    expect(shapes({ path: null, largest: 48 }).cold()).toEqual([1, 2, 4, 8, 16, 32, 48])
  })

  it('are never too many, however various the prompts', () => {
    const many = shapes({ path: null, largest: 512 })
    for (let size = 1; size <= 40; size++) for (let n = 0; n < 5; n++) many.next(size, 512)
    for (let round = 0; round < 5; round++) for (const size of many.cold()) many.warmed(size)
    expect(many.warm.length).toBeLessThanOrEqual(24)
  })

  it('cut a prompt into warm sizes that give all of it, and never into a step much smaller than wanted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 64 })),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 64 }),
        (warmOnes, length, most) => {
          const some = shapes({ path: null })
          for (const size of warmOnes) some.warmed(size)
          for (let left = length; left > 0;) {
            const step = some.next(left, most)
            expect(step).toBeGreaterThan(0)
            expect(step).toBeLessThanOrEqual(Math.min(left, most))
            expect(step * 2).toBeGreaterThanOrEqual(Math.min(left, most))
            left -= step
          }
        },
      ),
    )
    const off = shapes({ path: null, cut: false })
    for (const size of [1, 8, 32]) off.warmed(size)
    expect(off.next(44, 64)).toBe(44)
    const on = shapes({ path: null })
    for (const size of [1, 8, 32]) on.warmed(size)
    expect([on.next(44, 64), on.next(12, 64), on.next(32, 64)]).toEqual([32, 8, 32])
  })

  it('are remembered by the next start, for each model by itself', () => {
    const first = shapes()
    see(first, [44, 44, 44])
    first.save()
    const other = shapes({ key: 'other' })
    see(other, [50, 50, 50])
    other.save()
    expect(shapes().cold()).toContain(44)
    expect(shapes().cold()).not.toContain(50)
    expect(shapes({ key: 'other' }).cold()).toContain(50)
  })

  it('are begun afresh from a file that is damaged, and a file that cannot be written fails nobody', () => {
    for (const damage of ['', '{', '[]', '{"version":2,"models":{}}', '{"version":1,"models":{"model":{"44":-3}}}', 'x'.repeat(1000)]) {
      writeFileSync(path, damage)
      const again = shapes()
      expect(again.cold()).toEqual([1, 2, 4, 8, 16, 32, 64])
      see(again, [33, 33, 33])
      again.save()
      expect(shapes().cold()).toContain(33)
    }
    writeFileSync(path, JSON.stringify({ version: 1, models: { model: { 99999: 50, word: 50 } } }))
    expect(shapes().cold()).toEqual([1, 2, 4, 8, 16, 32, 64])
    const nowhere = shapes({ path: join(folder, 'absent', 'shapes.json') })
    see(nowhere, [5, 5, 5])
    nowhere.save()
  })

  it('forget slowly what no longer comes up', () => {
    const long = shapes({ path: null })
    for (let n = 0; n < 1000; n++) long.next(44, 64)
    for (let n = 0; n < 60_000; n++) long.next(20, 64)
    expect(long.cold()).toContain(20)
    expect(long.cold()).not.toContain(44)
  })
})

describe('a warm-up of shapes', () => {
  it('leaves what is held and every answer as they were, cut or not', async () => {
    const question = user('What are the symptoms of asthma? A patient of 70 years takes ramipril 5 mg every day.')
    const answers: Answer[] = []
    for (const cut of ['off', 'on'] as const) {
      await load({ shapes: { path, cut }, batchSize: 64, stepSeconds: 10 })
      answers.push(await ask(question))
      const events = await warm({ prefixes: [] })
      const sizes = events.flatMap((event) => (event.type === 'shapes' ? [event.sizes] : []))
      expect(sizes.at(-1)).toEqual(expect.arrayContaining([1, 2, 4, 8, 16, 32, 64]))
      const again = await ask(question)
      expect(again.held).toBe(again.done.promptTokens - 1)
      answers.push(again)
      await ask(user('x'))
      const afresh = await ask(question)
      answers.push(afresh)
      expect((await warm({ prefixes: [] })).filter(({ type }) => type === 'shapes').length).toBeLessThanOrEqual(2)
    }
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    await unload()
    expect(Object.values(JSON.parse(readFileSync(path, 'utf8')).models as Record<string, object>).some((seen) => Object.keys(seen).length > 0)).toBe(
      true,
    )
  })
})
