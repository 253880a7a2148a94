// Owns the tests of model families on real files: what is found and tied together, and how every bad file is refused in words.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest'
import { familyCardPath, readFamilyCard } from '../../../app/library/family-card.ts'
import { findFamily } from '../../../app/library/family-files.ts'
import { categoryInName, fitAdapters, type FamilyAdapter } from '../../../app/library/family.ts'
import { hashOf, makeAdapter, makeBase, makeMerged, tools, WEIGHTS, weightsIdOf, writeCard } from './family-files.ts'

const made = mkdtempSync(join(tmpdir(), 'rushlight-family-made-'))
const parts = { base: '', medication: '', diagnosis: '', merged: '' }
let folder: string
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  parts.base = await makeBase(made)
  parts.medication = await makeAdapter(made, 'adapter-medication.gguf')
  parts.diagnosis = await makeAdapter(made, 'adapter-diagnosis.gguf', { seed: 2 })
  parts.merged = await makeMerged(parts.base, parts.medication, join(made, 'merged.gguf'))
})
afterAll(() => rmSync(made, { recursive: true }))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-family-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(...names: (keyof typeof parts)[]): void {
  const named = { base: 'base.gguf', medication: 'adapter-medication.gguf', diagnosis: 'adapter-diagnosis.gguf', merged: 'merged.gguf' }
  for (const name of names) copyFileSync(parts[name], at(named[name]))
}
const find = (name = 'base.gguf') => findFamily(at(name), tools)
const refusals = async (name?: string) => ((await find(name))?.refused ?? []).map(({ file, code, message }) => ({ file, code, message }))
const adapterEntry = (path: string, file: string, more = {}) => ({
  ...{ file, sha256: hashOf(path), categories: ['medication' as const], scale: 1, scores: {} },
  ...more,
})

describe('a family', () => {
  it('is found by the hashes that its headers carry, from its base and from its merged form', async () => {
    put('base', 'medication', 'diagnosis', 'merged')
    const family = (await find())!
    expect(family.base).toMatchObject({ file: 'base.gguf', weightsId: WEIGHTS, scores: {} })
    expect(family.adapters.map(({ file, categories, rank, targets, tie }) => ({ file, categories, rank, targets, tie }))).toEqual([
      { file: 'adapter-diagnosis.gguf', categories: ['diagnosis'], rank: 2, targets: 4, tie: 'hash' },
      { file: 'adapter-medication.gguf', categories: ['medication'], rank: 2, targets: 4, tie: 'hash' },
    ])
    expect(family.merged).toMatchObject({ file: 'merged.gguf', tie: 'hash' })
    expect(family.refused).toEqual([])
    expect(await find('merged.gguf')).toEqual(family)
  })

  it('takes categories, scales and validation scores from its card', async () => {
    put('base', 'medication', 'merged')
    const scores = { medication: { right: 93, total: 100 } }
    writeCard(at('base.gguf'), {
      base: { weightsId: WEIGHTS, scores: { medication: { right: 70, total: 100 } } },
      adapters: [adapterEntry(parts.medication, 'adapter-medication.gguf', { categories: ['medication', 'treatment'], scale: 0.5, scores })],
      merged: { file: 'merged.gguf', weightsId: await weightsIdOf(parts.merged), adapterSha256: hashOf(parts.medication), scores },
    })
    const family = (await find())!
    expect(family).toMatchObject({ name: 'Test family', base: { scores: { medication: { right: 70 } } }, merged: { scores }, refused: [] })
    expect(family.adapters).toMatchObject([{ categories: ['medication', 'treatment'], scale: 0.5, scores }])
  })

  it('has another id as soon as one of its files is made anew', async () => {
    put('base', 'medication')
    const before = (await find())!.id
    expect((await find())!.id).toBe(before)
    await makeAdapter(folder, 'adapter-medication.gguf', { seed: 9 })
    expect((await find())!.id).not.toBe(before)
  })

  it('is none for a model alone, and takes no notice of another model’s adapters', async () => {
    put('base')
    expect(await find()).toBeNull()
    await makeAdapter(folder, 'adapter-treatment.gguf', { base: 'cd'.repeat(32) })
    writeFileSync(at('broken.gguf'), 'GGUF and nothing more')
    expect(await find()).toBeNull()
    copyFileSync(parts.merged, at('merged.gguf'))
    unlinkSync(at('base.gguf'))
    expect(await find('merged.gguf')).toBeNull()
  })

  it('of a merged form is that of the base nearest in size', async () => {
    put('medication', 'merged')
    const near = await makeBase(folder, 'near.gguf')
    expect((await find('merged.gguf'))!.base.path).toBe(near)
  })
})

