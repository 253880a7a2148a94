// Owns the proof that the engine benches run and report, with settings so small that their figures mean nothing.
import { describe, expect, it } from 'vitest'
import { measureEngine } from '../bench/engine.ts'
import { measureMieo } from '../bench/mieo.ts'
import { dayOf } from '../bench/mieo-work.ts'
import { measurePrefix } from '../bench/prefix.ts'
import { starter } from './models.ts'

const numbers = (row: Readonly<Record<string, unknown>>) => Object.values(row).filter((value) => typeof value === 'number')

describe('the engine benches', { timeout: 600_000 }, () => {
  it('measure reading and writing beside llama.cpp alone', async () => {
    const { rows, targets, notes } = await measureEngine({ model: starter, threads: 1, read: 40, write: 12, batchSize: 32 }, 1)
    expect(rows.map(({ what }) => what)).toEqual(['stops within 150 ms', 'whole batches', 'llama.cpp alone'])
    for (const row of rows) for (const value of numbers(row)) expect(value).toBeGreaterThan(0)
    expect(targets.map(({ id, value }) => [id, value > 0])).toEqual([
      ['engine.prefill', true],
      ['engine.decode', true],
    ])
    expect(notes!.length).toBeGreaterThan(0)
  })

  it('measure a prompt that is cold, warm and restarted, each from where it says', async () => {
    const { rows, targets } = await measurePrefix({ model: starter, threads: 1, prefix: 120, question: 10, batchSize: 32 }, 1)
    expect(rows.map(({ what }) => what)).toEqual(expect.arrayContaining(['cold', 'warm', 'held', 'restarted', 'llama.cpp alone, prefix held']))
    for (const row of rows) for (const value of numbers(row)) expect(value).toBeGreaterThan(0)
    expect(targets.map(({ id }) => id)).toEqual(expect.arrayContaining(['prefix.speedup', 'prefix.restart']))
  })

  it('measure a day of questions with and without each part, and answer alike', async () => {
    const tiny = {
      name: 'starter',
      model: starter,
      profile: 'question-only',
      threads: 1,
      contextSize: 512,
      maxTokens: 8,
      questions: 8,
      blocks: 2,
    } as const
    const { rows } = await measureMieo(tiny)
    expect(rows).toHaveLength(6)
    for (const row of rows) expect(row['s/question']).toBeGreaterThan(0)
    expect(rows.map((row) => row['paper +%'])).toEqual([null, 24.5, 17.5, 39.5, 8.3, null])
    expect(rows.at(-1)).toMatchObject({ 'from cache %': 0, 'same answer %': 100 })
  })
})

describe('a day of questions', () => {
  it('is the same for everybody, with repeats, other spellings, follow-ups and every category', () => {
    const day = dayOf(500)
    expect(dayOf(500)).toEqual(day)
    const share = (test: (work: (typeof day)[number]) => boolean) => day.filter(test).length / day.length
    expect(share(({ followUp }) => followUp)).toBeGreaterThan(0.08)
    expect(new Set(day.map(({ category }) => category)).size).toBe(5)
    const texts = day.filter(({ followUp }) => !followUp).map(({ question }) => question)
    expect(new Set(texts).size).toBeLessThan(texts.length * 0.8)
    const plain = (text: string) =>
      text
        .toLowerCase()
        .replace(/[?. ]+/g, ' ')
        .trim()
    expect(new Set(texts.map(plain)).size).toBeLessThan(new Set(texts).size)
    expect(day.every(({ followUp }, at) => !followUp || (at > 0 && !day[at - 1]!.followUp))).toBe(true)
  })
})
