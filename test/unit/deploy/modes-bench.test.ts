// Owns the test of the modes bench's parts on a real family: the starter with adapters and a merged form, all small, all measured for real.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolvePaths } from '../../../app/base/paths.ts'
import { accuracy, adapterChange, agreement, measureMode } from '../../bench/modes-measure.ts'
import { familySubject, starterBase, type Subject } from '../../bench/modes-subjects.ts'
import { context, makeAdapter, makeBase, makeMerged } from '../library/family-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'rushlight-modes-bench-'))
const { signal } = context()
/** The adapters are random and small: so they are heard. */
const SCALE = 10
let subject: Subject

beforeAll(async () => {
  const base = await makeBase(folder)
  const medication = await makeAdapter(folder, 'adapter-medication.gguf', { rank: 16 })
  await makeAdapter(folder, 'adapter-diagnosis.gguf', { seed: 2, rank: 16 })
  await makeMerged(base, medication, join(folder, 'z-merged.gguf'), SCALE)
  subject = { ...(await familySubject('family', await starterBase(folder), context())), scale: SCALE }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the modes bench', () => {
  it('takes a family with adapters and a merged form for trained, and finds its base', () => {
    expect(subject).toMatchObject({ base: join(folder, 'base.gguf'), merged: join(folder, 'z-merged.gguf'), trained: true })
    expect(subject.adapters.map(({ category }) => category)).toEqual(['diagnosis', 'medication'])
  })

  it('measures a mode in a fresh engine process, and the change to the next', async () => {
    const measured = await measureMode(subject, 'adapter', { promptTokens: 20, answerTokens: 12 }, resolvePaths().engineEntry, signal)
    for (const value of [measured.firstTokenMs, measured.tokensPerSecond, measured.loadMs, measured.switchMs]) expect(value).toBeGreaterThan(0)
    expect(measured.rss === null || measured.rss > 0.01).toBe(true)
  })

  it('times changes of adapter in a process of their own', async () => {
    const { callMs, withTokenMs } = await adapterChange(subject, 4, signal)
    expect(callMs).toBeGreaterThan(0)
    expect(Number.isFinite(withTokenMs)).toBe(true)
    await expect(adapterChange({ ...subject, base: join(folder, 'nothing.gguf') }, 4, signal)).rejects.toThrow(/could not be timed/)
  })

  it('compares the logits of the merged form with those of the adapter that it was made from, and tells another adapter apart', async () => {
    const own = await agreement({ ...subject, adapters: [subject.adapters[1]!] }, 2, signal)
    const other = await agreement(subject, 2, signal)
    expect(own.rms).toBeLessThan(0.1)
    expect(own.top).toBeGreaterThan(0.9)
    expect(own.effect).toBeGreaterThan(3 * own.rms)
    expect(other.rms).toBeGreaterThan(3 * own.rms)
  })

  it('judges answers by category in every mode', async () => {
    const found = await accuracy(subject, 3, context())
    expect(found.size).toBeGreaterThan(0)
    for (const modes of found.values())
      for (const { hits, total } of Object.values(modes)) {
        expect(total).toBe(modes.base.total)
        expect(hits).toBeLessThanOrEqual(total)
      }
  })
})