describe('a bad file', () => {
  it('that an adapter is for another base or shape is said; the rest of the family stays', async () => {
    put('base', 'diagnosis')
    await makeAdapter(folder, 'adapter-medication.gguf', { base: 'cd'.repeat(32) })
    writeCard(at('base.gguf'), { adapters: [adapterEntry(at('adapter-medication.gguf'), 'adapter-medication.gguf')] })
    const family = (await find())!
    expect(family.adapters.map(({ file }) => file)).toEqual(['adapter-diagnosis.gguf'])
    expect(family.refused).toEqual([
      {
        ...{ file: 'adapter-medication.gguf', role: 'adapter', code: 'ADAPTER_MISMATCH' },
        message: expect.stringMatching(/trained on other weights.*Choose the base/),
      },
    ])
  })

  it('missing, cut short or no GGUF at all has its own code', async () => {
    put('base', 'medication', 'diagnosis')
    writeCard(at('base.gguf'), {
      adapters: [
        adapterEntry(parts.medication, 'adapter-medication.gguf'),
        adapterEntry(parts.diagnosis, 'adapter-diagnosis.gguf', { categories: ['diagnosis'] }),
        adapterEntry(parts.diagnosis, 'gone.gguf', { categories: ['treatment'] }),
      ],
    })
    truncateSync(at('adapter-medication.gguf'), readFileSync(parts.medication).length - 4096)
    writeFileSync(at('adapter-diagnosis.gguf'), 'this is text')
    expect((await refusals()).sort((a, b) => a.file.localeCompare(b.file))).toEqual([
      { file: 'adapter-diagnosis.gguf', code: 'MODEL_NOT_GGUF', message: expect.stringMatching(/not a GGUF/) },
      { file: 'adapter-medication.gguf', code: 'MODEL_TRUNCATED', message: expect.stringMatching(/incomplete/) },
      { file: 'gone.gguf', code: 'MODEL_MISSING', message: expect.stringMatching(/not in its folder. Put it there/) },
    ])
  })

  it('whose content is not what the card says', async () => {
    put('base', 'medication')
    writeCard(at('base.gguf'), { adapters: [adapterEntry(parts.diagnosis, 'adapter-medication.gguf')] })
    expect(await refusals()).toMatchObject([{ code: 'MANIFEST_MISMATCH', message: expect.stringMatching(/its content differs. Copy/) }])
  })

  it('that does not say its base counts only when the card vouches for it', async () => {
    put('base')
    const path = await makeAdapter(folder, 'adapter-medication.gguf', { base: null })
    expect(await find()).toBeNull()
    writeCard(at('base.gguf'), { adapters: [adapterEntry(path, 'adapter-medication.gguf')] })
    expect((await find())!.adapters).toMatchObject([{ tie: 'card' }])
  })

  it('without a category, or with one that is taken', async () => {
    put('base', 'medication')
    copyFileSync(parts.medication, at('z-medication.gguf'))
    copyFileSync(parts.diagnosis, at('mine.gguf'))
    expect(await refusals()).toEqual([
      { file: 'mine.gguf', code: 'ADAPTER_MISMATCH', message: expect.stringMatching(/says no category. Name it/) },
      { file: 'z-medication.gguf', code: 'ADAPTER_MISMATCH', message: expect.stringMatching(/second adapter for medication/) },
    ])
  })

  it('a merged model of another base, when the card names it', async () => {
    put('medication', 'merged')
    await makeBase(folder, 'base.gguf', 'cd'.repeat(32))
    const card = { file: 'merged.gguf', weightsId: await weightsIdOf(parts.merged), adapterSha256: hashOf(parts.medication), scores: {} }
    writeCard(at('base.gguf'), { base: { weightsId: 'cd'.repeat(32), scores: {} }, merged: card })
    expect(await refusals()).toEqual([
      { file: 'merged.gguf', code: 'ADAPTER_MISMATCH', message: expect.stringMatching(/merged from other weights.*Merge it again/) },
    ])
  })

  it('a merged model older than its adapter: by the card’s hash, or by date where every adapter is newer and none is the one', async () => {
    put('base', 'merged')
    const retrained = await makeAdapter(folder, 'adapter-medication.gguf', { seed: 5 })
    const day = (n: number) => new Date(Date.UTC(2026, 0, n))
    utimesSync(at('merged.gguf'), day(1), day(1))
    utimesSync(retrained, day(2), day(2))
    const old = {
      ...{ file: 'merged.gguf', code: 'ADAPTER_MISMATCH' },
      message: 'merged.gguf is older than adapter-medication.gguf, which was trained again since. Merge it again, or remove it.',
    }
    expect(await refusals()).toEqual([old])
    utimesSync(at('merged.gguf'), day(3), day(3))
    expect((await find())!.merged).toMatchObject({ tie: 'unproven' })
    const merged = { file: 'merged.gguf', weightsId: await weightsIdOf(parts.merged), adapterSha256: hashOf(retrained), scores: {} }
    writeCard(at('base.gguf'), { adapters: [adapterEntry(retrained, 'adapter-medication.gguf')], merged })
    expect(await refusals()).toEqual([{ ...old, message: expect.stringMatching(/older than the adapter in its family card/) }])
  })

  it('a card of another base: it is said, and what headers prove still counts', async () => {
    put('base', 'medication')
    writeCard(at('base.gguf'), { base: { weightsId: 'cd'.repeat(32), scores: {} } })
    const family = (await find())!
    expect(family.refused).toMatchObject([{ file: 'base.gguf', code: 'MANIFEST_MISMATCH' }])
    expect(family.adapters).toHaveLength(1)
  })

  it('an adapter as the model itself, a base that is no model', async () => {
    put('medication')
    await expect(find('adapter-medication.gguf')).rejects.toMatchObject({ code: 'MODEL_NOT_A_MODEL' })
    await expect(find('nothing.gguf')).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  })
})

describe('a family card', () => {
  it.each([
    ['text', 'is not JSON'],
    ['[]', 'is damaged at its top'],
    ['{"format":2}', 'is damaged at format'],
    [JSON.stringify({ format: 1, name: 'x', validation: '', base: { weightsId: 'x', scores: {} }, adapters: [], merged: null }), 'base.weightsId'],
    [
      JSON.stringify({
        ...{ format: 1, name: 'x', validation: '', merged: null, adapters: [] },
        base: { weightsId: WEIGHTS, scores: { medication: { right: 3, total: 2 } } },
      }),
      'is more than total',
    ],
    [
      JSON.stringify({
        ...{ format: 1, name: 'x', validation: '', merged: null, base: { weightsId: WEIGHTS, scores: {} } },
        adapters: ['a', 'b'].map((file) => ({ file: `${file}.gguf`, sha256: WEIGHTS, categories: ['diagnosis'], scores: {} })),
      }),
      'a category has two adapters',
    ],
    [
      JSON.stringify({
        ...{ format: 1, name: 'x', validation: '', merged: null, base: { weightsId: WEIGHTS, scores: {} } },
        adapters: [{ file: '../a.gguf', sha256: WEIGHTS, categories: ['diagnosis'], scores: {} }],
      }),
      'is no name of a .gguf file',
    ],
  ])('damaged (%#) is refused with the place', (text, says) => {
    writeFileSync(familyCardPath(at('base.gguf')), text)
    expect(() => readFamilyCard(at('base.gguf'))).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringContaining(says) }),
    )
  })
  it('that is absent is null, that is gigantic or a folder is refused', () => {
    expect(readFamilyCard(at('base.gguf'))).toBeNull()
    writeFileSync(familyCardPath(at('base.gguf')), 'x'.repeat(1_000_001))
    expect(() => readFamilyCard(at('base.gguf'))).toThrow(/far too large/)
  })
})

describe('memory', () => {
  const adapter = (file: string, rank: number, bytes: number): FamilyAdapter => ({
    ...{ file, rank, bytes, path: file, scores: {}, categories: ['general'], sha256: '', scale: 1, targets: 4, tie: 'hash' },
  })
  it('holds adapters in order; one of too high a rank is refused with the rank that fits', () => {
    const list = [adapter('a.gguf', 16, 80e6), adapter('b.gguf', 256, 1.28e9), adapter('c.gguf', 16, 80e6)]
    const { fit, refused } = fitAdapters(list, 400e6)
    expect(fit.map(({ file }) => file)).toEqual(['a.gguf', 'c.gguf'])
    expect(refused).toEqual([
      {
        ...{ file: 'b.gguf', role: 'adapter', code: 'MODEL_TOO_LARGE' },
        message:
          'b.gguf is of rank 256 and needs 1.3 GB beside the model, where 320 MB are left. Train it with a rank of 64 or less, or use the merged model.',
      },
    ])
    expect(fitAdapters(list, -5).fit).toEqual([])
    expect(fitAdapters(list, 0).refused[0]!.message).toMatch(/Use the merged model, or close other programs/)
  })
})

it.each([
  ['adapter-medication.gguf', 'medication'],
  ['Emergency.GGUF', 'emergency'],
  ['rushlight.general.gguf', 'general'],
  ['medications.gguf', null],
  ['premedication.gguf', null],
])('the category in %s is %s', (file, category) => {
  expect(categoryInName(file)).toBe(category)
})
